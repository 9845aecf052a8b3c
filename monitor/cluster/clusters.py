"""Tagged mentions → clustered: each with the original it copies and the narrative it belongs to."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from classifiers.text import fold
from monitor.cluster.asserted import asserted_words
from monitor.cluster.begun import Gone
from monitor.cluster.copies import Copies
from monitor.cluster.mentions import mention_key
from monitor.cluster.narratives import JOINS, Narratives
from monitor.cluster.rows import Named
from monitor.frames import CLUSTERED
from monitor.marks import Ruling, in_turn
from monitor.records import Narrative
from monitor.watched import Event

_OWN = pl.col("repost_of").is_null().alias("own")
_AT_ONCE = 8_192
"""Texts that are folded at once at the start."""


class Clusters:
    """The cluster stage and its bounded memory: the last `size` mentions, numbered from 1 on."""

    def __init__(self, events: Sequence[Event], *, size: int = 200_000, joins: float = JOINS) -> None:
        """`joins`: the nearness from which on an original joins a narrative."""
        self._made = 0
        self._copies = Copies(size=size)
        self._narratives = Narratives(events, size=size, joins=joins)

    def assign(self, tagged: pl.DataFrame, rulings: Sequence[Ruling] = ()) -> pl.DataFrame:
        """TAGGED → CLUSTERED, rows in the same order; what editors rule holds for what is seen from its time on."""
        self._narratives.settle()
        parts = []
        for due, part in in_turn(tagged, rulings):
            self._narratives.rule(due)
            parts.append(self._assigned(part))
        return parts[0] if len(parts) == 1 else pl.concat(parts)

    def _assigned(self, tagged: pl.DataFrame) -> pl.DataFrame:
        """The same between two rulings."""
        own = (pl.col("op") == "create") & pl.col("repost_of").is_null()
        carried = pl.col("repost_of").is_not_null() & pl.col("parent").is_not_null()
        rows = tagged.select(
            "event",
            pl.when(~carried & (pl.col("op") == "create")).then("text").fill_null("").alias("text"),
            ((pl.col("op") == "create").cum_sum().cast(pl.Int64) + self._made).alias("number"),
            own.alias("own"),
            mention_key("id").alias("key"),
            mention_key("repost_of").alias("original"),
        )
        words, numbers, keys = _words(rows["text"]), rows["number"].to_list(), rows["key"].to_list()
        original = self._originals(rows, words, keys)
        narrative = self._narratives.assign(tagged, Named(words, keys, original, numbers))
        self._made = numbers[-1] if numbers else self._made
        self._note_changes(tagged)
        copied = [key if key is None else key.split("\0", 2)[2] for key in original]
        return tagged.with_columns(
            pl.Series("narrative", narrative, dtype=pl.String), pl.Series("copy_of", copied, dtype=pl.String)
        ).select(CLUSTERED.keys())

    def narrative(self, event: str, identity: str, at: datetime | None = None) -> Narrative | None:
        """What is known of a narrative (as it stood at a time); its label is "" where there is no better one."""
        return self._narratives.get(event, identity, at)

    def narratives(self) -> dict[str, int]:
        """How many narratives each event has."""
        return self._narratives.per_event()

    def merged(self, event: str) -> dict[str, str]:
        """Narratives that editors merged → what they belong to."""
        return self._narratives.merged(event)

    def suggested(self, event: str) -> list[tuple[str, str, float]]:
        """Pairs of narratives that may be one and how alike they are, the most alike first."""
        return self._narratives.suggested(event)

    def bounds(self) -> tuple[int, int]:
        """Narratives that made room for others, and originals for which there was none, since the start."""
        return self._narratives.bounds()

    def gone(self) -> list[Gone]:
        """Narratives of the last batch that made room, and to which nothing leads any more; by time."""
        return self._narratives.gone

    def says(self, texts: pl.Series) -> list[list[int]]:
        """What each text (String) asserts, as SplitMark carries it."""
        return self._narratives.says(texts)

    def watch(self, events: Sequence[Event]) -> None:
        """Exchanges the events; what is known of those that are gone is forgotten."""
        self._narratives.watch(events)

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        return self._narratives.snapshot() | self._copies.snapshot(self._made)

    def restore(self, rows: Mapping[str, bytes], remembered: pl.DataFrame, current: pl.DataFrame, made: int) -> None:
        """Goes on where the clusters that gave all these rows left off, after `made` mentions.

        `remembered`: REMEMBERED with the `number` of each; `current`: those since their event is watched.
        """
        self._made = made
        self._narratives.restore(rows, current)
        compared = remembered.filter(~pl.col("older") & _OWN)
        texts = compared["text"].fill_null("")
        parts = [_words(texts.slice(at, _AT_ONCE)) for at in range(0, len(texts), _AT_ONCE)]
        self._copies.restore(rows, compared, pl.concat(parts) if parts else _words(texts))

    def _originals(self, rows: pl.DataFrame, words: pl.Series, keys: list[str]) -> list[str | None]:
        """The key of what a row copies: a repost of what it reposts; the rest is compared by words."""
        original: list[str | None] = rows["original"].to_list()
        places = rows["own"].arg_true()
        compared = rows.select(pl.col("event", "number").gather(places))
        mine = places.to_list()
        found = self._copies.originals(
            compared["event"], words.gather(places), [keys[place] for place in mine], compared["number"].to_numpy()
        )
        for place, one in zip(mine, found, strict=True):
            original[place] = one
        return original

    def _note_changes(self, tagged: pl.DataFrame) -> None:
        """Updates and deletions: what their mentions were compared by is kept."""
        changes = tagged.filter(pl.col("op").is_in(["update", "delete"]))
        if changes.is_empty():
            return
        for key in changes.select(mention_key("id")).to_series():
            number = self._narratives.number(key)
            if number is not None:
                self._copies.keep(number, self._made)


def _words(texts: pl.Series) -> pl.Series:
    """The words that texts are compared by."""
    return asserted_words(fold(texts))
