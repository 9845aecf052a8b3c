"""What the store and the desk know, in the shapes that the API answers."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import polars as pl
import xxhash

from monitor.judge.readings import RaceReading
from monitor.marks import Silence, Status, StatusMark
from monitor.records import NarrativeState
from monitor.store.lookups import NarrativeCount
from monitor.web import bodies


def by_narrative(counts: Iterable[NarrativeCount]) -> dict[str, list[NarrativeCount]]:
    """Narrative → its counts, one per tag."""
    tallied: dict[str, list[NarrativeCount]] = {}
    for one in counts:
        tallied.setdefault(one.narrative, []).append(one)
    return tallied


def narrative_row(
    name: str,
    counts: Sequence[NarrativeCount],
    label: str,
    status: StatusMark | None,
    race: RaceReading | None,
    *,
    state: NarrativeState | None = None,
) -> bodies.NarrativeRow:
    """A narrative's row from its counts per tag; it is unconfirmed until somebody says otherwise."""
    per_tag = Counter[str]()
    for one in counts:
        per_tag[one.tag] += one.mentions
    return bodies.NarrativeRow(
        id=name,
        label=label,
        status=status.status if status else Status.UNCONFIRMED,
        by=status.by if status else "",
        first_seen=min(one.first_seen for one in counts),
        last_seen=max(one.last_seen for one in counts),
        claims=per_tag["claim"],
        denials=per_tag["denial"],
        celebrations=per_tag["celebration"],
        questions=per_tag["question"],
        others=per_tag["other"],
        race=race_row(race) if race else None,
        state=state,
    )


def race_row(reading: RaceReading) -> bodies.RaceRow:
    """A race's row; evidence beyond all numbers is null."""
    return bodies.RaceRow(
        claims=reading.claims,
        denials=reading.denials,
        untested=reading.untested,
        log_e=reading.log_e if math.isfinite(reading.log_e) else None,
        threshold=reading.threshold,
        p0=reading.p0,
        posterior=reading.posterior,
        ratio=reading.ratio,
        denial_share=reading.denial_share,
        lag_s=reading.lag,
        holds=reading.holds,
        platforms=_sides(reading.platforms),
        languages=_sides(reading.languages),
        reached=tuple(
            bodies.ReachedRow(posts=one.posts, claims_s=one.claims, denials_s=one.denials) for one in reading.reached
        ),
        coordinated=reading.signs.coordinated,
        signs=tuple(name for name, there in reading.signs._asdict().items() if there),
    )


def _sides(counts: Mapping[str, tuple[int, int]]) -> tuple[bodies.SidesRow, ...]:
    """Those with most posts first."""
    order = sorted(counts.items(), key=lambda one: (-sum(one[1]), one[0]))
    return tuple(bodies.SidesRow(name=name, claims=claims, denials=denials) for name, (claims, denials) in order)


def silence_id(asked: bodies.SilenceAsked, begins: datetime) -> str:
    """A silence's id: a hash of what it covers, whose it is and when it begins."""
    parts = (asked.event, asked.narrative, asked.rule, asked.owner, asked.comment, begins.isoformat())
    return xxhash.xxh3_64_hexdigest("\0".join(parts).encode())


def is_asked(silence: Silence, asked: bodies.SilenceAsked) -> bool:
    """Whether a silence is one of the same alerts, by the same person for the same reason."""
    same = ("event", "narrative", "rule", "owner", "comment")
    return all(getattr(silence, name) == getattr(asked, name) for name in same)


def ended(silence: Silence, now: datetime) -> Silence:
    """The silence, ended now."""
    return msgspec.structs.replace(silence, begins_at=min(silence.begins_at, now), expires_at=now, at=now)


def with_numbers(remembered: pl.DataFrame, made: int) -> pl.DataFrame:
    """With the number of each mention: the last one is number `made`, older ones have 0."""
    first = made - remembered.select((~pl.col("older")).sum()).item()
    number = pl.when(pl.col("older")).then(0).otherwise((~pl.col("older")).cum_sum().cast(pl.Int64) + first)
    return remembered.with_columns(number.cast(pl.Int64).alias("number"))
