"""Labels that are better than a public set's: posts read again by the codebook, and corrections by editors."""

from importlib import resources
from pathlib import Path
from typing import Final

import polars as pl

from classifiers.tags import TAGS

__all__ = ["UNDECIDED", "corrections", "named", "reread"]

UNDECIDED: Final = "undecided"
"""`decided_by` of a post whose two readings differ and were not settled: neither trained on nor measured."""
_CORRECTED: Final = ("platform", "id", "event", "text", "parent", "tag")
_WEIGHT: Final = 2.0


def reread() -> pl.DataFrame:
    """What two readers tagged independently: dataset, id, tag_a, tag_b, tag ("" if undecided), decided_by."""
    file = resources.files("classifiers").joinpath("labels", "reread.tsv")
    columns = ("dataset", "id", "tag_a", "tag_b", "tag", "decided_by")
    return pl.read_csv(file.read_bytes(), separator="\t", schema=dict.fromkeys(columns, pl.String)).with_columns(
        pl.col("tag").fill_null("")
    )


def named() -> dict[str, str]:
    """Proposition → the names in it, one text; written by us, of propositions of the written posts and public sets."""
    file = resources.files("classifiers").joinpath("labels", "names.tsv")
    return dict(pl.read_csv(file.read_bytes(), separator="\t", quote_char=None, infer_schema=False).iter_rows())


def corrections(path: Path) -> pl.DataFrame:
    """Posts whose tag an editor corrected, as examples: TSV or NDJSON with platform, id, event, text, parent, tag.

    The last correction of a post counts. Raises ValueError that names the file and what is wrong with it.
    """
    try:
        told = (
            pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
            if path.suffix == ".tsv"
            else pl.read_ndjson(path, infer_schema_length=None)
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        why = f"{path}: cannot be read as corrections ({str(error).splitlines()[0]})"
        raise ValueError(why) from error
    if missing := [name for name in _CORRECTED if name not in told.columns]:
        why = f"{path}: corrections need the columns {', '.join(_CORRECTED)}; missing: {', '.join(missing)}"
        raise ValueError(why)
    posts = told.select(pl.col(name).cast(pl.String).fill_null("") for name in _CORRECTED)
    known = [tag.value for tag in TAGS]
    if foreign := sorted(set(posts["tag"]) - set(known)):
        why = f"{path}: tags are {', '.join(known)}; found: {', '.join(foreign)}"
        raise ValueError(why)
    return (
        posts.unique(["platform", "id", "event"], keep="last", maintain_order=True)
        .filter(pl.col("text").str.strip_chars() != "")
        .select(
            pl.lit("corrections").alias("set"),
            "id",
            pl.col("event").alias("group"),
            pl.lit("und").alias("language"),
            "text",
            "parent",
            pl.lit("").alias("root"),
            (pl.col("parent") != "").alias("answer"),
            "tag",
            pl.lit(None, pl.String).alias("public_tag"),
            pl.lit(value=True).alias("reread"),
            pl.lit(_WEIGHT).alias("weight"),
        )
    )
