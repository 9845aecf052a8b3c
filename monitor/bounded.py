"""Gauges for dashboards that are never more than so many series, whatever the world brings."""

from collections.abc import Collection

from prometheus_client import Counter, Gauge


class Bounded:
    """Shows readings as series, at most `most` of them at once; what has no room is counted by its gauge's name."""

    def __init__(self, most: int, dropped: Counter) -> None:
        self._most = most
        self._dropped = dropped
        self._shown: dict[tuple[Gauge, tuple[str, ...]], None] = {}

    def show(self, gauge: Gauge, labels: tuple[str, ...], value: float) -> None:
        """Sets one series; the first label is the event's name."""
        place = (gauge, labels)
        if place not in self._shown:
            if len(self._shown) >= self._most:
                self._dropped.labels(name_of(gauge)).inc()
                return
            self._shown[place] = None
        gauge.labels(*labels).set(value)

    def end(self, events: Collection[str]) -> None:
        """Ends every series of these events, and makes room."""
        self._end([place for place in self._shown if place[1][0] in events])

    def keep(self, gauge: Gauge, wanted: Collection[tuple[str, ...]]) -> None:
        """Ends the series of a gauge but the wanted ones, and makes room."""
        self._end([place for place in self._shown if place[0] is gauge and place[1] not in wanted])

    def _end(self, places: list[tuple[Gauge, tuple[str, ...]]]) -> None:
        for gauge, labels in places:
            gauge.remove(*labels)
            del self._shown[gauge, labels]


def name_of(gauge: Gauge) -> str:
    """The name under which a gauge is shown."""
    return next(iter(gauge.describe())).name
