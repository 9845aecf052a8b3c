"""`monitor spikes`: the same rows with a score and an alarm, whatever the input's time is like."""

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from monitor.__main__ import main

Rows = list[tuple[str, str]]

BEGIN = datetime(2021, 9, 1, tzinfo=UTC)
DAYS = 4
BURST = 3 * 288 + 100


def plain(step: int = 300, days: int = DAYS, times: int = 30) -> Rows:
    """Twenty a bin, and for three bins one burst of `times` as many on top."""
    counts = np.random.default_rng(0).poisson(20, days * 86_400 // step)
    counts[BURST : BURST + 3] += 20 * times
    return [(f"{BEGIN + timedelta(seconds=step * n):%Y-%m-%d %H:%M:%S}", str(count)) for n, count in enumerate(counts)]


def written(path: Path, rows: Rows) -> Path:
    path.write_text("timestamp,value\n" + "".join(f"{time},{value}\n" for time, value in rows), "utf-8")
    return path


def spikes(folder: Path, rows: Rows, *options: str) -> list[list[str]]:
    """The output's lines below its header."""
    output = folder / "out.csv"
    assert main(["spikes", str(written(folder / "in.csv", rows)), "--output", str(output), *options]) == 0
    header, *lines = csv.reader(output.read_text("utf-8").splitlines())
    assert header == ["timestamp", "value", "score", "alarm"]
    assert [(time, value) for time, value, _, _ in lines] == rows
    return lines


def alarms(lines: list[list[str]]) -> list[str]:
    return [time for time, _, _, alarm in lines if alarm == "1"]


def test_a_burst_has_the_highest_score_and_one_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = plain()
    lines = spikes(tmp_path, rows)
    highest = max(range(len(lines)), key=lambda number: float(lines[number][2]))
    assert BURST <= highest <= BURST + 2
    assert alarms(lines)[-1:] == [rows[BURST][0]]
    assert capsys.readouterr().out.startswith("1,152 rows every 300 s over 4.0 days: ")


def test_a_burst_of_ten_times_as_many_alarms_by_its_second_bin(tmp_path: Path) -> None:
    rows = plain(times=10)
    assert alarms(spikes(tmp_path, rows))[-1] in {rows[BURST][0], rows[BURST + 1][0]}


def test_a_lower_rate_gives_no_more_alarms_and_the_same_scores(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).negative_binomial(1, 0.05, 1_152)
    rows = [(time, str(count)) for (time, _), count in zip(plain(), noise, strict=True)]
    often, seldom = (spikes(tmp_path, rows, "--false-alarms-per-day", rate) for rate in ("10", "0.05"))
    assert len(alarms(often)) > len(alarms(seldom))
    assert [line[2] for line in often] == [line[2] for line in seldom]


def test_the_first_day_is_warm_up_and_says_nothing(tmp_path: Path) -> None:
    rows = plain()
    rows[200] = (rows[200][0], "5000")
    assert {(score, alarm) for _, _, score, alarm in spikes(tmp_path, rows)[:288]} == {("0.000000", "0")}


def test_rows_out_of_order_by_hours_get_what_they_get_in_order(tmp_path: Path) -> None:
    rows = plain()
    mixed = rows.copy()
    random.Random(0).shuffle(mixed)
    assert sorted(spikes(tmp_path, mixed)) == sorted(spikes(tmp_path, rows))


def test_of_repeated_rows_the_first_counts_and_the_others_raise_no_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = plain()
    twice = [row for time, value in rows for row in ((time, value), (time, "99999"))]
    lines = spikes(tmp_path, twice)
    assert "1,152 rows repeat a time, the first of it counts" in capsys.readouterr().out
    assert lines[::2] == spikes(tmp_path, rows)
    assert [line[2] for line in lines[1::2]] == [line[2] for line in lines[::2]]
    assert alarms(lines[1::2]) == []


def test_a_gap_is_unknown_whether_rows_are_missing_or_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = plain()
    gap = range(2 * 288, 2 * 288 + 100)
    missing = spikes(tmp_path, [row for number, row in enumerate(rows) if number not in gap])
    assert "100 bins missing" in capsys.readouterr().out
    empty = spikes(tmp_path, [(time, "" if number in gap else value) for number, (time, value) in enumerate(rows)])
    assert all(empty[number][2:] == ["0.000000", "0"] for number in gap)
    assert alarms(missing) == alarms(empty)
    assert rows[BURST][0] in alarms(missing)


@pytest.mark.parametrize("wrong", ["2031-01-01 00:00:00", "1971-01-01 00:00:00"])
def test_a_clock_that_jumps_by_years_for_a_row_has_an_answer(tmp_path: Path, wrong: str) -> None:
    rows = plain()
    rows.insert(700, (wrong, "20"))
    lines = spikes(tmp_path, rows)
    assert lines[700][3] == "0"
    assert rows[BURST + 1][0] in alarms(lines)


@pytest.mark.parametrize("value", ["0", "12", "1000000000000"])
def test_a_constant_series_has_no_alarm(tmp_path: Path, value: str) -> None:
    assert alarms(spikes(tmp_path, [(time, value) for time, _ in plain()])) == []


def test_one_giant_burst_is_scored_and_the_next_day_is_judged_as_ever(tmp_path: Path) -> None:
    rows = plain(days=7)
    rows[BURST] = (rows[BURST][0], "1e300")
    rows[BURST + 600] = (rows[BURST + 600][0], "400")
    lines = spikes(tmp_path, rows)
    assert float(lines[BURST][2]) > 10
    assert float(lines[BURST + 600][2]) > 1


@pytest.mark.parametrize(
    "times",
    [
        lambda at: at.isoformat(),
        lambda at: at.isoformat().replace("+00:00", "Z"),
        lambda at: f"{at:%Y-%m-%dT%H:%M}",
        lambda at: at.astimezone(datetime.strptime("+0430", "%z").tzinfo).isoformat(),
        lambda at: (at + timedelta(seconds=at.minute % 7 * 15)).isoformat(),
    ],
    ids=["iso", "z", "minutes", "offset", "jitter"],
)
def test_iso_times_with_and_without_offset_and_unsteady_ones_are_read(tmp_path: Path, times: object) -> None:
    assert callable(times)
    rows = [(times(datetime.fromisoformat(time).replace(tzinfo=UTC)), value) for time, value in plain()]
    assert rows[BURST][0] in alarms(spikes(tmp_path, rows))


def test_the_step_is_found_in_the_data_or_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = plain(3_600, 45)
    spikes(tmp_path, rows)
    assert "rows every 3600 s" in capsys.readouterr().out
    spikes(tmp_path, rows, "--step", "1800")
    assert "rows every 1800 s" in capsys.readouterr().out


@pytest.mark.parametrize("rows", [[], [("2021-09-01", "5")]])
def test_no_rows_or_one_are_no_mistake(tmp_path: Path, rows: Rows) -> None:
    assert alarms(spikes(tmp_path, rows)) == []


def refused(folder: Path, text: bytes, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    (folder / "in.csv").write_bytes(text)
    output = folder / "out.csv"
    assert main(["spikes", str(folder / "in.csv"), "--output", str(output), *options]) == 2
    assert not output.exists()
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("yesterday,5", "line 3: 'yesterday' is no time such as 2021-09-03 18:05:00"),
        ("2021-09-01 00:05:00,many", "line 3: 'many' is no number"),
        ("2021-09-01 00:05:00,-1", "line 3: '-1' is no count: it must be 0 or more"),
        ("2021-09-01 00:05:00,inf", "line 3: 'inf' is no count: it must be 0 or more"),
        ("2021-09-01 00:05:00", "line 3: has 1 of 2 columns"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = f"timestamp,value\n2021-09-01 00:00:00,5\n{line}\n".encode()
    assert refused(tmp_path, text, capsys) == [f"monitor: {tmp_path / 'in.csv'}: {said}"]


def test_every_bad_row_is_named_up_to_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = refused(tmp_path, b"timestamp,value\n" + b"x,1\n" * 1_000, capsys)
    assert len(lines) == 21
    assert lines[-1].endswith("and 980 more bad lines")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"time,value\n", "line 1: has no column timestamp; there is 'time', 'value'"),
        (b"timestamp;value\n", "line 1: has no column timestamp and no column value; there is 'timestamp;value'"),
        (b"", "line 1: has no column timestamp and no column value; there is nothing"),
        (b"timestamp,value\n\xff\xfe\x00,1\n", "cannot be read (it is no CSV in UTF-8)"),
    ],
)
def test_what_is_no_such_table_is_refused(
    tmp_path: Path, text: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(tmp_path, text, capsys) == [f"monitor: {tmp_path / 'in.csv'}: {said}"]


def test_a_step_that_would_leave_most_rows_out_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "timestamp,value\n" + "".join(f"{time},{value}\n" for time, value in plain()[:9])
    (line,) = refused(tmp_path, text.encode(), capsys, "--step", "3600")
    assert line.endswith("rows are 300 s apart: --step 3600 would leave most of them out")


def test_a_step_of_which_most_hold_no_row_is_said_to_be_small(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spikes(tmp_path, plain(), "--step", "60")
    assert "4,604 of 5,756 steps of 60 s hold no row" in capsys.readouterr().err
    spikes(tmp_path, plain())
    assert capsys.readouterr().err == ""
