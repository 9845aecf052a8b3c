"""What people decided, and when sources were blind: what of it is too old, and goes a portion at a time."""

from datetime import datetime

from sqlalchemy import Connection, Select, delete, func, select, update

from monitor.store.schema import corrections, exchanges, fact_checks, gaps, rulings, silences, statuses


def remove_decisions(connection: Connection, before: datetime, limit: int) -> int:
    """Removes decisions, at most `limit`, that were made before a time; answers how many.

    Statuses but for the last of each narrative, which cards go by; silences that are over, in all their forms; merges
    and splits; reviews. Corrections stay, because the tagger goes by them; who made them goes.
    """
    last = select(func.max(statuses.c.number)).group_by(statuses.c.event, statuses.c.narrative)
    over = select(silences.c.id).group_by(silences.c.id).having(func.max(silences.c.expires_at) < before)
    gone = 0
    for table, old in (
        (statuses, select(statuses.c.number).where(statuses.c.at < before, statuses.c.number.not_in(last))),
        (silences, select(silences.c.number).where(silences.c.id.in_(over))),
        (rulings, select(rulings.c.number).where(rulings.c.at < before)),
        (fact_checks, select(fact_checks.c.number).where(fact_checks.c.at < before)),
    ):
        numbers = _first(connection, old, limit - gone)
        connection.execute(delete(table).where(table.c.number.in_(numbers)))
        gone += len(numbers)
    named = select(corrections.c.number).where(corrections.c.at < before, corrections.c.by != "")
    numbers = _first(connection, named, limit - gone)
    connection.execute(update(corrections).where(corrections.c.number.in_(numbers)).values(by=""))
    return gone + len(numbers)


def remove_gaps(connection: Connection, before: datetime, limit: int) -> int:
    """Removes gaps that ended before a time, and exchanges of events but the last before it; answers how many."""
    last = select(func.max(exchanges.c.number)).where(exchanges.c.at < before).scalar_subquery()
    numbers = _first(connection, select(gaps.c.number).where(gaps.c.ends < before), limit)
    connection.execute(delete(gaps).where(gaps.c.number.in_(numbers)))
    earlier = _first(connection, select(exchanges.c.number).where(exchanges.c.number < last), limit - len(numbers))
    connection.execute(delete(exchanges).where(exchanges.c.number.in_(earlier)))
    return len(numbers) + len(earlier)


def _first(connection: Connection, old: Select[tuple[int]], limit: int) -> list[int]:
    """The oldest numbers, at most `limit`."""
    return [*connection.execute(old.order_by("number").limit(limit)).scalars()]
