"""Who is behind a race: platforms and languages of each side, how soon each grew, and signs of a coordinated burst.

None of it is asked for truth. Accounts younger than a month count on neither side of the test, pasted copies and second
posts of an author never did; so a burst of them cannot win, and it is named (`Signs`) when it is there.
"""

from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.judge.dispersion import Lines

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MILESTONES = (100, 500, 1_500)
"""Posts of one side, reposts and copies included."""
NAMES = 31
"""Platforms and languages of an event that are told apart, the first ones; further ones are …"""
REST = "further"
ENOUGH = 20
"""Claims below which no burst is named."""
FEW_AUTHORS = 4.0
"""Posts of an author from which authors are few."""
PASTED, YOUNG, ONE_PLATFORM = 0.5, 0.5, 0.95
"""Shares of claims from which they are pasted, by new accounts, of one platform."""
ELSEWHERE = 0.5
"""Share of the event's other claims and denials off that platform from which it is told elsewhere."""


def codes(known: list[str], names: pl.Series) -> Ints:
    """The place of each name in `known`, which takes up new ones in the order of the rows; 0 is all further ones."""
    if not known:
        known.append(REST)
    place = {name: number for number, name in enumerate(known)}
    values = names.to_list()
    for name in dict.fromkeys(values):
        if name not in place:
            place[name] = len(known) if len(known) <= NAMES else 0
            if place[name]:
                known.append(name)
    return np.array([place[name] for name in values], np.int64)


class Spoken(NamedTuple):
    """Claims and denials of one narrative, each at an index of ticks (ascending)."""

    at: Ints
    denial: Flags
    counts: Flags
    copy: Flags
    young: Flags
    thread: npt.NDArray[np.uint64]
    platform: Ints
    """By `codes`, …"""
    language: Ints
    """… as this."""

    def part(self, begin: int, end: int) -> Self:
        """The rows at `begin` up to before `end`, counted from `begin`."""
        rows = slice(*np.searchsorted(self.at, [begin, end]).tolist())
        return type(self)(
            self.at[rows] - begin,
            self.denial[rows],
            self.counts[rows],
            self.copy[rows],
            self.young[rows],
            self.thread[rows],
            self.platform[rows],
            self.language[rows],
        )

    @property
    def lines(self) -> Lines:
        """The originals that are put to the test."""
        tested = self.counts & ~self.young
        return Lines(self.at[tested], ~self.denial[tested], self.thread[tested])

    def untested(self, ticks: int) -> Ints:
        """(ticks, 2): claims and denials of TICKS that are by young accounts."""
        young = self.counts & self.young
        sides = [np.bincount(self.at[young & side], minlength=ticks) for side in (~self.denial, self.denial)]
        return np.stack(sides, axis=1).astype(np.int64)


class Crowd(msgspec.Struct, array_like=True):
    """Who spoke since a race's start; what came first and how soon, since the narrative was first seen."""

    platforms: list[int] = msgspec.field(default_factory=list)
    """Claims and denials, reposts and copies included, in turn for each platform of `codes`;"""
    languages: list[int] = msgspec.field(default_factory=list)
    """… and for each language."""
    copies: int = 0
    """Claims that are pasted copies,"""
    young: int = 0
    """… by young accounts,"""
    posts: int = 0
    """… and all."""
    first: list[int | None] = msgspec.field(default_factory=lambda: [None, None])
    """The tick of the first claim and the first denial."""
    total: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    """Claims and denials since then."""
    reached: list[list[int]] = msgspec.field(default_factory=lambda: [[], []])
    """The ticks at which either side reached MILESTONES."""

    def begin(self) -> None:
        """A race starts: who spoke before is not its crowd."""
        self.platforms, self.languages = [], []
        self.copies, self.young, self.posts = 0, 0, 0

    def take_in(self, ticks: Ints, spoken: Spoken) -> None:
        """Counts what ticks added."""
        claim = ~spoken.denial
        self.copies += int((spoken.copy & claim).sum())
        self.young += int((spoken.young & claim).sum())
        self.posts += int(claim.sum())
        for side, inside in enumerate((claim, spoken.denial)):
            at = ticks[spoken.at[inside]]
            if at.size:
                self._reach(side, at)
        self.platforms = grown(self.platforms, 2 * spoken.platform + spoken.denial)
        self.languages = grown(self.languages, 2 * spoken.language + spoken.denial)

    def _reach(self, side: int, at: Ints) -> None:
        """One side's posts at these ticks (ascending)."""
        first, before = self.first[side], self.total[side]
        self.first[side] = int(at[0]) if first is None else first
        due = [number for number in MILESTONES if before < number <= before + at.size]
        self.reached[side] += [int(at[number - before - 1]) for number in due]
        self.total[side] = before + int(at.size)

    @property
    def lag(self) -> int | None:
        """Seconds from the first claim to the first denial, below 0 if that came before; None where one is missing."""
        claim, denial = self.first
        return None if claim is None or denial is None else denial - claim


def grown(counts: list[int], places: Ints) -> list[int]:
    """Counts, one more at each of `places`."""
    total: Ints = np.bincount(places, minlength=len(counts)).astype(np.int64)
    total[: len(counts)] += np.array(counts, np.int64)
    return list(total.tolist())


class Signs(NamedTuple):
    """What a coordinated burst looks like; which of it is there."""

    few_authors: bool
    pasted: bool
    young: bool
    one_platform: bool

    @property
    def coordinated(self) -> bool:
        """Two signs: one alone may be chance, or a platform's habit."""
        return sum(self) >= 2  # noqa: PLR2004


def signs(crowd: Crowd, authors: int, event: list[int]) -> Signs:
    """The signs in a crowd; `authors` who claim, `event`: claims and denials of the event by platform."""
    if crowd.posts < ENOUGH:
        return Signs(few_authors=False, pasted=False, young=False, one_platform=False)
    sides = np.array(crowd.platforms, np.int64)[None]
    return Signs(
        few_authors=crowd.posts >= FEW_AUTHORS * max(authors, 1),
        pasted=crowd.copies >= PASTED * crowd.posts,
        young=crowd.young >= YOUNG * crowd.posts,
        one_platform=bool(one_platform(sides, np.array(event, np.int64)[None])[0]),
    )


def one_platform(sides: Ints, event: Ints) -> Flags:
    """Whether claims come from one platform although most of the event's other claims and denials do not.

    `sides`: (n, 2 · platforms) claims and denials of the narrative in turn, `event`: (n, platforms) those of the event.
    """
    width = max(sides.shape[1] // 2, event.shape[1])
    claims, denials = (np.pad(sides[:, k::2], ((0, 0), (0, width - sides[:, k::2].shape[1]))) for k in (0, 1))
    rest = np.maximum(np.pad(event, ((0, 0), (0, width - event.shape[1]))) - claims - denials, 0)
    first = claims.argmax(axis=1)[:, None]
    most, there = (np.take_along_axis(part, first, axis=1)[:, 0] for part in (claims, rest))
    total = rest.sum(axis=1)
    alone = most >= ONE_PLATFORM * np.maximum(claims.sum(axis=1), 1)
    found: Flags = alone & (total >= ENOUGH) & (total - there >= ELSEWHERE * total)
    return found


def top_share(crowd: Crowd) -> float:
    """The share of claims that the platform with most of them has."""
    return round(max(crowd.platforms[::2], default=0) / max(crowd.posts, 1), 4)


def by_name(known: list[str], counts: list[int]) -> dict[str, tuple[int, int]]:
    """Name → claims and denials, where there are any."""
    pairs = zip(known, counts[::2], [*counts[1::2], 0], strict=False)
    return {name: (claims, denials) for name, claims, denials in pairs if claims or denials}
