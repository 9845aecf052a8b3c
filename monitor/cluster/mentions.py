"""Which narrative a known mention belongs to: the last mentions, and the older ones that they answer."""

from collections.abc import Collection
from itertools import takewhile
from sys import intern

import msgspec
import polars as pl


class Known(msgspec.Struct, gc=False):
    """What is remembered of a mention."""

    last: int
    """The number of the last mention that was it or referred to it."""
    narrative: str | None
    number: int
    """Its own."""


class Mentions:
    """Remembers the last `size` mentions and their parents, by key (`mention_key`)."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: dict[str, Known] = {}
        self._led: dict[str, dict[str, int]] = {}
        """Event → narrative → the number of the last mention that belongs to it, in order of these."""

    def get(self, key: str | None) -> Known | None:
        """What is known of a mention."""
        return self._known.get(key) if key is not None else None

    def live(self, key: str, number: int) -> Known | None:
        """The same, if it is not too old for mention `number` to change it."""
        known = self._known.get(key)
        return known if known is not None and known.last > number - self._size else None

    def refer(self, key: str, number: int) -> None:
        """A known mention was referred to by mention `number`, and stays longer for it."""
        known = self._known[key]
        if number > known.last:
            known.last = number
            del self._known[key]
            self._known[key] = known

    def put(self, key: str, event: str, narrative: str | None, number: int) -> None:
        """Mention `number` was made."""
        self._known.pop(key, None)
        self._known[key] = Known(number, narrative, number)
        if narrative is not None:
            led = self._led.setdefault(event, {})
            led.pop(narrative, None)
            led[narrative] = number

    def leads_to(self, event: str, narrative: str) -> bool:
        """Whether an answer to a known mention may still belong to a narrative."""
        return narrative in self._led.get(event, ())

    def move(self, key: str, narrative: str) -> bool:
        """A mention belongs to another narrative from now on, if it is known; gives whether it is."""
        known = self._known.get(key)
        if known is None:
            return False
        known.narrative = narrative
        self._led.setdefault(key.split("\0")[1], {})[narrative] = known.last
        return True

    def sweep(self, number: int) -> list[tuple[str, str, int]]:
        """Forgets what is too old once mention `number` was made.

        Gives the narratives that nobody who answers can come to belong to any more: event, narrative, and the number of
        the mention that made it so.
        """
        oldest = number - self._size
        for old in list(takewhile(lambda key: self._known[key].last <= oldest, self._known)):
            del self._known[old]
        gone = []
        for event, led in self._led.items():
            some = list(takewhile(lambda pair: pair[1] <= oldest, led.items()))
            gone += [(event, narrative, last + self._size) for narrative, last in some]
            for narrative, _ in some:
                del led[narrative]
        return gone

    def forget(self, events: Collection[str]) -> None:
        """Drops the mentions of these events."""
        for key in [key for key in self._known if key.split("\0")[1] in events]:
            del self._known[key]
        for event in events:
            self._led.pop(event, None)

    def restore(self, remembered: pl.DataFrame) -> None:
        """Refills the memory; `remembered`: REMEMBERED with `number`."""
        made = remembered.select(mention_key("id").alias("key"), "narrative", "number")
        referred = remembered.filter(~pl.col("older")).select(mention_key("parent").alias("key"), "number")
        last = (
            pl.concat([made.select("key", "number"), referred.drop_nulls()]).group_by("key").agg(pl.col("number").max())
        )
        ordered = made.join(last.rename({"number": "last"}), on="key", maintain_order="left").sort("last", "number")
        for part in ordered.iter_slices():
            lists = (column.to_list() for column in part)
            for key, narrative, number, touched in zip(*lists, strict=True):
                self._known[key] = Known(touched, narrative if narrative is None else intern(narrative), number)
        belongs = remembered.filter(pl.col("narrative").is_not_null()).sort("number", maintain_order=True)
        for event, narrative, number in belongs.select("event", "narrative", "number").iter_rows():
            led = self._led.setdefault(event, {})
            led.pop(narrative, None)
            led[narrative] = number


def mention_key(name: str) -> pl.Expr:
    """Platform, event and id in one string; null where the id is."""
    return pl.concat_str("platform", "event", name, separator="\0")
