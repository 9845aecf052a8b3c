"""What an event is named and what is asserted of it, for labelled posts, as the file of an event says when serving."""

from collections import defaultdict
from typing import Final

import polars as pl

from classifiers.labels import named

__all__ = ["with_names"]

_ORIGINALS: Final = 4
"""Originals of a proposition from which on it words its kind of event."""
_SAME, _FOREIGN = 3, 4
"""So many further wordings of its own language has a proposition, and so many of other languages."""


def with_names(posts: pl.DataFrame) -> pl.DataFrame:
    """Adds `names` and `wordings` to posts with group, language, parent and answer; "" where nothing is known.

    Names are those of `labels/names.tsv`. An event file says the proposition in several ways: here other propositions
    of the same kind of event stand for that, their names beside the own ones, so that they count as names.
    """
    names = pl.col("parent").replace_strict(named(), default="", return_dtype=pl.String)
    known = posts.with_columns(names=pl.when("answer").then(pl.lit("")).otherwise(names))
    asked = known.filter(pl.col("names") != "").group_by("parent", maintain_order=True)
    told = asked.agg(pl.col("group", "language", "names").first(), pl.len().alias("originals"))
    kinds: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for proposition, group, language, own, originals in told.iter_rows():
        if originals >= _ORIGINALS:
            kinds[group].append((proposition, language, own))
    columns = ("parent", "group", "language", "names")
    rows = {
        tuple(row): _worded(row[0], row[2], row[3], kinds[row[1]])
        for row in known.select(columns).filter(pl.col("names") != "").unique(maintain_order=True).iter_rows()
    }
    found = [rows.get(tuple(row), ("", "")) for row in known.select(columns).iter_rows()]
    return known.with_columns(
        names=pl.Series([each[0] for each in found], dtype=pl.String),
        wordings=pl.Series([each[1] for each in found], dtype=pl.String),
    )


def _worded(proposition: str, language: str, names: str, kind: list[tuple[str, str, str]]) -> tuple[str, str]:
    """Names and wordings of a proposition with those of its kind of event: proposition, language, names."""
    rest = [each for each in kind if each[0] != proposition]
    foreign = {each[1]: each for each in reversed(rest) if each[1] != language}
    chosen = [each for each in rest if each[1] == language][:_SAME]
    chosen += sorted(foreign.values(), key=rest.index)[:_FOREIGN]
    return " | ".join((names, *(each[2] for each in chosen))), " | ".join((proposition, *(each[0] for each in chosen)))
