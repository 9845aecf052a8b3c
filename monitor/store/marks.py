"""Marks of the stream – statuses, gaps, silences, corrections – and answers to requests, as rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, insert, or_, select, update

from monitor.arrivals import Answered, Request, Settled
from monitor.records import Correction, GapMark, Silence, Status, StatusMark
from monitor.store.dialect import insert_new, insert_or_replace
from monitor.store.schema import answered, corrections, gaps, silences, statuses

REQUESTS_KEPT = timedelta(days=1)
"""A request that comes again later than this is a new one."""


def put_gaps(connection: Connection, marks: Sequence[GapMark]) -> None:
    """Keeps gaps; one that goes on from the last of its source, for the same reason, makes that one longer."""
    for gap in marks:
        same = (gaps.c.source == gap.source, gaps.c.why == gap.why, gaps.c.ends == gap.begins)
        longer = update(gaps).where(*same).values(ends=gap.ends)
        if not connection.execute(longer).rowcount:
            values = {"source": gap.source, "begins": gap.begins, "ends": gap.ends, "why": gap.why}
            connection.execute(insert(gaps).values(values))


def read_gaps(connection: Connection) -> list[GapMark]:
    """Every gap, in the order of the stream."""
    rows = connection.execute(select(gaps).order_by(gaps.c.number)).all()
    return [GapMark(source=row.source, begins=row.begins, ends=row.ends, why=row.why) for row in rows]


def put_statuses(connection: Connection, marks: Sequence[StatusMark]) -> None:
    """Keeps statuses."""
    for mark in marks:
        values = {"at": mark.at, "event": mark.event, "narrative": mark.narrative, "status": mark.status.value}
        connection.execute(insert(statuses).values(values | {"by": mark.by, "evidence": mark.evidence}))


def read_statuses(connection: Connection) -> list[StatusMark]:
    """Every status that was set, in the order of the stream."""
    rows = connection.execute(select(statuses).order_by(statuses.c.number)).all()
    return [
        StatusMark(
            at=row.at,
            event=row.event,
            narrative=row.narrative,
            status=Status(row.status),
            by=row.by,
            evidence=row.evidence,
        )
        for row in rows
    ]


def put_silences(connection: Connection, marks: Sequence[Silence]) -> None:
    """Keeps silences, the last of each id."""
    if marks:
        rows = [
            {"id": one.id, "json": msgspec.json.encode(one).decode(), "expires_at": one.expires_at} for one in marks
        ]
        connection.execute(insert_or_replace(connection.dialect, silences, ["id"], ["json", "expires_at"]), rows)


def read_silences(connection: Connection, after: datetime) -> list[Silence]:
    """Silences that expire after a time, oldest first."""
    found = select(silences.c.json).where(silences.c.expires_at > after).order_by(silences.c.number)
    return [msgspec.json.decode(text, type=Silence) for text in connection.execute(found).scalars()]


def put_corrections(connection: Connection, marks: Sequence[Correction]) -> None:
    """Keeps corrections, every one."""
    if marks:
        connection.execute(insert(corrections), [msgspec.structs.asdict(one) for one in marks])


def read_corrections(connection: Connection) -> list[Correction]:
    """Every correction, in the order of the stream."""
    rows = connection.execute(select(corrections).order_by(corrections.c.number)).mappings()
    names = Correction.__struct_fields__
    return [Correction(**{name: row[name] for name in names}) for row in rows]


def put_answered(connection: Connection, requests: Sequence[Answered]) -> None:
    """Keeps what was answered, for a day."""
    if requests:
        rows = [
            {
                "source": one.source,
                "key": one.request.key,
                "digest": one.request.digest,
                "json": msgspec.json.encode(one.settled).decode(),
                "at": one.at,
            }
            for one in requests
        ]
        connection.execute(delete(answered).where(answered.c.at < requests[-1].at - REQUESTS_KEPT))
        connection.execute(insert_new(connection.dialect, answered, ["source", "key"]), rows)


def read_answered(connection: Connection) -> list[Answered]:
    """What was answered in the last day, oldest first."""
    return _answers(connection, select(answered).order_by(answered.c.at))


def read_answered_to(connection: Connection, source: str, request: Request, since: datetime) -> list[Answered]:
    """What a source was answered since then under a request's key, or for its body."""
    same = or_(answered.c.key == request.key, answered.c.digest == request.digest)
    return _answers(connection, select(answered).where(answered.c.source == source, same, answered.c.at >= since))


def _answers(connection: Connection, wanted: Select[tuple[Any, ...]]) -> list[Answered]:
    rows = connection.execute(wanted).all()
    return [
        Answered(row.source, Request(row.key, row.digest), msgspec.json.decode(row.json, type=Settled), row.at)
        for row in rows
    ]
