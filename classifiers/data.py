"""Loads labelled posts – public research sets from a directory, and the posts written by us – mapped to the codebook.

An example's `group` is what must be left out together: an event, a claim of a pair set, a written kind of event.
`pheme9` has no stance label that `rumoureval2019` lacks, so the latter stands for both. Weights say how far a set's
labels are the codebook's: written, celebration and RumourEval 1; pair sets of headlines less, because there a
contradiction or a mere discussion is labelled where the codebook wants a denial.
"""

from importlib import resources
from pathlib import Path
from typing import Final

import polars as pl

__all__ = ["EXAMPLES", "PUBLIC", "load", "public", "written"]

EXAMPLES: Final = {
    "set": pl.String,
    "group": pl.String,
    "language": pl.String,
    "text": pl.String,
    "parent": pl.String,
    "tag": pl.String,
    "weight": pl.Float64,
}
"""The columns of a frame of labelled posts; `parent` is "" where there is none."""

_STANCE: Final = {"support": "claim", "deny": "denial", "query": "question", "comment": "other"}
_PROPOSITIONS: Final = {
    "charliehebdo": "Gunmen attacked the offices of Charlie Hebdo in Paris",
    "ferguson": "Police in Ferguson shot Michael Brown although he was unarmed",
    "germanwings-crash": "The co-pilot crashed the Germanwings plane on purpose",
    "illary": "Hillary Clinton is seriously ill",
    "sydneysiege": "A gunman of Islamic State holds hostages in a Sydney cafe",
}
"""What originals of the large events are read against; written by us."""


def written() -> pl.DataFrame:
    """The posts written by us, EXAMPLES; the group is the kind of event."""
    folder = resources.files("classifiers").joinpath("written")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".tsv"))
    parts = [
        pl.read_csv(
            folder.joinpath(name).read_bytes(),
            separator="\t",
            quote_char=None,
            schema=dict.fromkeys(("event_kind", "language", "tag", "text", "parent"), pl.String),
        )
        for name in names
    ]
    return pl.concat(parts).select(
        pl.lit("written").alias("set"),
        pl.col("event_kind").alias("group"),
        "language",
        "text",
        pl.col("parent").fill_null(""),
        "tag",
        pl.lit(1.0).alias("weight"),
    )


def public(directory: Path) -> pl.DataFrame:
    """All public sets that `directory` holds, EXAMPLES; raises FileNotFoundError if it holds none."""
    found = [name for name in PUBLIC if (directory / f"{name}.parquet").is_file()]
    if not found:
        why = f"{directory} holds none of {', '.join(f'{name}.parquet' for name in PUBLIC)}"
        raise FileNotFoundError(why)
    return pl.concat([PUBLIC[name](pl.read_parquet(directory / f"{name}.parquet")) for name in found])


def load(directory: Path | None) -> pl.DataFrame:
    """Everything to train on, EXAMPLES; written posts only where `directory` is None."""
    ours = written()
    return ours if directory is None else pl.concat([public(directory), ours])


def _examples(frame: pl.DataFrame, *, name: str, weight: float) -> pl.DataFrame:
    """EXAMPLES of a frame that has group, language, text, parent and tag; rows without a tag or a text go."""
    return (
        frame.with_columns(pl.lit(name).alias("set"), pl.lit(weight).alias("weight"), pl.col("parent").fill_null(""))
        .filter(pl.col("tag").is_not_null(), pl.col("text").str.strip_chars() != "")
        .select(*EXAMPLES)
    )


def _stance() -> pl.Expr:
    return pl.col("stance_label").replace_strict(_STANCE, default=None).alias("tag")


def _rumoureval(posts: pl.DataFrame) -> pl.DataFrame:
    parents = posts.select(pl.col("id").alias("reply_to"), pl.col("text").alias("parent"))
    joined = posts.join(parents, on="reply_to", how="left", maintain_order="left")
    proposition = pl.col("event").replace_strict(_PROPOSITIONS, default="")
    named = joined.with_columns(
        _stance(),
        pl.col("event").alias("group"),
        pl.lit("en").alias("language"),
        pl.when(pl.col("reply_to").is_null()).then(proposition).otherwise(pl.col("parent")).alias("parent"),
    )
    return _examples(named, name="rumoureval2019", weight=1.0)


def _pairs(frame: pl.DataFrame, name: str, language: str, weight: float) -> pl.DataFrame:
    named = frame.with_columns(
        pl.coalesce("target_text", "text").alias("group"),
        pl.lit(language).alias("language"),
        pl.col("target_text").alias("parent"),
        _stance(),
    )
    return _examples(named, name=name, weight=weight)


def _farexstance(frame: pl.DataFrame) -> pl.DataFrame:
    """Unrelated pairs are `other` too; both that and `discuss` are sampled, they are 17,000 of 19,000."""
    rare = frame.filter(pl.col("stance_label").is_in(["support", "deny"]))
    rest = frame.filter(pl.col("stance_label") == "comment").sample(2500, seed=1)
    unrelated = frame.filter(pl.col("stance_label").is_null()).sample(800, seed=1)
    unrelated = unrelated.with_columns(pl.lit("comment").alias("stance_label"))
    return _pairs(pl.concat([rare, rest, unrelated]), "farexstance_fa", "fa", 0.2)


def _ans(frame: pl.DataFrame) -> pl.DataFrame:
    return _pairs(frame.sample(fraction=0.5, seed=1), "ans_ar", "ar", 0.1)


def _austr(frame: pl.DataFrame) -> pl.DataFrame:
    return _pairs(frame, "austr_ar", "ar", 0.8)


def _emergent(frame: pl.DataFrame) -> pl.DataFrame:
    """`observing` headlines often relay the claim, which the codebook calls a claim: half of them stay."""
    kept = frame.filter((pl.col("stance_label") != "comment") | (pl.int_range(pl.len()) % 2 == 0))
    return _pairs(kept, "emergent_en", "en", 0.25)


def _celebration(frame: pl.DataFrame) -> pl.DataFrame:
    named = frame.with_columns(
        pl.col("event").alias("group"),
        pl.col("lang").fill_null("und").alias("language"),
        pl.lit("").alias("parent"),
        pl.col("gold_tag").alias("tag"),
    )
    return _examples(named, name="celebration", weight=1.0)


def _crisislex(frame: pl.DataFrame) -> pl.DataFrame:
    """Sympathy, donations and unrelated posts of 26 crises: `other` as it is on the day."""
    others = frame.filter(
        pl.col("extra").str.contains('"Sympathy and support"|"Donations and volunteering"|"Not related"')
    )
    named = others.sample(2500, seed=1).with_columns(
        pl.col("event").alias("group"),
        pl.lit("und").alias("language"),
        pl.lit("").alias("parent"),
        pl.lit("other").alias("tag"),
    )
    return _examples(named, name="crisislex_t26", weight=0.5)


PUBLIC: Final = {
    "rumoureval2019": _rumoureval,
    "farexstance_fa": _farexstance,
    "ans_ar": _ans,
    "austr_ar": _austr,
    "emergent_en": _emergent,
    "celebration": _celebration,
    "crisislex_t26": _crisislex,
}
"""The public sets used, each with what maps it to EXAMPLES."""
