"""The spike detector over very many keys: records per second, a tick's time, memory; and a flood of keys."""

import resource
import sys
import time
import tracemalloc

import numpy as np
import pytest

from monitor.judge.board import Board
from monitor.judge.series import Watched
from monitor.judge.slots import Slots

STEP = 300
KEYS = 100_000
TICKS = 100
FLOOD = 10_000_000
BATCH = 250_000

pytestmark = pytest.mark.bench


def said(what: str, figure: str, target: str) -> None:
    sys.stdout.write(f"\n{what}: {figure}   target {target}\n")


def test_records_per_second_and_a_tick_of_many_live_keys() -> None:
    counts = np.random.default_rng(0).poisson(3, (8, KEYS)).astype(np.float32)
    masked = np.zeros(KEYS, np.bool_)
    tracemalloc.start()
    board = Board(STEP, KEYS)
    board.tick(STEP, counts[0], masked)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    times = []
    for number in range(1, TICKS):
        began = time.perf_counter()
        board.tick((number + 1) * STEP, counts[number % 8], masked)
        times.append(time.perf_counter() - began)
    said("records/s per core, 100,000 keys", f"{KEYS / np.mean(times) / 1e6:.1f} M", "≥ 1 M, aim 5 M")
    said("a tick, median and longest", f"{1e3 * np.median(times):.0f} and {1e3 * max(times):.0f} ms", "≤ 250 ms")
    said("state of 100,000 keys", f"{board.nbytes / 1e6:.0f} MB, {board.nbytes / KEYS:.0f} bytes a key", "≤ 100 MB")
    said("with what a tick needs besides, at its peak", f"{peak / 1e6:.0f} MB (held: {held / 1e6:.0f} MB)", "≤ 100 MB")
    assert board.nbytes <= 100e6


def test_a_tick_with_alarms_at_an_announced_rate() -> None:
    counts = np.random.default_rng(0).poisson(3, (8, KEYS)).astype(np.float32)
    masked, watched = np.zeros(KEYS, np.bool_), Watched(STEP, KEYS, 0.1)
    times = []
    for number in range(30):
        began = time.perf_counter()
        watched.tick((number + 1) * STEP, counts[number % 8], masked)
        times.append(time.perf_counter() - began)
    figure = (
        f"{1e3 * np.median(times):.0f} and {1e3 * max(times):.0f} ms, {KEYS / np.mean(times) / 1e6:.2f} M records/s"
    )
    said("board, scan and three announced thresholds, a tick, median and longest", figure, "≤ 250 ms, ≥ 1 M")


def test_one_series_as_the_command_reads_it() -> None:
    watched, known = Watched(STEP, 1, 0.1), np.zeros(1, np.bool_)
    began = time.perf_counter()
    for number in range(2_000):
        watched.tick((number + 1) * STEP, np.array([20.0]), known)
    said("rows/s of monitor spikes, one series", f"{2_000 / (time.perf_counter() - began):,.0f}", "none")


def test_a_flood_of_ten_million_distinct_keys_stays_bounded() -> None:
    slots = Slots(KEYS)
    spoken = np.arange(1, 1_001, dtype=np.uint64)
    rows = slots.place(0, spoken, np.full(1_000, 50)).rows
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rng = np.random.default_rng(0)
    lost, began = 0, time.perf_counter()
    for number in range(FLOOD // BATCH):
        placed = slots.place(number + 1, rng.integers(1 << 40, 1 << 63, BATCH, dtype=np.uint64))
        lost += placed.dropped + placed.evicted
    took = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    kept = int((slots.place(FLOOD, spoken).rows == rows).sum())
    said("10 M distinct keys", f"{FLOOD / took / 1e6:.1f} M/s, {grown:.0f} MB more at the peak", "bounded")
    said("of 1,000 keys that were spoken of, kept", f"{kept}; dropped or evicted {lost:,}", "1,000")
    assert len(slots) == KEYS
    assert kept == 1_000
    assert lost == FLOOD - (KEYS - 1_000)
