"""Grids, stories, and what is written of a backtest, however hostile the labels are."""

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import polars as pl
import pytest

from monitor.app.backtest.counts import ACTIVITY, LABELS, VOICES, Labels
from monitor.app.backtest.grid import MOST_POINTS, Point, grid
from monitor.app.backtest.picture import picture
from monitor.app.backtest.report import as_csv, as_json
from monitor.app.backtest.stories import Officials, Outcome, Story, outcome, stories
from monitor.errors import SettingsError
from monitor.marks import Status, StatusMark
from monitor.records import Alert, AlertState
from monitor.watched import Rules
from tests.fakes.alerts import an_alert
from tests.fakes.stream import BEGIN

HOSTILE = "=HYPERLINK(1) </text><script>x()</script> \x1b[31m ]]> & \u202e\x00"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fall.toml"
    path.write_text('name = "fall"\nproposition = "It has fallen"\nany = ["fallen"]\n[rules]\nminimum_authors = 3\n')
    return path


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def activity(*rows: tuple[str, float, int]) -> pl.DataFrame:
    """ACTIVITY of event fall: narrative, minute, claims."""
    told = [("fall", name, at(minute), claims, claims // 4, 2 * claims) for name, minute, claims in rows]
    return pl.DataFrame(told, schema=ACTIVITY, orient="row").sort("event", "narrative", "begins")


def labels(label: str = "a label") -> Labels:
    return Labels(pl.DataFrame([("fall", "n", BEGIN, label)], schema=LABELS, orient="row"), {"fall": "It has fallen"})


def told(rows: pl.DataFrame, floor: int = 20, officials: Officials | None = None) -> list[Story]:
    return stories(rows, labels(HOSTILE), officials or Officials(pl.DataFrame(schema=VOICES), ()), floor)


def firing(minutes: float, narrative: str = "n", **fields: object) -> Alert:
    return an_alert(id=f"{minutes}{narrative}", at=at(minutes), narrative=narrative, **fields)


RISE = activity(("n", 0, 5), ("n", 5, 10), ("n", 10, 30), ("n", 40, 20), ("n", 45, 20), ("m", 0, 19))


def test_without_a_sweep_the_presets_are_compared_and_the_files_own_settings_stand(file: Path) -> None:
    points = grid([file], [])
    assert [point.name for point in points] == ["preset=fewer", "preset=balanced", "preset=more"]
    assert {point.events[0].rules.minimum_authors for point in points} == {3}
    assert len({point.events[0].rules.alpha for point in points}) == 3


def test_sweeps_make_every_combination_the_first_one_slowest(file: Path) -> None:
    points = grid([file], ["alpha=0.01,0.1", "for=90s, 5m", "alert_on=race+spike"])
    assert [point.name.rpartition(" ")[0] for point in points] == [
        "alpha=0.01 for=90s",
        "alpha=0.01 for=5m",
        "alpha=0.1 for=90s",
        "alpha=0.1 for=5m",
    ]
    rules = points[1].events[0].rules
    assert (rules.alpha, rules.for_, rules.alert_on) == (0.01, timedelta(minutes=5), ("race", "spike"))


def test_a_swept_value_stands_above_the_file_and_a_preset_below_it(file: Path) -> None:
    assert grid([file], ["minimum_authors=7"])[0].events[0].rules.minimum_authors == 7
    more = grid([file], ["preset=more", "alpha=0.2"])[0].events[0].rules
    assert (more.alpha, more.minimum_authors) == (0.2, 3)


def test_every_mistake_of_every_sweep_is_said(file: Path) -> None:
    bad = ["alpha", "alhpa=1", "minimum_originals=5,5", "for=soon,1m", "alpha=0.01,0.9", "alpha=0.1", "quiet=,1h"]
    with pytest.raises(SettingsError) as raised:
        grid([file], bad)
    said = "\n".join(raised.value.mistakes)
    assert len(raised.value.mistakes) == 7
    for part in ("'alpha'", "alhpa", "twice", "missing", "for=soon: ", "alpha=0.9: "):
        assert part in said
    with pytest.raises(SettingsError) as raised:
        grid([file], ["for=soon,1m", "alpha=0.01,0.9,x", "preset=many", "alert_on=race+noise"])
    said = "\n".join(raised.value.mistakes)
    for part in ("for=soon: ", "alpha=0.9: ", "alpha=x: ", "preset=many: ", "alert_on=race+noise: "):
        assert f"--sweep {part}" in said


def test_a_grid_has_an_end(file: Path) -> None:
    many = ",".join(f"{number}" for number in range(2, 103))
    with pytest.raises(SettingsError, match=f"at most {MOST_POINTS:,}"):
        grid([file], [f"minimum_originals={many}", f"minimum_authors={many}"])


def test_mistakes_of_the_event_file_are_said_before_the_sweep_is_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        grid([tmp_path / "none.toml"], ["alpha=x"])


def test_a_story_is_a_stretch_of_many_claims_and_peaks_in_its_busiest_half_hour() -> None:
    (story,) = told(RISE)
    assert (story.narrative, story.claims, story.begins) == ("n", 85, at(0))
    assert story.peak == at(15)
    assert [one.narrative for one in told(RISE, floor=19)] == ["m", "n"]


def test_stretches_more_than_a_day_apart_are_two_stories() -> None:
    rows = activity(("n", 0, 30), ("n", 1000, 30), ("n", 4000, 40))
    assert [(story.claims, story.peak) for story in told(rows)] == [(60, at(15)), (40, at(4015))]


def test_the_first_official_word_is_a_voice_or_a_status_or_the_time_that_is_given() -> None:
    voices = pl.DataFrame([("fall", "n", at(30), "mayor"), ("fall", "n", at(50), "mayor")], schema=VOICES, orient="row")
    mark = StatusMark(at=at(20), event="fall", narrative="n", status=Status.DENIED, by="desk")
    open_again = StatusMark(at=at(1), event="fall", narrative="n", status=Status.UNCONFIRMED, by="desk")
    assert told(RISE, officials=Officials(voices, ()))[0].official == at(30)
    assert told(RISE, officials=Officials(voices, (open_again, mark)))[0].official == at(20)
    assert told(RISE, officials=Officials(voices, (mark,), at(-5)))[0].official == at(-5)
    assert told(RISE)[0].official is None


def test_a_story_is_missed_unless_an_alert_of_it_or_of_the_whole_event_fired_before_its_peak() -> None:
    found = told(RISE)
    day = timedelta(days=2)
    early, late = outcome([firing(10)], found, day), outcome([firing(16)], found, day)
    assert (early.missed, late.missed, early.per_day) == ((), tuple(found), 0.5)
    assert (early.leads(), late.leads()) == ([5 * MINUTE], [-MINUTE])
    assert outcome([firing(10, "")], found, day).missed == ()
    assert outcome([firing(10, "m")], found, day).missed == tuple(found)
    assert outcome([firing(-1500)], found, day).missed == tuple(found)
    assert outcome([], found, day).missed == tuple(found)


def test_only_the_first_alert_of_a_story_has_the_lead_and_an_alert_counts_once() -> None:
    found = told(RISE)
    again = an_alert(id="10n", at=at(12), narrative="n", state=AlertState.FIRING)
    steps = [firing(8, state=AlertState.PENDING), firing(10), again, firing(30)]
    done = outcome(steps, found, timedelta(hours=1))
    assert (len(done.fired), done.per_day, done.leads()) == (2, 2.0, [5 * MINUTE])


def written() -> tuple[list[Point], list[Outcome], list[Story]]:
    found = told(RISE)
    points = [Point(f"label={HOSTILE}{number}", {"label": HOSTILE}, ()) for number in range(14)]
    return points, [outcome([firing(10, label=HOSTILE)], found, timedelta(days=1)) for _ in points], found


def test_no_label_acts_in_a_spreadsheet() -> None:
    points, outcomes, _ = written()
    rows = list(csv.DictReader(io.StringIO(as_csv(points, outcomes).decode())))
    assert len(rows) == 14
    for row in rows:
        assert row["label"].startswith("'=HYPERLINK")
        assert not [value for value in row.values() if value[:1] in set("=+-@\t\r")]
        assert "\x1b" not in row["label"]
    assert (rows[0]["lead_to_peak_s"], rows[0]["first_official"]) == ("300.0", "")


def test_a_negative_lead_is_a_number_in_a_spreadsheet() -> None:
    found = told(RISE)
    row = as_csv([Point("p", {}, ())], [outcome([firing(16)], found, MINUTE)]).decode().splitlines()[1]
    assert ",-60.0," in row


def test_json_has_every_alert_of_every_point() -> None:
    points, outcomes, found = written()
    whole = json.loads(as_json(points, outcomes, found, {"posts": 3}))
    assert whole["posts"] == 3
    assert len(whole["points"]) == 14
    assert whole["points"][0]["alerts"][0]["peak"] == "2021-09-03T00:15:00Z"
    assert whole["points"][0]["median_lead_s"] == 300
    assert whole["stories"][0]["claims"] == 85


def test_no_label_acts_in_a_picture() -> None:
    points, outcomes, found = written()
    drawn = picture(points, outcomes, found, RISE)
    root = ET.fromstring(drawn)  # noqa: S314 -- our own, and that it parses is the point
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "g", "rect", "path", "text", "circle"}
    assert "HYPERLINK" in drawn
    assert drawn == picture(points, outcomes, found, RISE)


def test_a_picture_of_nothing_says_so() -> None:
    assert "no narrative was claimed often enough" in picture([], [], [], activity())
    plain = outcome([], [], timedelta())
    assert "no point alerted" in picture([Point("p", {}, ())], [plain], [], activity())


def test_rules_that_only_the_policy_heeds_are_known_by_name() -> None:
    assert {"for", "keep_firing", "alert_on"} <= {field.encode_name for field in msgspec.structs.fields(Rules)}
