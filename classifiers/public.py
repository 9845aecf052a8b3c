"""The public research sets, each mapped to the codebook's tags with what its posts answer.

`pheme9` has no stance label that `rumoureval2019` lacks, so the latter stands for both. Weights say how far a set's own
labels are the codebook's. Of `covid19_rumor_en` only posts that were read again are used: its own labels are too noisy.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import polars as pl

from classifiers.labels import UNDECIDED

__all__ = ["PUBLIC", "mapped"]

_STANCE: Final = {"support": "claim", "deny": "denial", "query": "question", "comment": "other"}


class _Set(NamedTuple):
    read: Callable[[pl.DataFrame], pl.DataFrame]
    """To id, group, language, text, parent, root, answer, public_tag."""
    weight: float
    again: float
    """Weight of a post that was read again."""
    keep: Mapping[str, int] = {}
    """Public tag → at most so many posts that were not read again; the others all stay."""


def mapped(name: str, posts: pl.DataFrame, reread: pl.DataFrame) -> pl.DataFrame:
    """A set's posts with public_tag, reread_tag, weight; without the undecided, and sampled where it has too many."""
    chosen = PUBLIC[name]
    again = reread.filter(pl.col("dataset") == name).select("id", "decided_by", pl.col("tag").alias("reread_tag"))
    known = (
        chosen.read(posts)
        .join(again, on="id", how="left", maintain_order="left")
        .filter(
            pl.col("decided_by").fill_null("") != UNDECIDED,
            pl.coalesce("reread_tag", "public_tag").is_not_null(),
            pl.col("text").str.strip_chars() != "",
        )
        .with_columns(
            pl.lit(name).alias("set"),
            pl.when(pl.col("reread_tag").is_null()).then(chosen.weight).otherwise(chosen.again).alias("weight"),
        )
    )
    rank = pl.int_range(pl.len()).shuffle(seed=1).over("public_tag", pl.col("reread_tag").is_null())
    most = pl.col("public_tag").replace_strict(chosen.keep, default=1 << 30, return_dtype=pl.Int64)
    return known.filter(pl.col("reread_tag").is_not_null() | (rank < most))


@cache
def _propositions() -> dict[str, str]:
    """What originals of an event are read against; written by us."""
    file = resources.files("classifiers").joinpath("labels", "propositions.tsv")
    return dict(pl.read_csv(file.read_bytes(), separator="\t").iter_rows())


def _proposition() -> pl.Expr:
    return pl.col("event").replace_strict(_propositions(), default="", return_dtype=pl.String)


def _tag() -> pl.Expr:
    return pl.col("stance_label").replace_strict(_STANCE, default=None, return_dtype=pl.String).alias("public_tag")


def _threads(posts: pl.DataFrame) -> pl.DataFrame:
    """Posts with what they answer and what began their thread, where the set holds it."""
    parents = posts.select(pl.col("id").alias("reply_to"), pl.col("text").alias("parent"))
    roots = posts.select(pl.col("id").alias("root"), pl.col("text").alias("root_text"))
    original = pl.col("reply_to").is_null()
    told = pl.col("target_text") if "target_text" in posts.columns else pl.lit(None, pl.String)
    root = pl.col("root") if "root" in posts.columns else pl.lit(None, pl.String)
    return (
        posts.with_columns(root.alias("root"), told.alias("told"))
        .join(parents.unique("reply_to", keep="first"), on="reply_to", how="left", maintain_order="left")
        .join(roots.unique("root", keep="first"), on="root", how="left", maintain_order="left")
        .select(
            "id",
            pl.col("event").alias("group"),
            "text",
            pl.when(original).then(_proposition()).otherwise(pl.coalesce("parent", "told", pl.lit(""))).alias("parent"),
            pl.when(original).then(pl.lit("")).otherwise(pl.col("root_text").fill_null("")).alias("root"),
            (~original).alias("answer"),
            _tag(),
            pl.lit("en").alias("language"),
        )
    )


def _pairs(language: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Pairs of a claim and a text about it, read as an answer to the claim; unrelated ones are `other`."""

    def read(posts: pl.DataFrame) -> pl.DataFrame:
        return posts.select(
            "id",
            pl.coalesce("target_text", "text").alias("group"),
            "text",
            pl.col("target_text").fill_null("").alias("parent"),
            pl.lit("").alias("root"),
            pl.col("target_text").is_not_null().alias("answer"),
            _tag(),
            pl.lit(language).alias("language"),
        )

    return read


def _celebration(posts: pl.DataFrame) -> pl.DataFrame:
    """Answers too: what they answer is not in the set, so the proposition stands for it."""
    return posts.select(
        "id",
        pl.col("event").alias("group"),
        "text",
        _proposition().alias("parent"),
        pl.lit("").alias("root"),
        (pl.col("root") != pl.col("id")).fill_null(value=False).alias("answer"),
        pl.col("gold_tag").alias("public_tag"),
        pl.col("lang").fill_null("und").alias("language"),
    )


def _crisislex(posts: pl.DataFrame) -> pl.DataFrame:
    """Sympathy, donations and unrelated posts of 26 crises: `other` as it is on the day."""
    kinds = '"Sympathy and support"|"Donations and volunteering"|"Not related"'
    return posts.filter(pl.col("extra").str.contains(kinds)).select(
        "id",
        pl.col("event").alias("group"),
        "text",
        _proposition().alias("parent"),
        pl.lit("").alias("root"),
        pl.lit(value=False).alias("answer"),
        pl.lit("other").alias("public_tag"),
        pl.lit("und").alias("language"),
    )


PUBLIC: Final = {
    "rumoureval2019": _Set(_threads, 0.5, 3.0),
    "farexstance_fa": _Set(_pairs("fa"), 0.1, 0.2, {"other": 2500}),
    "ans_ar": _Set(_pairs("ar"), 0.05, 0.1, {"claim": 600, "denial": 600}),
    "austr_ar": _Set(_pairs("ar"), 0.3, 0.6),
    "emergent_en": _Set(_pairs("en"), 0.1, 0.2, {"other": 480}),
    "covid19_rumor_en": _Set(_threads, 0.0, 0.5, dict.fromkeys(_STANCE.values(), 0)),
    "celebration": _Set(_celebration, 1.0, 1.0),
    "crisislex_t26": _Set(_crisislex, 0.3, 0.3, {"other": 2500}),
}
"""The public sets used."""
