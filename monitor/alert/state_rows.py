"""The alert policy's state as rows: alerts that live, cards on which something fires, closed cards, marks. Pure."""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from monitor.alert.groups import Card, Closed, Group
from monitor.alert.lifecycle import Live, digest
from monitor.alert.marks import Marks
from monitor.marks import StatusMark

_LIVE = "alert/live/"
_GROUP = "alert/group/"
_CLOSED = "alert/closed/"
_MARKS = "alert/marks"
_STATUSES = "alert/statuses"
"""Apart from the other marks, which change far more often."""
_DECIDED = "alert/decided"


class State(NamedTuple):
    """What the rows hold."""

    lives: Iterable[Live]
    groups: Iterable[Group]
    closed: Iterable[Closed]
    marks: Marks
    decided: datetime | None
    """Up to when was decided."""


def written(state: State) -> dict[str, bytes]:
    """The rows (msgpack)."""
    encode = msgspec.msgpack.encode
    rows = {_LIVE + live.fingerprint: encode(live) for live in state.lives}
    rows |= {_GROUP + _named(group.about): encode(group) for group in state.groups}
    rows |= {_CLOSED + _named(one.group.about): encode(one) for one in state.closed}
    rows[_MARKS] = encode(msgspec.structs.replace(state.marks, statuses=[]))
    if state.marks.statuses:
        rows[_STATUSES] = encode(state.marks.statuses)
    return rows if state.decided is None else rows | {_DECIDED: encode(state.decided)}


def mine(rows: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those of these rows that are the policy's, but for empty ones."""
    prefixes = (_LIVE, _GROUP, _CLOSED, _MARKS, _STATUSES, _DECIDED)
    return {key: row for key, row in sorted(rows.items()) if row and key.startswith(prefixes)}


def read(rows: Mapping[str, bytes], events: Container[str]) -> State:
    """Back from rows, of these events, in the order of the keys; other rows and empty ones are ignored.

    An earlier version wrote statuses among the other marks, and not up to when it had decided.
    """
    own, decode = mine(rows), msgspec.msgpack.decode
    lives = [decode(row, type=Live) for key, row in own.items() if key.startswith(_LIVE)]
    groups = [decode(row, type=Group) for key, row in own.items() if key.startswith(_GROUP)]
    closed = [decode(row, type=Closed) for key, row in own.items() if key.startswith(_CLOSED)]
    marks = decode(own[_MARKS], type=Marks) if _MARKS in own else Marks()
    if _STATUSES in own:
        marks.statuses = decode(own[_STATUSES], type=list[StatusMark])
    counted = max((live.counted for live in (*lives, *(one.live for one in closed))), default=None)
    return State(
        [live for live in lives if live.event in events],
        [group for group in groups if group.event in events],
        [one for one in closed if one.group.event in events],
        marks,
        decode(own[_DECIDED], type=datetime) if _DECIDED in own else counted,
    )


def _named(about: Card) -> str:
    return digest(*about)
