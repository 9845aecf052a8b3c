"""Which live narrative of an event a text is nearest to; one pass, bounded memory.

A narrative is the share of its originals that hold each slot (at most 96 of them). Similarity is the cosine with those
shares under inverse document frequencies learned from the event's originals (Jones 1972), begun with the words of
ordinary posts; numbers weigh more. A narrative that others spoke of since is less near, one with many originals a
little nearer, and one that states another number much less: "11 dead" is not "12 dead".
"""

import math
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.cluster.asserted import SLOTS, WORD_SLOTS, Floats, Ints, Said, ordinary_shares
from monitor.cluster.live import Live, Saved

MOST: Final = 500
"""Live narratives of an event; the one that was joined longest ago makes room."""
_FEATURES, _KEPT = 96, 64
"""Slots of a narrative beyond which only the most frequent stay, and how many those are."""
_PRIOR: Final = 30.0
"""Ordinary posts that the frequencies begin with."""
REPEATS: Final = 0.9
"""Cosine from which on a text repeats a narrative, whenever others spoke of it last."""
_LEAST_WEIGHT: Final = 0.02
_NUMBER_WEIGHT: Final = 1.5
_OTHER_NUMBER: Final = 0.12
_STATED, _UNSTATED = 0.4, 0.2
"""Share of originals from which on a narrative states a number, and below which it does not."""
_OWN: Final = 0.5
"""Share of originals from which on a slot is what a narrative says."""
_CUT, _COMMON = 3, 4
"""A text is cut from another that lacks so many of its slots at most, and shares so many at least."""
_FADES: Final = 100.0
"""Originals of the event over which nearness falls to 1/e,"""
_FADED: Final = 0.4
"""… but not below this."""
_CROWD, _CROWD_POWER = 50, 0.05
_MOST_BONUS: Final = _CROWD**_CROWD_POWER
_ROUNDED: Final = 1e-4
_HALVED_AT: Final = 1 << 16
_FREQUENCIES: Final = "words"


class Near(NamedTuple):
    """A live narrative and how near it is, 0 to about 1.5."""

    narrative: str
    score: float
    repeats: bool
    """The text asserts nothing that originals of the narrative do not, and nearly all that they do."""


class _Frequencies(msgspec.Struct, array_like=True):
    originals: int
    total: float
    held: bytes


class Similar:
    """The live narratives of one event."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ordinary = ordinary_shares() * _PRIOR
        self._heavier = np.where(np.arange(SLOTS) < WORD_SLOTS, 1.0, _NUMBER_WEIGHT)
        self._originals = 0
        self._total = 0.0
        self._held = np.zeros(SLOTS)
        """Originals that hold each slot,"""
        self._shares: npt.NDArray[np.float32] = np.zeros((SLOTS, 0), np.float32)
        """(SLOTS, capacity): per live narrative the share of its originals that hold a slot."""
        self._known = np.zeros((6, 0))
        """(6, capacity): norm, last, bonus of size, share of the most frequent number, long, slots that half hold."""
        self._live: dict[str, Live] = {}
        self._names: list[str] = []
        """By column."""
        self._filled: list[Ints] = []
        """Per column of `_shares` its slots that are not 0."""
        self._changed: set[str] = set()

    def __contains__(self, narrative: str) -> bool:
        """Whether it is live."""
        return narrative in self._live

    def learn(self, said: Said) -> None:
        """Takes note of an original's words, before it is compared."""
        self._originals += 1
        self._total += 1
        self._held[said.slots] += 1
        if self._total >= _HALVED_AT:
            self._total, self._held = self._total / 2, np.floor(self._held / 2)
        self._changed.add(_FREQUENCIES)

    def nearest(self, said: Said, *, at_least: float = 0.0, long: bool = True) -> Near | None:
        """The nearest live narrative; None where no one shares a word, or none is as near as `at_least`.

        Two texts that are not `long` are never near; of a long one and another, one must repeat the other or be cut
        from it.
        """
        live = len(self._names)
        if not live or not said.slots.size:
            return None
        squared = self._weights(said.slots) ** 2
        shares = self._shares.take(said.slots, axis=0)[:, :live]
        norm, last, bonus, number, has_long, own = self._known[:, :live]
        alike = (squared @ shares) / np.maximum(norm * math.sqrt(squared.sum()), 1e-9)
        if alike.max() * _MOST_BONUS + _ROUNDED < at_least:
            return None
        stated = said.slots >= WORD_SLOTS
        if stated.any():
            mine = shares[stated].max(axis=0)
            alike[(number >= _STATED) & (mine < _UNSTATED)] *= _OTHER_NUMBER
        alike = alike.round(4)
        cut = np.zeros(live, np.bool_)
        if not (long and has_long.all()):
            apart = has_long != long
            cut = apart & _cut(shares, own)
            alike[(apart & (alike < REPEATS)) | ((has_long == 0) & (not long))] = 0
            alike[cut] = np.maximum(alike[cut], REPEATS)
        score = (alike * bonus * np.maximum(np.exp((last - self._originals) / _FADES), _FADED)).round(4)
        best = int((alike if alike.max() >= REPEATS else score).argmax())
        repeats = bool(alike[best] >= REPEATS and ((shares[:, best] > 0).all() or cut[best]))
        near = max(float(score[best]), float(alike[best]) if alike[best] >= REPEATS else 0.0)
        return Near(self._names[best], near, repeats) if near > 0 and near >= at_least else None

    def central(self, narrative: str, said: Said) -> float:
        """How near a text is to a live narrative by words alone, whenever it was spoken of."""
        one = self._live[narrative]
        squared = self._weights(said.slots) ** 2
        length = one.norm * float(np.sqrt(squared.sum()))
        return round(float((self._shares[said.slots, one.column] * squared).sum()) / length, 4) if length else 0.0

    def begin(self, narrative: str, lasting: frozenset[str] = frozenset()) -> str | None:
        """Makes room for a narrative without originals; gives the one that had to go. Those in `lasting` stay."""
        gone = None
        if len(self._names) < self._most:
            column = len(self._names)
            self._names.append(narrative)
            if column >= self._shares.shape[1]:
                self._grow(max(16, 2 * column))
        else:
            last = self._known[1, : len(self._names)].copy()
            last[[self._live[name].column for name in lasting if name in self._live]] = np.inf
            column = int(last.argmin())
            gone = self._names[column]
            del self._live[gone]
            self._names[column] = narrative
            self._changed.add(gone)
        self._live[narrative] = Live(column, 0, self._originals, {}, 0.0, 0.0)
        self._fill(self._live[narrative])
        self._changed.add(narrative)
        return gone

    def join(self, narrative: str, said: Said, *, times: int = 1, long: bool = True) -> None:
        """An original joined, `long` enough for others to be near it or not; `times` −1 takes it out again."""
        one = self._live[narrative]
        one.long |= long
        counts = one.counts
        for slot in said.slots.tolist():
            counts[slot] = counts.get(slot, 0) + times
        if times < 0:
            counts = {slot: count for slot, count in counts.items() if count > 0}
        if len(counts) > _FEATURES:
            counts = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_KEPT])
        one.counts = counts
        one.originals = max(one.originals + times, 1)
        one.last = self._originals
        slots, share = one.shares()
        one.norm = math.sqrt(((share * self._weights(slots)) ** 2).sum())
        one.number = float(share[slots >= WORD_SLOTS].max(initial=0.0))
        self._fill(one)
        self._changed.add(narrative)

    def fold(self, narrative: str, into: str) -> None:
        """All originals of one live narrative join another; the first is live no more."""
        source = self._live[narrative]
        target = self._live[into]
        for slot, count in source.counts.items():
            target.counts[slot] = target.counts.get(slot, 0) + count
        target.originals += source.originals
        self.join(into, Said(np.zeros(0, np.int64), 0), times=0, long=source.long)
        self.drop(narrative)

    def drop(self, narrative: str) -> None:
        """A narrative is live no more; the last one takes its column."""
        gone = self._live.pop(narrative)
        last = self._names.pop()
        if last != narrative:
            moved = self._live[last]
            moved.column, self._names[gone.column] = gone.column, last
            self._fill(moved)
            self._changed.add(last)
        self._changed.add(narrative)

    def alike(self, at_least: float) -> list[tuple[str, str, float]]:
        """Pairs of live narratives as near as that by their words, the nearest first."""
        live = len(self._names)
        vectors = self._shares[:, :live] * self._weights(np.arange(SLOTS))[:, None]
        vectors /= np.maximum(np.sqrt((vectors**2).sum(axis=0)), 1e-9)
        cosine = np.triu(np.round(vectors.T @ vectors, 4), 1)
        pairs = np.argwhere(cosine >= at_least).tolist()
        found: list[tuple[str, str, float]] = []
        for left, right in pairs:
            one, two = sorted((self._names[left], self._names[right]))
            found.append((one, two, float(cosine[left, right])))
        return sorted(found, key=lambda pair: (-pair[2], pair[0], pair[1]))

    def snapshot(self) -> dict[str, bytes]:
        """Rows that changed since the last call; an empty one is to be deleted."""
        rows: dict[str, bytes] = {}
        for name in sorted(self._changed):
            if name == _FREQUENCIES:
                held = zlib.compress(self._held.astype("<u4").tobytes(), 1)
                rows[name] = msgspec.msgpack.encode(_Frequencies(self._originals, self._total, held))
            else:
                rows[name] = msgspec.msgpack.encode(self._live[name].saved()) if name in self._live else b""
        self._changed.clear()
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the one that gave these rows left off."""
        if rows.get(_FREQUENCIES):
            told = msgspec.msgpack.decode(rows[_FREQUENCIES], type=_Frequencies)
            self._originals, self._total = told.originals, told.total
            self._held = np.frombuffer(zlib.decompress(told.held), "<u4").astype(np.float64)
        saved = {
            name: msgspec.msgpack.decode(row, type=Saved) for name, row in rows.items() if row and name != _FREQUENCIES
        }
        self._live = {name: one.live() for name, one in sorted(saved.items(), key=lambda pair: pair[1].column)}
        self._names = list(self._live)
        self._grow(len(self._names))
        for one in self._live.values():
            self._fill(one)

    def names(self) -> list[str]:
        """The live narratives."""
        return list(self._names)

    def _weights(self, slots: Ints) -> Floats:
        held = self._held.take(slots) + self._ordinary.take(slots) + 0.5
        weight = np.maximum(np.log((self._total + _PRIOR + 1.0) / held), _LEAST_WEIGHT)
        return np.asarray(weight * self._heavier.take(slots), np.float64)

    def _grow(self, capacity: int) -> None:
        added = capacity - self._shares.shape[1]
        more = ((0, 0), (0, added))
        self._shares, self._known = np.pad(self._shares, more), np.pad(self._known, more)
        self._filled += [_NO_SLOTS] * added

    def _fill(self, one: Live) -> None:
        crowd = min(max(one.originals, 1), _CROWD) ** _CROWD_POWER
        slots, share = one.shares()
        known = one.norm, one.last, crowd, one.number, one.long, int((share >= _OWN).sum())
        self._known[:, one.column] = known
        self._shares[self._filled[one.column], one.column] = 0
        self._shares[slots, one.column] = share
        self._filled[one.column] = slots


_NO_SLOTS: Ints = np.zeros(0, np.int64)


def _cut(shares: npt.NDArray[np.float32], own: Floats) -> npt.NDArray[np.bool_]:
    """Where a text is cut from what a narrative says, or that from it: one says all the other does, and little more.

    `shares`: (the text's slots, narratives); `own`: the slots that half of a narrative's originals hold.
    """
    held = (shares >= _OWN).sum(axis=0)
    fewer, more = np.minimum(own, len(shares)), np.maximum(own, len(shares))
    cut: npt.NDArray[np.bool_] = (held == fewer) & (more - fewer <= _CUT) & (held >= _COMMON)
    return cut
