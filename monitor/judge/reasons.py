"""The finding `race` as others see it: a named reason and the numbers behind it."""

from datetime import UTC, datetime

from monitor.judge.readings import Standing, race_numbers
from monitor.judge.tally import CELEBRATIONS, CLAIM_AUTHORS, CLAIMS, DENIAL_AUTHORS, DENIALS, QUESTIONS
from monitor.records import Finding


def reason_of(race: Standing, *, denied: bool) -> str:
    """Why the claim is ahead: a coordinated burst is named first, then that nobody has ever `denied` it."""
    if race.signs.coordinated:
        return "coordinated"
    return "claims_outrun_denials" if denied else "no_denial_seen_yet"


def race_finding(event: str, narrative: str, at: int, reason: str, race: Standing, *, holds: bool) -> Finding:
    """The finding at a second since 1970."""
    totals = race.totals
    counts = {
        "claims": float(totals[CLAIMS]),
        "denials": float(totals[DENIALS]),
        "celebrations": float(totals[CELEBRATIONS]),
        "questions": float(totals[QUESTIONS]),
        "authors": float(totals[CLAIM_AUTHORS] + totals[DENIAL_AUTHORS]),
    }
    return Finding(
        at=datetime.fromtimestamp(at, UTC),
        event=event,
        narrative=narrative,
        rule="race",
        holds=holds,
        reason=reason,
        numbers=counts | race_numbers(race),
    )
