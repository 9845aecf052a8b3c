"""The alert that `monitor test-alert` sends: every part of a card, and TEST wherever somebody looks first."""

from datetime import datetime, timedelta

from monitor.marks import GapMark, Status
from monitor.records import Alert, AlertState, Evidence

_SAYINGS = (
    ("claim", 40, "TEST: the old bridge is closed"),
    ("denial", 20, "TEST: I stand on the bridge, it is open"),
    ("celebration", 10, "TEST: people are dancing at the bridge"),
)


def example_alert(at: datetime) -> Alert:
    """A made-up firing alert at `at`; equal times give equal alerts."""
    return Alert(
        id=f"test-{at:%Y%m%dT%H%M%S%f}",
        fingerprint="test",
        event="test",
        narrative="test",
        label="TEST, not a real alert: the old bridge is closed",
        proposition="TEST, not a real alert: the old bridge is closed",
        rule="race",
        state=AlertState.FIRING,
        at=at,
        since=at - timedelta(minutes=2),
        reason="test",
        status=Status.UNCONFIRMED,
        claims=12,
        denials=3,
        celebrations=2,
        questions=4,
        authors=11,
        numbers={"log_e": 3.2, "threshold": 2.8},
        evidence=tuple(_piece(at, number) for number in range(len(_SAYINGS))),
        blind=(GapMark(source="test-feed", begins=at - timedelta(minutes=9), ends=at, why="TEST"),),
    )


def _piece(at: datetime, number: int) -> Evidence:
    tag, minutes, text = _SAYINGS[number]
    return Evidence(
        platform="test",
        id=str(number),
        tag=tag,
        posted_at=at - timedelta(minutes=minutes),
        text=text,
        url=f"https://example.org/{number}",
        author=f"test-{number}",
    )
