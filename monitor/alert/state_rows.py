"""The alert policy's state as rows: alerts that live, cards on which something fires, closed cards. Pure."""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

import msgspec

from monitor.alert.groups import Card, Closed, Group
from monitor.alert.lifecycle import Live, digest

_LIVE = "alert/live/"
_GROUP = "alert/group/"
_CLOSED = "alert/closed/"


class State(NamedTuple):
    """What the rows hold."""

    lives: Iterable[Live]
    groups: Iterable[Group]
    closed: Iterable[Closed]


def of_live(live: Live) -> str:
    """The key of an alert's row."""
    return _LIVE + live.fingerprint


def of_group(about: Card) -> str:
    """The key of the row of a card on which something fires."""
    return _GROUP + digest(*about)


def of_closed(about: Card) -> str:
    """The key of a closed card's row."""
    return _CLOSED + digest(*about)


def written(state: State) -> dict[str, bytes]:
    """The rows (msgpack)."""
    rows = {of_live(live): msgspec.msgpack.encode(live) for live in state.lives}
    rows |= {of_group(group.about): msgspec.msgpack.encode(group) for group in state.groups}
    return rows | {of_closed(one.group.about): msgspec.msgpack.encode(one) for one in state.closed}


def read(rows: Mapping[str, bytes], events: Container[str]) -> State:
    """Back from rows, of these events, in the order of the keys; other rows and empty ones are ignored."""
    mine = [(key, row) for key, row in sorted(rows.items()) if row]
    lives = [msgspec.msgpack.decode(row, type=Live) for key, row in mine if key.startswith(_LIVE)]
    groups = [msgspec.msgpack.decode(row, type=Group) for key, row in mine if key.startswith(_GROUP)]
    closed = [msgspec.msgpack.decode(row, type=Closed) for key, row in mine if key.startswith(_CLOSED)]
    return State(
        [live for live in lives if live.event in events],
        [group for group in groups if group.event in events],
        [one for one in closed if one.group.event in events],
    )
