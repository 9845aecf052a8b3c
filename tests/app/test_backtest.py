"""Backtests: that they fire what a replay fires, whatever is shared, and what they say of stories."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest

from monitor.app import Walk
from monitor.app.backtest.count import count_recording
from monitor.app.backtest.counts import Counts, CountsReader, Labels
from monitor.app.backtest.judging import Judging, judged, order
from monitor.app.backtest.stories import Officials
from monitor.app.backtest.workers import judged_by
from monitor.app.walk import rates_of
from monitor.clock import SystemClock
from monitor.frames import ORDER, Batch
from monitor.marks import GapMark, Mark, Silence, Status, StatusMark
from monitor.records import Alert
from monitor.watched import Duration, Event, Rules, Voice, VoiceKind
from tests.fakes.stream import BANK, BEGIN, EVENT, feed, posts, story
from tests.fakes.tagger import WordTagger

GRID = (
    Rules(),
    Rules(alpha=0.2),
    Rules(alpha=0.2, keep_firing=Duration(minutes=1)),
    Rules(for_=Duration(seconds=1), alert_on=("race", "spike")),
    Rules(spike_ratio=1.5, spike_score=1.0, warm_up=Duration(hours=1), minimum_originals=3, minimum_authors=2),
    Rules(minimum_originals=500, quiet=Duration(minutes=10)),
)
RATES = rates_of(WordTagger())  # type: ignore[arg-type]
MARKS: tuple[Mark, ...] = (
    GapMark(source="s", begins=BEGIN + timedelta(hours=1), ends=BEGIN + timedelta(hours=2), why="down"),
    Silence(id="a", event="fall", owner="d", comment="c", begins_at=BEGIN, expires_at=BEGIN + timedelta(hours=5)),
)


def with_rules(rules: Rules, *events: Event) -> tuple[Event, ...]:
    return tuple(msgspec.structs.replace(event, rules=rules) for event in events)


def cut(stream: pl.DataFrame, size: int, marks: Sequence[Mark] = ()) -> list[Batch]:
    """A stream in batches of `size` posts; the marks come with the second one."""
    parts = list(stream.iter_slices(size))
    made = [Batch(part, part["seen_at"][-1], tuple(marks) if number == 1 else ()) for number, part in enumerate(parts)]
    return [*made, Batch(stream.clear(), made[-1].upto + timedelta(hours=9))]


def replayed(batches: Sequence[Batch], events: Sequence[Event]) -> bytes:
    """What `monitor replay` writes, but for the posts and the curve that are shown."""
    walk = Walk(events, WordTagger())  # type: ignore[arg-type]
    return written([alert for batch in batches for alert in walk(batch).alerts])


def written(steps: Sequence[Alert]) -> bytes:
    return b"\n".join(
        msgspec.json.encode(msgspec.structs.replace(step, label_of=None, evidence=(), series=None)) for step in steps
    )


def counted(batches: Sequence[Batch], events: Sequence[Event], folder: Path) -> CountsReader:
    for _ in count_recording(batches, events, WordTagger(), folder, SystemClock()):  # type: ignore[arg-type]
        pass
    return CountsReader(folder)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("marks", [(), MARKS], ids=["plain", "marked"])
def test_every_point_of_the_grid_fires_byte_for_byte_what_a_replay_by_its_rules_fires(
    seed: int, marks: Sequence[Mark], tmp_path: Path
) -> None:
    batches = cut(feed(seed), 50, marks)
    points = [with_rules(rules, EVENT, BANK) for rules in GRID]
    reader = counted(batches, points[0], tmp_path)
    found = judged(reader, points, RATES)
    assert [written(steps) for steps in found] == [replayed(batches, events) for events in points]
    assert len({written(steps) for steps in found}) > 1


def test_a_status_in_the_stream_settles_what_it_settled(tmp_path: Path) -> None:
    stream = story(1)
    events = with_rules(Rules(for_=Duration(seconds=1)), EVENT)
    plain = judged(counted(cut(stream, 400), events, tmp_path), [events], RATES)[0]
    name, at = plain[0].narrative, plain[0].at + timedelta(minutes=2)
    mark = StatusMark(at=at, event="fall", narrative=name, status=Status.DENIED, by="desk")
    row = int(stream["seen_at"].search_sorted(at))
    batches = [*cut(stream[:row], row)[:1], *cut(stream[row:], 100)]
    batches[1] = batches[1]._replace(marks=(mark,))
    (tmp_path / "b").mkdir()
    found = judged(counted(batches, events, tmp_path / "b"), [events], RATES)[0]
    assert written(found) == replayed(batches, events)
    assert [step.reason for step in found if step.reason == "status_set"]


def test_both_cores_find_what_one_finds(tmp_path: Path) -> None:
    points = [with_rules(rules, EVENT, BANK) for rules in GRID]
    counted(cut(feed(3), 64), points[0], tmp_path)
    heard: list[tuple[int, int]] = []
    apart = judged_by(2, tmp_path, points, RATES, lambda done, whole: heard.append((done, whole)))
    alone = judged_by(1, tmp_path, points, RATES)
    assert [written(steps) for steps in apart] == [written(steps) for steps in alone]
    assert heard[-1][0] == heard[-1][1] > 0


def test_points_that_share_findings_stand_together() -> None:
    points = [with_rules(rules, EVENT) for rules in (GRID[0], GRID[4], GRID[3], GRID[1], GRID[2])]
    assert {tuple(sorted(order(points)[:2])), tuple(sorted(order(points)[-2:]))} & {(0, 2), (3, 4)}


def test_an_empty_recording_fires_nothing(tmp_path: Path) -> None:
    empty = feed(1).clear()
    events = with_rules(Rules(), EVENT)
    reader = counted([Batch(empty, BEGIN)], events, tmp_path)
    assert judged(reader, [events], None) == [[]]
    assert reader.recorded.totals.posts == 0
    assert reader.recorded.totals.begins is None


def test_the_word_of_a_registered_voice_settles_as_in_a_replay_and_is_the_first_official_one(tmp_path: Path) -> None:
    voices = (
        Voice(name="mayor", kind=VoiceKind.OFFICIAL, accounts=("x:mayor",)),
        Voice(name="them", kind=VoiceKind.PARTY, accounts=("x:them",)),
    )
    event = msgspec.structs.replace(EVENT, voices=voices, rules=Rules(for_=Duration(seconds=1)))
    said = posts(
        {"at": 6 * 3600 + 1500, "text": "bazarak that is a lie and we stand in it now", "author": "mayor", "id": "v1"},
        {"at": 6 * 3600 + 60, "text": "bazarak has fallen to us alone today", "author": "them", "id": "v2"},
    )
    stream = pl.concat([story(1), said]).sort(ORDER)
    batches = cut(stream, 97)
    reader = counted(batches, [event], tmp_path)
    found = judged(reader, [[event]], RATES)[0]
    assert written(found) == replayed(batches, [event])
    assert [step.reason for step in found if step.reason == "status_set"]
    assert set(reader.frame("voices")["voice"]) == {"mayor"}
    officials = Officials(reader.frame("voices"), reader.recorded.statuses)
    first = officials.first("fall", found[0].narrative, BEGIN, BEGIN + timedelta(days=1))
    assert first == BEGIN + timedelta(hours=6, seconds=1500)


def test_a_part_in_which_an_event_was_not_spoken_of_is_the_same_for_all_that_share_its_measures(tmp_path: Path) -> None:
    stream = feed(2, early=False)
    late = stream[-1:].with_columns(pl.col("seen_at", "posted_at") + timedelta(minutes=40), text=pl.lit("the bank"))
    batches = [*cut(stream, 100)[:-1], Batch(late.with_columns(id=pl.lit("new")), late["seen_at"][0])]
    points = [with_rules(msgspec.structs.replace(rules, alert_on=("race", "spike")), EVENT, BANK) for rules in GRID[:3]]
    for name in "ab":
        (tmp_path / name).mkdir()
    counted(batches, points[0], tmp_path / "a")
    parts = Judging(points, RATES, Labels(CountsReader(tmp_path / "a").frame("labels"), {}))
    whole = CountsReader(tmp_path / "a")
    walk = Walk(points[0], WordTagger())  # type: ignore[arg-type]
    for batch in batches:
        walked = walk(batch)
        parts(Counts(walked.counted, walked.upto))
    assert [len(steps) for steps in parts.steps] == [len(steps) for steps in judged(whole, points, RATES)]
    assert [step.reason for step in parts.steps[2] if step.rule == "spike"]
