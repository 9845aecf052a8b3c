"""What comes with the stream – statuses, gaps, silences, corrections, exchanges of events – and answers, as rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Row, Select, delete, func, insert, or_, select, update

from monitor.arrivals import Answered, Request, Settled
from monitor.marks import (
    AckMark,
    Correction,
    FactCheck,
    GapMark,
    MergeMark,
    Ruling,
    Silence,
    SplitMark,
    Status,
    StatusMark,
)
from monitor.saved import events_of, events_text
from monitor.store.dialect import insert_new
from monitor.store.schema import (
    acknowledgements,
    answered,
    corrections,
    exchanges,
    fact_checks,
    gaps,
    rulings,
    silences,
    statuses,
)
from monitor.watched import Exchange

REQUESTS_KEPT = timedelta(days=1)
"""A request that comes again later than this is a new one."""


def put_gaps(connection: Connection, marks: Sequence[GapMark]) -> None:
    """Keeps gaps; one that continues the last of its source makes that one longer."""
    for gap in marks:
        of_source = select(gaps).where(gaps.c.source == gap.source).order_by(gaps.c.number.desc()).limit(1)
        last = connection.execute(of_source).first()
        if last is not None and gap.continues(_gap(last)):
            connection.execute(update(gaps).where(gaps.c.number == last.number).values(ends=gap.ends))
        else:
            values = {"source": gap.source, "begins": gap.begins, "ends": gap.ends, "why": gap.why}
            connection.execute(insert(gaps).values(values))


def read_gaps(connection: Connection, newest: int | None = None) -> list[GapMark]:
    """Gaps, in the order of the stream: all, or the newest."""
    return [_gap(row) for row in _newest(connection, select(gaps), gaps.c.number, newest)]


def _gap(row: Row[Any]) -> GapMark:
    return GapMark(source=row.source, begins=row.begins, ends=row.ends, why=row.why)


def put_statuses(connection: Connection, marks: Sequence[StatusMark]) -> None:
    """Keeps statuses."""
    for mark in marks:
        values = {"at": mark.at, "event": mark.event, "narrative": mark.narrative, "status": mark.status.value}
        connection.execute(
            insert(statuses).values(values | {"by": mark.by, "evidence": mark.evidence, "voice": mark.voice})
        )


def read_statuses(connection: Connection, newest: int | None = None, *, event: str | None = None) -> list[StatusMark]:
    """Statuses that were set, in the order of the stream: all, or the newest; of one event if named."""
    wanted = select(statuses) if event is None else select(statuses).where(statuses.c.event == event)
    rows = _newest(connection, wanted, statuses.c.number, newest)
    return [
        StatusMark(
            at=row.at,
            event=row.event,
            narrative=row.narrative,
            status=Status(row.status),
            by=row.by,
            evidence=row.evidence,
            voice=row.voice,
        )
        for row in rows
    ]


def put_silences(connection: Connection, marks: Sequence[Silence]) -> None:
    """Keeps silences, in every form that was made."""
    if marks:
        rows = [
            {
                "id": one.id,
                "json": msgspec.json.encode(one).decode(),
                "at": one.at or one.begins_at,
                "expires_at": one.expires_at,
            }
            for one in marks
        ]
        connection.execute(insert(silences), rows)


def read_silences(connection: Connection, after: datetime) -> list[Silence]:
    """The last form of the silences that expire after a time, oldest first."""
    number = silences.c.number
    forms = select(func.min(number).label("first"), func.max(number).label("last")).group_by(silences.c.id).subquery()
    found = select(silences.c.json).join(forms, number == forms.c.last).order_by(forms.c.first)
    return _silences(connection, found.where(silences.c.expires_at > after))


def read_every_silence(connection: Connection) -> list[Silence]:
    """Every form of every silence, in the order of the stream."""
    return _silences(connection, select(silences.c.json).order_by(silences.c.number))


def _silences(connection: Connection, wanted: Select[tuple[Any, ...]]) -> list[Silence]:
    return [msgspec.json.decode(text, type=Silence) for text in connection.execute(wanted).scalars()]


def put_exchanges(connection: Connection, exchanged: Sequence[Exchange]) -> None:
    """Keeps which events are watched from when on."""
    for one in exchanged:
        connection.execute(insert(exchanges).values(at=one.at, events=events_text(one.events)))


def read_exchanges(connection: Connection) -> list[Exchange]:
    """Every exchange of events, in the order of the stream."""
    rows = connection.execute(select(exchanges).order_by(exchanges.c.number)).all()
    return [Exchange(at=row.at, events=events_of(row.events)) for row in rows]


def read_silence(connection: Connection, name: str) -> Silence | None:
    """The last form of the silence of an id, also one that has expired."""
    found = select(silences.c.json).where(silences.c.id == name).order_by(silences.c.number.desc()).limit(1)
    text = connection.execute(found).scalar()
    return None if text is None else msgspec.json.decode(text, type=Silence)


def put_acknowledgements(connection: Connection, marks: Sequence[AckMark]) -> None:
    """Keeps who took which alert on, every time."""
    if marks:
        connection.execute(insert(acknowledgements), [msgspec.structs.asdict(one) for one in marks])


def read_acknowledgements(connection: Connection) -> list[AckMark]:
    """Who took which alert on, in the order of the stream."""
    rows = connection.execute(select(acknowledgements).order_by(acknowledgements.c.number)).all()
    return [AckMark(at=row.at, alert=row.alert, by=row.by, assignee=row.assignee, comment=row.comment) for row in rows]


def put_corrections(connection: Connection, marks: Sequence[Correction]) -> None:
    """Keeps corrections, every one."""
    if marks:
        connection.execute(insert(corrections), [msgspec.structs.asdict(one) for one in marks])


def read_corrections(connection: Connection, newest: int | None = None) -> list[Correction]:
    """Corrections, in the order of the stream: all, or the newest."""
    names = Correction.__struct_fields__
    rows = _newest(connection, select(corrections), corrections.c.number, newest)
    return [Correction(**{name: row._mapping[name] for name in names}) for row in rows]  # noqa: SLF001 -- SQLAlchemy's


def put_checks(connection: Connection, marks: Sequence[FactCheck]) -> None:
    """Keeps what fact-checkers said, every form of it."""
    if marks:
        rows = [{"at": one.at, "event": one.event, "json": msgspec.json.encode(one).decode()} for one in marks]
        connection.execute(insert(fact_checks), rows)


def read_checks(connection: Connection, newest: int | None = None) -> list[FactCheck]:
    """What fact-checkers said, in the order of the stream: all, or the newest."""
    rows = _newest(connection, select(fact_checks), fact_checks.c.number, newest)
    return [msgspec.json.decode(row.json, type=FactCheck) for row in rows]


def put_rulings(connection: Connection, marks: Sequence[Ruling]) -> None:
    """Keeps merges and splits, every one."""
    for mark in marks:
        kind = "merge" if isinstance(mark, MergeMark) else "split"
        connection.execute(insert(rulings).values(at=mark.at, kind=kind, json=msgspec.json.encode(mark).decode()))


def read_rulings(connection: Connection, newest: int | None = None) -> list[Ruling]:
    """Merges and splits, in the order of the stream: all, or the newest."""
    kinds: dict[str, type[Ruling]] = {"merge": MergeMark, "split": SplitMark}
    rows = _newest(connection, select(rulings), rulings.c.number, newest)
    return [msgspec.json.decode(row.json, type=kinds[row.kind]) for row in rows]


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


def _newest(
    connection: Connection, wanted: Select[tuple[Any, ...]], number: Column[int], most: int | None
) -> Sequence[Row[tuple[Any, ...]]]:
    """Rows in the order of their numbers: all, or the last `most`."""
    return connection.execute(wanted.order_by(number.desc()).limit(most)).all()[::-1]


def _answers(connection: Connection, wanted: Select[tuple[Any, ...]]) -> list[Answered]:
    rows = connection.execute(wanted).all()
    return [
        Answered(row.source, Request(row.key, row.digest), msgspec.json.decode(row.json, type=Settled), row.at)
        for row in rows
    ]
