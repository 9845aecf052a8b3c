"""Alerts as the last step of each, and how a deleted mention leaves them and their notifications."""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, func, insert, select, update

from monitor.records import Alert, AlertState, Answer, Because, Evidence, Quoted
from monitor.store.archive import key_of
from monitor.store.dialect import insert_new, insert_or_replace
from monitor.store.schema import alerts, answers, evidence, mentions, outbox

T = TypeVar("T", int, str)
_CLAIM = "claim"
_LABEL = 300
"""Characters of a label at most."""
_AT_ONCE = 500  # parameters of one statement; every database takes as many
_REWRITE_ALERT = update(alerts).where(alerts.c.id == bindparam("of")).values(json=bindparam("json"))
_REWRITE_BODY = update(outbox).where(outbox.c.number == bindparam("of")).values(body=bindparam("body"))


def alert_to_json(alert: Alert) -> str:
    """JSON text; a number that is not finite becomes the largest there is, or is left out if it is none."""
    fired = alert.fired and Because(alert.fired.reason, _bounded(alert.fired.numbers))
    return msgspec.json.encode(msgspec.structs.replace(alert, numbers=_bounded(alert.numbers), fired=fired)).decode()


def _bounded(numbers: dict[str, float]) -> dict[str, float]:
    largest = sys.float_info.max
    return {name: max(-largest, min(largest, value)) for name, value in numbers.items() if not math.isnan(value)}


def alert_from_json(text: str) -> Alert:
    """Back from JSON text."""
    return msgspec.json.decode(text, type=Alert)


def put(connection: Connection, steps: Sequence[Alert]) -> None:
    """Keeps the last step of each alert."""
    if not steps:
        return
    rows = [
        {"id": a.id, "fingerprint": a.fingerprint, "state": a.state.value, "json": alert_to_json(a), "updated_at": a.at}
        for a in steps
    ]
    replaced = ("fingerprint", "state", "json", "updated_at")
    connection.execute(insert_or_replace(connection.dialect, alerts, ["id"], replaced), rows)


def read(connection: Connection, state: AlertState | None) -> list[Alert]:
    """Alerts in the order in which they began, in `state` or in all."""
    found = select(alerts.c.json).order_by(alerts.c.number)
    if state is not None:
        found = found.where(alerts.c.state == state.value)
    return [alert_from_json(text) for text in connection.execute(found).scalars()]


def newest(connection: Connection, state: AlertState | None, limit: int) -> list[Alert]:
    """The `limit` alerts that began last, in the order in which they began; in `state` or in all."""
    found = select(alerts.c.json).order_by(alerts.c.number.desc()).limit(limit)
    if state is not None:
        found = found.where(alerts.c.state == state.value)
    return [alert_from_json(text) for text in connection.execute(found).scalars()][::-1]


def known(connection: Connection, alert: str) -> bool:
    """Whether there is an alert of this id."""
    return connection.execute(select(alerts.c.number).where(alerts.c.id == alert)).first() is not None


def one(connection: Connection, alert: str) -> Alert | None:
    """The last step of the alert of this id."""
    text = connection.execute(select(alerts.c.json).where(alerts.c.id == alert)).scalar()
    return None if text is None else alert_from_json(text)


def in_force(connection: Connection, alert: str) -> str | None:
    """The id of this alert, or of one that shares its card, if it fires; None if none does."""
    text = connection.execute(select(alerts.c.json).where(alerts.c.id == alert)).scalar()
    if text is None:
        return None
    asked = alert_from_json(text)
    fires = [one for state in (AlertState.FIRING, AlertState.ACKNOWLEDGED) for one in read(connection, state)]
    mine = [one.id for one in fires if one.id == alert or (asked.group and one.group == asked.group)]
    return alert if alert in mine else next(iter(mine), None)


def put_answer(connection: Connection, answer: Answer) -> None:
    """Keeps what somebody said of an alert."""
    connection.execute(insert(answers).values(msgspec.structs.asdict(answer)))


def read_answers(connection: Connection, newest: int | None = None) -> list[Answer]:
    """The last answer about each alert, in the order in which they were given: all, or the newest."""
    last = select(func.max(answers.c.number)).group_by(answers.c.alert)
    found = select(answers).where(answers.c.number.in_(last)).order_by(answers.c.number.desc()).limit(newest)
    return [
        Answer(at=row.at, alert=row.alert, useful=row.useful, by=row.by, comment=row.comment)
        for row in connection.execute(found).all()[::-1]
    ]


def note_evidence(connection: Connection, shown: Iterable[Alert]) -> list[int]:
    """Remembers which mentions these alerts show; answers the keys of those that are deleted already."""
    pairs = {(key, alert.id) for alert in shown for key in (*_keys(alert), *key_of_label(alert))}
    if not pairs:
        return []
    rows = [{"mention": key, "alert_id": alert_id} for key, alert_id in sorted(pairs)]
    connection.execute(insert_new(connection.dialect, evidence, ["mention", "alert_id"]), rows)
    gone = select(mentions.c.key).where(mentions.c.deleted.is_(True))
    keys = sorted({key for key, _ in pairs})
    return [
        key for some in portions(keys) for key in connection.execute(gone.where(mentions.c.key.in_(some))).scalars()
    ]


def showing(connection: Connection, gone: AbstractSet[int]) -> list[str]:
    """The ids of alerts that ever showed one of these mentions."""
    shown = select(evidence.c.alert_id)
    return sorted(
        {
            alert_id
            for some in portions(sorted(set(gone)))
            for alert_id in connection.execute(shown.where(evidence.c.mention.in_(some))).scalars()
        }
    )


def erase(connection: Connection, touched: Sequence[str], gone: AbstractSet[int]) -> None:
    """Takes text, author and link of deleted mentions out of these alerts and their notifications."""
    for some in portions(touched):
        cards = connection.execute(select(alerts.c.id, alerts.c.json).where(alerts.c.id.in_(some))).all()
        bodies = connection.execute(select(outbox.c.number, outbox.c.body).where(outbox.c.alert_id.in_(some))).all()
        if cards:
            connection.execute(_REWRITE_ALERT, [{"of": of, "json": without(text, gone)} for of, text in cards])
        if bodies:
            connection.execute(_REWRITE_BODY, [{"of": of, "body": without(text, gone)} for of, text in bodies])


def without(text: str, gone: AbstractSet[int]) -> str:
    """An alert as JSON, without text, author and link of deleted mentions; of each stays that it was there."""
    return alert_to_json(left_of(alert_from_json(text), gone))


def left_of(alert: Alert, gone: AbstractSet[int]) -> Alert:
    """An alert without deleted mentions: where its label quotes one, it quotes the first claim it still shows, if any.

    An alert of an earlier version does not know whom it quotes: there, one that begins like a post that went does.
    """
    kept = tuple(
        msgspec.structs.replace(each, text="", author=None, url=None, cues=None, payload_sha256=None, voice=None)
        if key in gone
        else each
        for key, each in zip(_keys(alert), alert.evidence, strict=True)
    )
    left = msgspec.structs.replace(alert, evidence=kept)
    said = [" ".join(before.text.split()) for before, after in zip(alert.evidence, kept, strict=True) if not after.text]
    unknown = alert.label_of is None and alert.label and alert.label != alert.proposition
    spoken = unknown and any(text.startswith(alert.label) for text in said if text)
    if not spoken and gone.isdisjoint(key_of_label(alert)):
        return left
    other = next((one for one in kept if one.tag == _CLAIM and one.text.strip()), None)
    return msgspec.structs.replace(
        left,
        label=" ".join(other.text.split())[:_LABEL] if other is not None else "",
        label_of=Quoted(platform=other.platform, id=other.id) if other is not None else None,
    )


def shown_by(alert: Alert) -> set[int]:
    """The archive's keys of the mentions of which an alert shows a text."""
    posts = {key for key, each in zip(_keys(alert), alert.evidence, strict=True) if each.text}
    return posts | set(key_of_label(alert) if alert.label else ())


def key_of_label(alert: Alert) -> list[int]:
    """The archive's key of the mention that the alert's label quotes; none where it quotes none."""
    return [] if alert.label_of is None else [key_of(alert.label_of.platform, alert.label_of.id, alert.event)]


def _keys(alert: Alert) -> list[int]:
    return [key_of_evidence(each, alert.event) for each in alert.evidence]


def key_of_evidence(shown: Evidence, event: str) -> int:
    """The archive's key of the mention that is shown."""
    return key_of(shown.platform, shown.id, event)


def portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """In parts that one statement takes."""
    for begin in range(0, len(values), _AT_ONCE):
        yield values[begin : begin + _AT_ONCE]
