"""What people are told of a race beside its alarm: readings, none of which makes an alert fire."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from monitor.judge.crowd import MILESTONES, Crowd, Signs, by_name, signs, top_share
from monitor.judge.epoch import Levels
from monitor.judge.race import log_e, posterior
from monitor.judge.rates import Neither, Rates, denial_share
from monitor.judge.tally import CLAIM_AUTHORS, CLAIMS, DENIALS, Names, Tally
from monitor.judge.usual import at_least

NO_SIGNS = Signs(few_authors=False, pasted=False, young=False, one_platform=False)


class Reached(NamedTuple):
    """How long either side took to so many posts, in seconds since either was first seen; None if it did not."""

    posts: int
    claims: int | None
    denials: int | None


class RaceReading(NamedTuple):
    """Where a race stands; `posterior` is P(share of claims > p0)."""

    narrative: str
    claims: int
    denials: int
    log_e: float
    threshold: float
    p0: float
    posterior: float
    holds: bool
    ratio: float = 1.0
    """Claims for each denial, half a post added to either."""
    denial_share: float = 0.0
    """Share of denials on both sides, corrected for the tagger's errors (adjusted count)."""
    lag: int | None = None
    """Seconds from the first claim to the first denial; None while no denial was seen."""
    untested: int = 0
    """Claims and denials by accounts younger than a month: counted, but not put to the test."""
    platforms: Mapping[str, tuple[int, int]] = {}
    """Platform → claims and denials since the start, reposts and copies included; …"""
    languages: Mapping[str, tuple[int, int]] = {}
    """… and language."""
    reached: tuple[Reached, ...] = ()
    signs: Signs = NO_SIGNS
    """Of a coordinated burst."""


class Standing(NamedTuple):
    """A race at one tick: counts since its start, what of them is tested, and who is behind them."""

    totals: Sequence[int]
    tested: tuple[int, int]
    p0: float
    needed: float
    threshold: float
    k: int
    crowd: Crowd
    signs: Signs
    denial_share: float


class Needed(NamedTuple):
    """The log E that is needed, and what would be if originals were independent."""

    now: float
    independent: float


def standing(tally: Tally, levels: Levels, needed: Needed, rates: Rates | None, platforms: list[int]) -> Standing:
    """A race as it stands at the one tick of `levels`; `platforms`: the event's claims and denials by platform."""
    lasted = np.array([tally.seen - (tally.start or 0)])
    p0 = at_least(levels.p0[:1], np.array([sum(tally.tested)]), lasted, tally.rate)
    return Standing(
        totals=tally.counts,
        tested=tally.tested,
        p0=float(p0[0]),
        needed=needed.now,
        threshold=needed.independent,
        k=tally.k,
        crowd=tally.crowd,
        signs=signs(tally.crowd, tally.counts[CLAIM_AUTHORS], platforms),
        denial_share=denial_share(rates, Neither(levels.neither.given[0], levels.neither.originals[0]), *tally.tested),
    )


def reading(narrative: str, holds: bool, now: Standing, names: Names) -> RaceReading:  # noqa: FBT001
    """What people are told of it."""
    return RaceReading(
        narrative=narrative,
        claims=now.totals[CLAIMS],
        denials=now.totals[DENIALS],
        log_e=float(log_e(*now.tested, now.p0)),
        threshold=now.needed,
        p0=now.p0,
        posterior=float(posterior(*now.tested, now.p0)),
        holds=holds,
        ratio=ratio(*now.tested),
        denial_share=now.denial_share,
        lag=now.crowd.lag,
        untested=now.totals[CLAIMS] + now.totals[DENIALS] - sum(now.tested),
        platforms=by_name(names.platforms, now.crowd.platforms),
        languages=by_name(names.languages, now.crowd.languages),
        reached=reached(now.crowd),
        signs=now.signs,
    )


def ratio(claims: int, denials: int) -> float:
    """Claims for each denial."""
    return round((claims + 0.5) / (denials + 0.5), 4)


def reached(crowd: Crowd) -> tuple[Reached, ...]:
    """The milestones that either side has reached."""
    first = min((at for at in crowd.first if at is not None), default=0)
    sides = [[at - first for at in side] for side in crowd.reached]
    return tuple(
        Reached(posts, *(side[k] if k < len(side) else None for side in sides))
        for k, posts in enumerate(MILESTONES)
        if any(k < len(side) for side in sides)
    )


def race_numbers(race: Standing) -> dict[str, float]:
    """What a finding rests on: log E of those tested against what is needed, and readings."""
    claims, denials = race.totals[CLAIMS], race.totals[DENIALS]
    numbers = {
        "log_e": round(float(log_e(*race.tested, race.p0)), 4),
        "threshold": round(race.needed, 4),
        "p0": race.p0,
        "posterior": float(posterior(*race.tested, race.p0)),
        "start": float(race.k),
        "dispersion": round(race.needed / race.threshold, 4),
        "untested": float(claims + denials - sum(race.tested)),
        "rate_ratio": ratio(*race.tested),
        "denial_share": race.denial_share,
    }
    if race.crowd.lag is not None:
        numbers["lag_s"] = float(race.crowd.lag)
    for one in reached(race.crowd):
        pairs = ((f"claims_{one.posts}_s", one.claims), (f"denials_{one.posts}_s", one.denials))
        numbers |= {name: float(after) for name, after in pairs if after is not None}
    if race.signs.coordinated:
        numbers |= burst_numbers(race.crowd, race.totals[CLAIM_AUTHORS])
    return numbers


def burst_numbers(crowd: Crowd, authors: int) -> dict[str, float]:
    """Shares of claims that are pasted, by new accounts, of the first platform; and claims of an author."""
    posts = max(crowd.posts, 1)
    return {
        "pasted": round(crowd.copies / posts, 4),
        "new_accounts": round(crowd.young / posts, 4),
        "top_platform": top_share(crowd),
        "posts_per_author": round(crowd.posts / max(authors, 1), 4),
    }
