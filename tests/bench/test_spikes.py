"""The spike detectors over very many keys: records per second, a tick's time, memory."""

import sys
import time
import tracemalloc

import numpy as np
import pytest

from monitor.judge.board import Board
from monitor.judge.series import Watched
from monitor.judge.spike import Spikes
from monitor.watched import Measure, Rules
from tests.judge.test_measures_simulated import asked

STEP = 300
KEYS = 100_000
TICKS = 100

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


def test_a_minute_and_half_an_hour_of_the_measures_of_many_events() -> None:
    posts = np.random.default_rng(0).poisson(3, (30, KEYS)).astype(np.int64)
    known = np.ones(posts.shape, np.bool_)
    times = []
    spikes = Spikes(asked(KEYS, Rules()))
    for number in range(3):
        began = time.perf_counter()
        list(spikes.run(30 * number + 1, posts[:1], known[:1]))
        times.append(time.perf_counter() - began)
        list(spikes.run(30 * number + 2, posts[1:], known[1:]))
    said("a minute of 100,000 measures, longest", f"{1e3 * max(times):.0f} ms", "≤ 250 ms")


def test_what_the_measures_of_one_event_cost_where_little_is_said() -> None:
    posts = np.random.default_rng(0).poisson(0.2, (7 * 1_440, len(Measure)))
    spikes = Spikes(asked(len(Measure), Rules()))
    began = time.process_time()
    for begin in range(0, posts.shape[0], 1_440):
        list(spikes.run(begin + 1, posts[begin : begin + 1_440], np.ones((1_440, len(Measure)), np.bool_)))
    took = time.process_time() - began
    said("half an hour of an event's measures, many at once", f"{1e6 * took / (7 * 48):.0f} us", "none")
