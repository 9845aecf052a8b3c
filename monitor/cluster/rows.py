"""A batch's mentions as narratives are found for them: one list per column, and what each original asserts."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import polars as pl

from monitor.cluster.asserted import Asserter, Said
from monitor.cluster.begun import Post
from monitor.cluster.mentions import mention_key
from monitor.frames import Tag


class Spoken(NamedTuple):
    """What an original says."""

    said: Said
    folded: str
    """The words it is compared by, parted by spaces."""


class Named(NamedTuple):
    """What is known of each row before its narrative is."""

    words: pl.Series
    """Those that its text is compared by."""
    key: list[str]
    original: Sequence[str | None]
    """The key of what it copies."""
    number: list[int]
    """Of a create its own, of others the last create's before it."""


class Rows(NamedTuple):
    """TAGGED, in order."""

    key: list[str]
    parent: list[str | None]
    """Key of what it answers."""
    target: list[str | None]
    """Key of what decides its narrative: what it answers, or else what it copies."""
    create: list[bool]
    tag: list[str]
    event: list[str]
    term: list[str | None]
    """The term that it is a mention by, if it is one by a term."""
    number: Sequence[int]
    spoken: dict[int, Spoken]
    """Of those that may be originals."""
    words: pl.Series
    tagged: pl.DataFrame

    def post(self, index: int) -> Post:
        """What a narrative must know of a mention that joins it."""
        return self.key[index], self.tag[index], self.tagged, index, self.number[index]

    def says(self, index: int, asserter: Asserter) -> Spoken:
        """What a mention says."""
        known = self.spoken.get(index)
        if known is None:
            (said,) = asserter.read(self.tagged["text"][index : index + 1])
            known = self.spoken[index] = Spoken(said, " ".join(self.words[index]))
        return known


def rows_of(tagged: pl.DataFrame, named: Named, asserter: Asserter, take_all: Collection[str]) -> Rows:
    """The rows of TAGGED; of events in `take_all` every post is a mention, so one that is `other` may assert, too."""
    asserts = (pl.col("tag") != Tag.OTHER) | pl.col("event").is_in(list(take_all))
    columns = tagged.select(
        mention_key("parent").alias("parent"),
        (pl.col("op") == "create").alias("create"),
        pl.col("tag").cast(pl.String),
        "event",
        pl.when(pl.col("via") == "term").then("term").alias("term"),
        ((pl.col("op") == "create") & asserts & pl.col("parent").is_null()).alias("may_assert"),
    )
    parent, create, tag, event, term, may_assert = (column.to_list() for column in columns)
    target = [copied if answered is None else answered for answered, copied in zip(parent, named.original, strict=True)]
    places = [place for place, may in enumerate(may_assert) if may and target[place] is None]
    lists = named.words.gather(places).to_list()
    said = asserter.read(tagged["text"].gather(places), lists)
    spoken = [Spoken(one, " ".join(told)) for one, told in zip(said, lists, strict=True)]
    by_row = dict(zip(places, spoken, strict=True))
    return Rows(named.key, parent, target, create, tag, event, term, named.number, by_row, named.words, tagged)
