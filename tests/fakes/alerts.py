"""Alerts and notifications as the policy would make them, with any field replaced."""

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.alert.outbox import notifications
from monitor.marks import GapMark, Status
from monitor.records import Alert, AlertState, Evidence, Notification

AT = datetime(2021, 9, 3, 14, 30, tzinfo=UTC)


def a_piece(number: int = 0, **fields: Any) -> Evidence:  # noqa: ANN401  any field of the record
    plain: dict[str, Any] = {
        "platform": "x",
        "id": str(number),
        "tag": "claim",
        "posted_at": AT - timedelta(minutes=60 - number),
        "text": f"the valley has fallen, says source {number}",
        "url": f"https://example.org/{number}",
        "author": f"author-{number}",
    }
    return Evidence(**plain | fields)


def an_alert(**fields: Any) -> Alert:  # noqa: ANN401  any field of the record
    plain: dict[str, Any] = {
        "id": "a1",
        "fingerprint": "f1",
        "event": "fall",
        "narrative": "n1",
        "label": "the valley has fallen",
        "proposition": "The valley has fallen",
        "rule": "race",
        "state": AlertState.FIRING,
        "at": AT,
        "since": AT - timedelta(minutes=2),
        "reason": "claims_outrun_denials",
        "status": Status.UNCONFIRMED,
        "claims": 41,
        "denials": 3,
        "celebrations": 17,
        "questions": 5,
        "authors": 39,
        "numbers": {"log_e": 4.2, "threshold": 3.0, "p0": 0.62},
        "evidence": (a_piece(0), a_piece(1, tag="denial")),
        "blind": (GapMark(source="telegram", begins=AT - timedelta(minutes=29), ends=AT, why="flood wait"),),
    }
    return Alert(**plain | fields)


def a_notification(
    receiver: str = "desk", alert: Alert | None = None, *, lasts: timedelta = timedelta(hours=1)
) -> Notification:
    (made,) = notifications(alert or an_alert(), {receiver: lasts}, AT)
    return made
