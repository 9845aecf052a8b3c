"""The spike detector on DATA/ts_nab_realtweets.parquet, as tables: `python -m tests.nab DATA`, part of `make evaluate`.

In sample: the shipped constants, one threshold over all series that scores best, as NAB does. Left out: that threshold
chosen on the other series. Nested: constants and threshold chosen on the other series, from the grid below.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import polars as pl

from monitor.judge.board import Board, Tuning
from monitor.judge.series import QUIET, Onsets, Watched
from tests.nab_score import Best, Curve, Floats, Found, Labelled, best, curve, found, together

FILE = "ts_nab_realtweets.parquet"
STEP = 300
RATES = (0.05, 0.1)
DRAWS = 2_000
ORACLE = 93.3
"""What an oracle that alarms at the labels gets on all ten series."""


class Choice(NamedTuple):
    """One point of the grid."""

    tuning: Tuning
    quiet: int


SHIPPED = Choice(Tuning(), QUIET)
GRID = [
    Choice(Tuning(half_life=half_life, typical=typical, climb=climb), quiet)
    for half_life, typical, climb, quiet in itertools.product(
        (21_600, 43_200), (1.0, 2.0, 3.0), (0.01, 0.02, 0.03), (43_200, 86_400)
    )
]


def read(path: Path) -> list[Labelled]:
    """The series of the file."""
    frame = pl.read_parquet(path)
    return [
        Labelled(
            str(name[0]),
            part["created_at"].dt.epoch("s").to_numpy(),
            part["tweets_5min"].cast(pl.Float64).to_numpy(),
            part["in_anomaly_window"].to_numpy(),
            part.filter("is_labelled_anomaly")["created_at"].dt.epoch("s").to_numpy(),
        )
        for name, part in frame.group_by("series", maintain_order=True)
    ]


def oracle(all_series: list[Labelled]) -> float:
    """The score of alarms exactly at the labels: checks the scorer, not the detector."""
    return best([curve(one, np.isin(one.at, one.labels).astype(np.float64)) for one in all_series]).score


def side_by_side(all_series: list[Labelled], choice: Choice) -> list[Floats]:
    """The scores of all series, as the keys of one board."""
    begin = min(int(one.at[0]) for one in all_series) // STEP
    rows = [one.at // STEP - begin for one in all_series]
    size = max(int(row[-1]) for row in rows) + 1
    counts = np.full((size, len(all_series)), np.nan)
    for key, (row, one) in enumerate(zip(rows, all_series, strict=True)):
        counts[row, key] = one.values
    masked = np.isnan(counts)
    counts = np.nan_to_num(counts)
    board, onset = Board(STEP, len(all_series), choice.tuning), Onsets(len(all_series), choice.quiet)
    scores = np.zeros(counts.shape)
    for number in range(size):
        at = (begin + number + 1) * STEP
        scores[number] = onset.tick(at, board.tick(at, counts[number], masked[number]).score)
    return [scores[row, key] for key, row in enumerate(rows)]


def as_the_command(series: Labelled, per_day: float) -> pl.DataFrame:
    """Score and alarm per record, as `monitor spikes` writes them."""
    judged, known = Watched(STEP, 1, per_day), np.zeros(1, np.bool_)
    rows = [
        judged.tick(int(at) + STEP, np.array([value]), known)
        for at, value in zip(series.at, series.values, strict=True)
    ]
    return pl.DataFrame({"score": [float(one.score[0]) for one in rows], "alarm": [bool(one.alarm[0]) for one in rows]})


class Nested(NamedTuple):
    """One left-out series."""

    choice: Choice
    threshold: float
    score: float


def nested(curves: dict[Choice, list[Curve]], out: int) -> Nested:
    """Constants and threshold chosen on the other series, scored on series `out`."""
    chosen: dict[Choice, Best] = {
        choice: best([one for number, one in enumerate(each) if number != out]) for choice, each in curves.items()
    }
    choice = max(chosen, key=lambda one: chosen[one].score)
    threshold = chosen[choice].threshold
    return Nested(choice, threshold, curves[choice][out].score(threshold))


def pooled(curves: list[Curve], scores: list[float]) -> float:
    """Scores of series as one, weighted by windows as NAB does."""
    windows = [one.windows for one in curves]
    return sum(score * size for score, size in zip(scores, windows, strict=True)) / sum(windows)


def interval(curves: list[Curve], scores: list[float]) -> tuple[float, float]:
    """95 % of `pooled` over series drawn again."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(curves), (DRAWS, len(curves)))
    values = [pooled([curves[k] for k in row], [scores[k] for k in row]) for row in drawn]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def standard(all_series: list[Labelled], written: list[pl.DataFrame]) -> Iterator[str]:
    """Lines of the table of scores."""
    curves = {
        choice: [curve(*pair) for pair in zip(all_series, side_by_side(all_series, choice), strict=True)]
        for choice in GRID
    }
    shipped = [curve(one, table["score"].to_numpy()) for one, table in zip(all_series, written, strict=True)]
    top = best(shipped)
    every = range(len(all_series))
    others = [best([one for number, one in enumerate(shipped) if number != out]).threshold for out in every]
    inside = [one.score(top.threshold) for one in shipped]
    left_out = [one.score(threshold) for one, threshold in zip(shipped, others, strict=True)]
    within = [nested(curves, out) for out in every]
    yield f"oracle at the labels: {oracle(all_series):.1f} (all ten series: {ORACLE})"
    yield f"best in-sample of the {len(GRID)} choices: {max(best(each).score for each in curves.values()):.1f}"
    yield "shipped constants at a threshold moved by: " + ", ".join(
        f"{share - 1:+.0%} {together(shipped).score(top.threshold * share):.1f}"
        for share in (0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15)
    )
    yield ""
    yield "| series | windows | in sample | threshold left out | nested | its constants |"
    yield "|---|---|---|---|---|---|"
    for out, one in enumerate(all_series):
        tuning = within[out].choice.tuning
        said = (
            f"{tuning.half_life / 3600:g} h, {tuning.typical:g}, {tuning.climb:g}, {within[out].choice.quiet // 3600} h"
        )
        yield (
            f"| {one.name} | {shipped[out].windows} | {inside[out]:.1f} | {left_out[out]:.1f} (at {others[out]:.3f}) "
            f"| {within[out].score:.1f} (at {within[out].threshold:.3f}) | {said} |"
        )
    columns = (inside, left_out, [one.score for one in within])
    cells = [
        f"**{pooled(shipped, scores):.1f}** ({interval(shipped, scores)[0]:.1f}–{interval(shipped, scores)[1]:.1f})"
        for scores in columns
    ]
    yield f"| all, with 95 % over series | {sum(one.windows for one in shipped)} | {' | '.join(cells)} | |"
    yield f"| worst series | | {' | '.join(f'{min(scores):.1f}' for scores in columns)} | |"


def alarms(all_series: list[Labelled], written: dict[float, list[pl.DataFrame]]) -> Iterator[str]:
    """Lines of the table of alarms."""
    yield "| announced | false alarms per day and series | worst series | events found | median delay | worst series |"
    yield "|---|---|---|---|---|---|"
    for rate, tables in written.items():
        told = [found(one, table["alarm"].to_numpy()) for one, table in zip(all_series, tables, strict=True)]
        yield _line(rate, told, all_series)


def _line(rate: float, told: list[Found], all_series: list[Labelled]) -> str:
    false = sum(one.false for one in told) / sum(one.days for one in all_series)
    events, of = sum(one.events for one in told), sum(one.of for one in told)
    delays = [delay for one in told for delay in one.delays]
    loud = max(range(len(told)), key=lambda k: told[k].false_per_day)
    deaf = min(range(len(told)), key=lambda k: told[k].events / told[k].of)
    return (
        f"| {rate} | {false:.3f} | {told[loud].false_per_day:.3f} ({all_series[loud].name}) "
        f"| {events} of {of}, {events / of:.0%} | {median(delays) if delays else float('nan'):.0f} min "
        f"| {told[deaf].events} of {told[deaf].of} ({all_series[deaf].name}) |"
    )


def main(data: Path) -> None:
    """Prints the tables."""
    all_series = read(data / FILE)
    written = {rate: [as_the_command(one, rate) for one in all_series] for rate in RATES}
    for line in itertools.chain(standard(all_series, written[RATES[0]]), [""], alarms(all_series, written)):
        print(line, flush=True)  # noqa: T201 -- the table is the point


if __name__ == "__main__":
    main(Path(sys.argv[1]))
