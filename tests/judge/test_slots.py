"""Rows for keys that come and go: bounded, the coldest give way, what is dropped is counted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.slots import HALF_LIFE, Slots


def keys(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(numbers, np.uint64)


def test_a_key_keeps_its_row_and_no_two_share_one() -> None:
    slots = Slots(4)
    first = slots.place(0, keys(7, 9, 7))
    assert first.rows[0] == first.rows[2] != first.rows[1]
    assert sorted(first.fresh.tolist()) == [0, 1]
    again = slots.place(60, keys(9, 5))
    assert again.rows[0] == first.rows[1]
    assert again.rows[1] not in first.rows
    assert len(slots) == 3


def test_the_coldest_gives_way_to_a_key_that_brings_more() -> None:
    slots = Slots(2)
    rows = slots.place(0, keys(1, 2), np.array([50, 3])).rows
    placed = slots.place(60, keys(3), np.array([10]))
    assert placed.rows[0] == rows[1] == placed.fresh[0]
    assert (placed.evicted, placed.dropped) == (1, 0)
    assert slots.place(120, keys(2)).rows[0] == -1


def test_a_key_that_brings_less_than_the_coldest_has_left_is_dropped_and_counted() -> None:
    slots = Slots(2)
    slots.place(0, keys(1, 2), np.array([50, 3]))
    placed = slots.place(60, keys(3, 4))
    assert placed.rows.tolist() == [-1, -1]
    assert (placed.evicted, placed.dropped) == (0, 2)
    assert slots.place(60 + 3 * HALF_LIFE, keys(5)).evicted == 1


def test_a_flood_of_keys_stays_within_the_room_and_spares_those_that_are_spoken_of() -> None:
    slots, dropped, evicted = Slots(1_000), 0, 0
    spoken = np.arange(1, 501, dtype=np.uint64)
    rows = slots.place(0, spoken, np.full(500, 20)).rows
    for number in range(50):
        flood = np.arange(10_000, dtype=np.uint64) + np.uint64(1_000 + 10_000 * number)
        placed = slots.place(60 * (number + 1), flood)
        dropped, evicted = dropped + placed.dropped, evicted + placed.evicted
        assert len(slots) == 1_000
    assert slots.place(4_000, spoken).rows.tolist() == rows.tolist()
    assert dropped + evicted == 50 * 10_000 - 500


@given(st.lists(st.tuples(st.integers(0, 3_600), st.lists(st.integers(0, 12), max_size=20)), max_size=20))
def test_rows_are_always_those_of_one_key_each(calls: list[tuple[int, list[int]]]) -> None:
    slots = Slots(5)
    owner: dict[int, int] = {}
    at = 0
    for later, heard in calls:
        at += later
        placed = slots.place(at, np.array(heard, np.uint64))
        for row in placed.fresh.tolist():
            owner.pop(row, None)
        for key, row in zip(heard, placed.rows.tolist(), strict=True):
            assert row == -1 or owner.setdefault(row, key) == key
        assert len(slots) <= 5
