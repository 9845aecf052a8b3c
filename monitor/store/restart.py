"""What a run goes on from: where each source stood, and the rows that hold the stages' state."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, select

from monitor.store.dialect import insert_or_replace
from monitor.store.schema import resume_points, state


def write(connection: Connection, points: Mapping[str, str], changed: Mapping[str, bytes]) -> None:
    """Source → where it goes on; rows that changed, of which an empty one is to go."""
    if points:
        cursors = [{"source": source, "cursor": cursor} for source, cursor in points.items()]
        connection.execute(insert_or_replace(connection.dialect, resume_points, ["source"], ["cursor"]), cursors)
    kept = [{"key": key, "value": value} for key, value in changed.items() if value]
    if kept:
        connection.execute(insert_or_replace(connection.dialect, state, ["key"], ["value"]), kept)
    if gone := [{"gone": key} for key, value in changed.items() if not value]:
        connection.execute(delete(state).where(state.c.key == bindparam("gone")), gone)


def points(connection: Connection) -> dict[str, str]:
    """Source → where it goes on."""
    return {row.source: row.cursor for row in connection.execute(select(resume_points))}


def rows(connection: Connection) -> dict[str, bytes]:
    """All state rows."""
    return {row.key: row.value for row in connection.execute(select(state))}
