"""The finding `race` as others see it: a named reason and the numbers behind it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from monitor.judge.race import log_e, posterior
from monitor.judge.tally import CELEBRATIONS, CLAIM_AUTHORS, CLAIMS, DENIAL_AUTHORS, DENIALS, QUESTIONS
from monitor.records import Finding


def race_numbers(totals: Sequence[int], p0: float, needed: float, k: int) -> dict[str, float]:
    """What a finding rests on: totals since the race's start, log E against what is needed, and where p0 stands."""
    claims, denials = totals[CLAIMS], totals[DENIALS]
    return {
        "claims": float(claims),
        "denials": float(denials),
        "celebrations": float(totals[CELEBRATIONS]),
        "questions": float(totals[QUESTIONS]),
        "authors": float(totals[CLAIM_AUTHORS] + totals[DENIAL_AUTHORS]),
        "log_e": round(float(log_e(claims, denials, p0)), 4),
        "threshold": round(needed, 4),
        "p0": p0,
        "posterior": float(posterior(claims, denials, p0)),
        "start": float(k),
    }


def race_finding(
    event: str, narrative: str, at: int, reason: str, numbers: dict[str, float], *, holds: bool
) -> Finding:
    """The finding at a second since 1970."""
    return Finding(
        at=datetime.fromtimestamp(at, UTC),
        event=event,
        narrative=narrative,
        rule="race",
        holds=holds,
        reason=reason,
        numbers=numbers,
    )
