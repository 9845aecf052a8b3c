"""What fact-checkers said of an event, as its cards show it: the newest reviews, each in its own words. Pure.

A review is shown and offered to the desk; it sets no status and counts in no rule. It counts from its own time on, so a
card does not depend on how the stream was cut.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from monitor.marks import FactCheck
from monitor.records import Alert

KEPT = 20
"""Reviews of an event that are kept, the newest."""
SHOWN = 3
_PREFIX = "alert/checked/"

_Rows = list[FactCheck]


class Checked:
    """The reviews of all events; the last form of each page and claim."""

    def __init__(self) -> None:
        self._held: dict[str, _Rows] = {}
        self._changed: set[str] = set()

    def take(self, checks: Iterable[FactCheck]) -> None:
        """Adds what came with a batch, in the order of the stream."""
        for check in checks:
            self._held.setdefault(check.event, []).append(check)
            self._changed.add(check.event)

    def shown(self, alert: Alert) -> Alert:
        """An alert's step with what was known of its event by then."""
        known = {(one.url, one.claim): one for one in self._held.get(alert.event, ()) if one.at <= alert.at}
        last = sorted(known.values(), key=lambda one: one.at)[-SHOWN:]
        return msgspec.structs.replace(alert, checks=tuple(reversed(last))) if last else alert

    def forget(self, events: Collection[str]) -> None:
        """Drops what is known of these events."""
        for event in set(events) & self._held.keys():
            del self._held[event]
            self._changed.add(event)

    def snapshot(self) -> dict[str, bytes]:
        """The rows that changed since the last call, an empty one to delete."""
        rows: dict[str, bytes] = {}
        for event in sorted(self._changed):
            if event in self._held:
                self._held[event] = self._held[event][-KEPT:]
            held = self._held.get(event)
            rows[_PREFIX + event] = msgspec.msgpack.encode(held) if held else b""
        self._changed.clear()
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the memory that gave all these rows left off; rows of others are ignored."""
        for name in sorted(name for name in rows if name.startswith(_PREFIX) and rows[name]):
            self._held[name.removeprefix(_PREFIX)] = msgspec.msgpack.decode(rows[name], type=_Rows)
