"""Labelled posts: public research sets from a directory, the posts written by us, and corrections by editors.

An example's `group` is what must be left out together: an event, a claim of a pair set, a written kind of event.
Public labels are mapped to the codebook; where two readings of a post by the codebook stand in `labels/reread.tsv`,
theirs is the tag, and the public one stays beside it as `public_tag`.
"""

from importlib import resources
from pathlib import Path
from typing import Final

import polars as pl

from classifiers.about import with_names
from classifiers.labels import corrections, reread
from classifiers.public import PUBLIC, mapped

__all__ = ["EXAMPLES", "PUBLIC", "load", "public", "written"]

EXAMPLES: Final = {
    "set": pl.String,
    "id": pl.String,
    "group": pl.String,
    "language": pl.String,
    "text": pl.String,
    "parent": pl.String,
    "root": pl.String,
    "names": pl.String,
    "wordings": pl.String,
    "voice": pl.String,
    "answer": pl.Boolean,
    "tag": pl.String,
    "public_tag": pl.String,
    "reread": pl.Boolean,
    "weight": pl.Float64,
}
"""The columns of a frame of labelled posts.

`parent` and `root` are "" where there is none; `names` and `wordings` are those of an
original's event, "" where unknown (`about`); `voice` is the kind of registered voice that wrote it, null for anybody;
`public_tag` is null where no public set has one.
"""
_DEMO: Final = "(?i)panjsh|پنجش|بنجش|taliban|طالبان|kabul|کابل"
"""Names of the demo's story: written posts with one of them are left out, so that the demo stays unseen."""
_PAIRS: Final = "pairs"
"""Written files so named hold answers only."""
_VOICES: Final = "voices"
"""Written files so named say which kind of registered voice wrote each post, in one more column."""


def written() -> pl.DataFrame:
    """The posts written by us, EXAMPLES; the group is the kind of event."""
    folder = resources.files("classifiers").joinpath("written")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".tsv"))
    columns = ("event_kind", "language", "tag", "text", "parent")
    parts = [
        pl.read_csv(
            folder.joinpath(name).read_bytes(),
            separator="\t",
            quote_char=None,
            schema=dict.fromkeys((*columns, "voice") if name.startswith(_VOICES) else columns, pl.String),
        ).with_columns(pl.lit(name.startswith(_PAIRS)).alias("paired"))
        for name in names
    ]
    posts = pl.concat(parts, how="diagonal").with_columns(pl.col("parent").fill_null(""))
    posts = posts.filter(~pl.any_horizontal(pl.col("text", "parent").str.contains(_DEMO)))
    told = posts.select(
        pl.lit("written").alias("set"),
        pl.lit("").alias("id"),
        pl.col("event_kind").alias("group"),
        "language",
        "text",
        "parent",
        pl.lit("").alias("root"),
        "voice",
        (pl.col("paired") | pl.col("parent").is_in(posts["text"].implode())).alias("answer"),
        "tag",
        pl.lit(None, pl.String).alias("public_tag"),
        pl.lit(value=False).alias("reread"),
        pl.lit(1.0).alias("weight"),
    )
    return _complete(told)


def public(directory: Path) -> pl.DataFrame:
    """All public sets that `directory` holds, EXAMPLES; raises FileNotFoundError if it holds none."""
    found = [name for name in PUBLIC if (directory / f"{name}.parquet").is_file()]
    if not found:
        why = f"{directory} holds none of {', '.join(f'{name}.parquet' for name in PUBLIC)}"
        raise FileNotFoundError(why)
    posts = pl.concat([mapped(name, pl.read_parquet(directory / f"{name}.parquet"), reread()) for name in found])
    return posts.with_columns(
        pl.coalesce("reread_tag", "public_tag").alias("tag"),
        pl.col("reread_tag").is_not_null().alias("reread"),
        pl.lit(None, pl.String).alias("voice"),
    ).pipe(_complete)


def load(directory: Path | None, corrected: Path | None = None) -> pl.DataFrame:
    """Everything to train on, EXAMPLES: written posts, the public sets of `directory`, the file of `corrected` posts.

    Raises FileNotFoundError, and ValueError where a correction cannot be read.
    """
    parts = [written()]
    if directory is not None:
        parts.insert(0, public(directory))
    if corrected is not None:
        told = corrections(corrected).with_columns(pl.lit(None, pl.String).alias("voice"))
        parts.append(_complete(told))
    return pl.concat(parts)


def _complete(posts: pl.DataFrame) -> pl.DataFrame:
    return with_names(posts).select(EXAMPLES.keys())
