"""What a walk left in the store, for the one that goes on."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection, select

from monitor.marks import Correction
from monitor.store import archive, marks
from monitor.store.schema import state


class Left(NamedTuple):
    """All of it, of one moment."""

    state: Mapping[str, bytes]
    """Every state row."""
    remembered: pl.DataFrame
    """REMEMBERED: of the last mentions."""
    corrections: Sequence[Correction]
    """Every correction of a tag."""


def left(connection: Connection, limit: int) -> Left:
    """What is there, with the last `limit` mentions."""
    rows = {row.key: row.value for row in connection.execute(select(state))}
    return Left(rows, archive.remembered(connection, limit), marks.read_corrections(connection))
