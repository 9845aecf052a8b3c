"""Which posts speak of which event, by which term.

A post matches an event if one of its `any` terms stands in it, or one of its people and one of its places; and every
`all` term and no `none` term; and its event time lies in the event's.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.frames import TIME, Schema
from monitor.match.patterns import Role, patterns, takes_every, wishes
from monitor.match.search import Ints, Search
from monitor.watched import Event

HITS: Schema = {"row": pl.UInt32, "event": pl.String, "term": pl.String}
"""Index into the posts; event and the event's own spelling that stands first (`*` where the event takes every post)."""

_ANY_FIRST, _BEGIN_FIRST = 1 << 60, 1 << 24
"""Weights that put role, place in the batch and wish into one number to take the least of."""
_ALWAYS = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class Matcher:
    """The terms of all events, compiled into one automaton. Raises ValueError with a line per unusable term."""

    def __init__(self, events: Sequence[Event]) -> None:
        wished = wishes(events)
        found = patterns(events, wished)
        self._search = Search(list(found))
        self._wishes = np.array(list(chain.from_iterable(found.values())), dtype=np.int64)
        self._wishes_end = np.cumsum([len(each) for each in found.values()], dtype=np.int64)
        self._event = np.array([wish.event for wish in wished], dtype=np.int64)
        self._role = np.array([wish.role for wish in wished], dtype=np.int64)
        self._every = np.array(
            [number for number, wish in enumerate(wished) if takes_every(events[wish.event], wish)], dtype=np.int64
        )
        self._wanted = np.array([len(set(event.all)) for event in events], dtype=np.int64)
        self._bounds = np.array([_bounds(event) for event in events], dtype=np.int64).reshape(-1, 2)
        self._names = pl.Series([event.name for event in events], dtype=pl.String)
        self._terms = pl.Series([wish.term for wish in wished], dtype=pl.String)

    def find(self, posts: pl.DataFrame) -> pl.DataFrame:
        """HITS of a POSTS frame, one per post and event, by row and then in the events' order; creates and updates."""
        rows = posts["op"].is_in(["create", "update"]).arg_true()
        texts = posts["text"] if rows.len() == posts.height else posts["text"].gather(rows)
        row, wish, begin = self._fulfilled(texts.fill_null(""), rows.to_numpy().astype(np.int64))
        if not row.size:
            return pl.DataFrame(schema=HITS)
        row, event, first = self._matched(row, wish, begin)
        in_time = self._in_time(posts, row, event)
        return pl.DataFrame(
            [
                pl.Series("row", row[in_time], dtype=pl.UInt32),
                self._names.gather(event[in_time]).alias("event"),
                self._terms.gather(first[in_time]).alias("term"),
            ]
        )

    def _fulfilled(self, texts: pl.Series, rows: Ints) -> tuple[Ints, Ints, Ints]:
        """Row, wish and place in the batch of every hit; one entry per wish that it fulfils."""
        hits = self._search.find(texts)
        counts = np.diff(self._wishes_end, prepend=0)[hits.pattern]
        ends = np.cumsum(counts)
        within = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
        wish = self._wishes[np.repeat(self._wishes_end[hits.pattern] - counts, counts) + within]
        row, begin = rows[np.repeat(hits.row, counts)], np.repeat(hits.begin, counts)
        if self._every.size:
            row = np.concatenate((row, np.tile(rows, self._every.size)))
            wish = np.concatenate((wish, np.repeat(self._every, rows.size)))
            begin = np.concatenate((begin, np.zeros(rows.size * self._every.size, dtype=np.int64)))
        return row, wish, begin

    def _matched(self, row: Ints, wish: Ints, begin: Ints) -> tuple[Ints, Ints, Ints]:
        """Row, event and first wish of every match, by row and event."""
        role, event = self._role[wish], self._event[wish]
        keys, key = np.unique(row * self._names.len() + event, return_inverse=True)

        def named(wanted: Role) -> npt.NDArray[np.bool_]:
            return np.bincount(key[role == wanted], minlength=keys.size) > 0

        first = np.full(keys.size, _ALWAYS[1])
        said = role != Role.NONE
        rank = (role != Role.ANY) * _ANY_FIRST + begin * _BEGIN_FIRST + wish
        np.minimum.at(first, key[said], rank[said])
        matched = (named(Role.ANY) | (named(Role.PERSON) & named(Role.PLACE))) & ~named(Role.NONE)
        row, event = np.divmod(keys, self._names.len())
        if self._wanted.any():
            pairs = np.unique((key * self._role.size + wish)[role == Role.ALL])
            matched &= np.bincount(pairs // self._role.size, minlength=keys.size) == self._wanted[event]
        return row[matched], event[matched], first[matched] % _BEGIN_FIRST

    def _in_time(self, posts: pl.DataFrame, row: Ints, event: Ints) -> npt.NDArray[np.bool_]:
        """Whether each match's event time lies in its event's."""
        if (self._bounds == _ALWAYS).all():
            return np.ones(row.size, dtype=np.bool_)
        times = posts.select(pl.min_horizontal("posted_at", "seen_at").cast(pl.Int64)).to_series().to_numpy()[row]
        starts, ends = self._bounds[event].T
        lies: npt.NDArray[np.bool_] = (starts <= times) & (times < ends)
        return lies


def _bounds(event: Event) -> tuple[int, int]:
    """Begin and end of the event in microseconds since 1970."""
    begins, ends = pl.Series([event.starts_at, event.ends_at], dtype=TIME).cast(pl.Int64).to_list()
    return _ALWAYS[0] if begins is None else begins, _ALWAYS[1] if ends is None else ends
