"""Counts per minute: the same whatever the cut, over a restart, and bounded."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from monitor.alert.chart_minutes import KEPT, LEAST, Minutes
from monitor.frames import TICKS
from monitor.records import AlertState, Finding
from tests.fakes.alerts import an_alert
from tests.fakes.mentions import START

MINUTE = timedelta(minutes=1)
Tick = tuple[int, int, int, int]
"""Second, claims, denials, celebrations."""


def ticks(*rows: Tick, narrative: str = "n1") -> pl.DataFrame:
    made = [
        dict.fromkeys(TICKS, 0)
        | {"tick": START + timedelta(seconds=at), "event": "fall", "narrative": narrative}
        | {"claims": claims, "denials": denials, "celebrations": celebrations}
        for at, claims, denials, celebrations in rows
    ]
    return pl.DataFrame(made, schema=TICKS)


def spike(at: int, **fields: Any) -> Finding:  # noqa: ANN401 -- any field
    plain: dict[str, Any] = {
        "event": "fall",
        "narrative": "",
        "rule": "spike",
        "holds": True,
        "reason": "",
        "numbers": {},
    }
    return Finding(at=START + timedelta(seconds=at), **plain | fields)


ROWS: tuple[Tick, ...] = (
    (1, 1, 0, 0),
    (60, 2, 0, 0),
    (61, 0, 1, 0),
    (200, 0, 0, 4),
    (2_000, 7, 3, 1),
    (2_040, 1, 0, 0),
)


def test_a_minute_ends_with_the_second_that_its_last_tick_covers() -> None:
    minutes = Minutes()
    minutes.add(ticks(*ROWS), [])
    series = minutes.of("fall", "n1", START + timedelta(seconds=2_040))
    assert series is not None
    first = (START - series.begins) // MINUTE
    assert series.claims[first : first + 2] == (3, 0)
    assert series.denials[first : first + 2] == (0, 1)
    assert series.celebrations[first + 3] == 4
    assert series.claims[-1] == 8
    assert (sum(series.claims), sum(series.denials), sum(series.celebrations)) == (11, 4, 5)


@pytest.mark.parametrize("cut", [1, 2, 3, 6])
def test_the_same_whatever_the_cut_and_over_a_restart(cut: int) -> None:
    whole = Minutes()
    whole.add(ticks(*ROWS), [spike(70), spike(90, holds=False), spike(2_500)])
    pieces, rows = Minutes(), dict[str, bytes]()
    for begin in range(0, len(ROWS), cut):
        part = ROWS[begin : begin + cut]
        pieces.add(ticks(*part), [spike(70)] if begin == 0 else [])
        if begin + cut < len(ROWS):
            rows |= pieces.snapshot()
            pieces = Minutes()
            pieces.restore({name: row for name, row in rows.items() if row})
    at = START + timedelta(seconds=2_040)
    assert pieces.of("fall", "n1", at) == whole.of("fall", "n1", at)
    assert whole.of("fall", "n1", at).spikes == (START + timedelta(seconds=70),)  # type: ignore[union-attr]


def test_what_comes_after_the_step_is_not_shown() -> None:
    minutes = Minutes()
    minutes.add(ticks(*ROWS), [])
    series = minutes.of("fall", "n1", START + timedelta(seconds=199))
    assert series is not None
    assert (sum(series.claims), sum(series.denials), sum(series.celebrations)) == (3, 1, 0)
    assert len(series.claims) == LEAST


def test_old_minutes_are_forgotten_and_their_rows_deleted() -> None:
    minutes = Minutes()
    minutes.add(ticks((30, 1, 0, 0)), [spike(30)])
    (kept,) = minutes.snapshot()
    minutes.add(ticks((30 + KEPT * 60, 1, 0, 0)), [])
    assert minutes.snapshot()[kept] == b""
    series = minutes.of("fall", "n1", START + timedelta(seconds=30 + KEPT * 60))
    assert series is not None
    assert (len(series.claims), sum(series.claims), series.spikes) == (LEAST, 1, ())


def test_a_chart_is_never_longer_than_is_kept() -> None:
    minutes = Minutes()
    minutes.add(ticks((30, 1, 0, 0), (29 + KEPT * 60, 1, 0, 0)), [])
    series = minutes.of("fall", "n1", START + timedelta(seconds=30 + KEPT * 60 - 1))
    assert series is not None
    assert len(series.claims) <= KEPT


def test_nothing_of_an_event_that_is_removed_nor_of_another_narrative() -> None:
    minutes = Minutes()
    minutes.add(ticks(*ROWS), [])
    at = START + timedelta(seconds=2_040)
    assert minutes.of("fall", "n2", at) is None
    minutes.forget(["fall"])
    assert minutes.of("fall", "n1", at) is None
    assert set(minutes.snapshot().values()) == {b""}


def test_an_alert_that_is_pending_carries_no_counts() -> None:
    minutes = Minutes()
    at = START + timedelta(seconds=2_040)
    minutes.add(ticks(*ROWS), [])
    assert minutes.shown(an_alert(at=at, state=AlertState.PENDING)).series is None
    assert minutes.shown(an_alert(at=at)).series == minutes.of("fall", "n1", at)
