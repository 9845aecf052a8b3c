"""Backtests of an archive: what fired live fires again, and the desk's answers give a precision per point."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest

from monitor.app import Walk
from monitor.app.backtest.archived import count_archive, precision, wilson
from monitor.app.backtest.counts import CountsReader
from monitor.app.backtest.judging import judged
from monitor.app.backtest.stories import Fired, Outcome
from monitor.app.walk import rates_of
from monitor.cluster.narratives import narrative_id
from monitor.marks import GapMark, Mark, MergeMark, Silence, Status, StatusMark
from monitor.records import Alert, AlertState, Answer
from monitor.store.reader import Reader
from monitor.store.store import Commit, Store
from monitor.watched import Event
from tests.app.test_backtest import GRID, MARKS, cut, with_rules
from tests.fakes.alerts import AT, an_alert
from tests.fakes.stream import BANK, BEGIN, EVENT, feed
from tests.fakes.tagger import WordTagger

RATES = rates_of(WordTagger())  # type: ignore[arg-type]


def archived(path: Path, events: Sequence[Event], seed: int, marks: Sequence[Mark]) -> list[Alert]:
    """An archive as a daemon leaves it; the steps of its alerts."""
    walk, steps = Walk(events, WordTagger()), []  # type: ignore[arg-type]
    with Store(f"sqlite:///{path}") as store:
        waiting = sorted(marks, key=takes_effect)
        for part in cut(feed(seed).filter(pl.col("op") != "delete"), 60):
            batch = part._replace(marks=tuple(mark for mark in waiting if takes_effect(mark) <= part.upto))
            waiting = waiting[len(batch.marks) :]
            walked = walk(batch)
            steps += walked.alerts
            store.commit(
                Commit(
                    walked.mentions,
                    state=walked.state,
                    alerts=walked.alerts,
                    gaps=[mark for mark in batch.marks if isinstance(mark, GapMark)],
                    statuses=[mark for mark in batch.marks if isinstance(mark, StatusMark)],
                    silences=[mark for mark in batch.marks if isinstance(mark, Silence)],
                    rulings=[mark for mark in batch.marks if isinstance(mark, MergeMark)],
                )
            )
    return steps


def takes_effect(mark: Mark) -> datetime:
    """When a mark comes to the daemon: an outage once it is over."""
    return mark.ends if isinstance(mark, GapMark) else mark.begins_at if isinstance(mark, Silence) else mark.at


def plain(steps: Sequence[Alert]) -> list[Alert]:
    return [msgspec.structs.replace(step, label="", label_of=None, evidence=(), series=None) for step in steps]


MERGE = MergeMark(
    at=BEGIN + timedelta(hours=4, minutes=20),
    event="fall",
    narrative=narrative_id("fall", "number:17"),
    into=narrative_id("fall", ""),
    by="desk",
)


@pytest.mark.parametrize("marks", [(), MARKS, (MERGE,)], ids=["plain", "marked", "merged"])
def test_an_archive_fires_again_what_fired_live(marks: Sequence[Mark], tmp_path: Path) -> None:
    events = with_rules(GRID[3], EVENT, BANK)
    live = archived(tmp_path / "a.sqlite", events, 2, marks)
    (tmp_path / "counts").mkdir()
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        assert sum(progress.mentions for progress in count_archive(reader, events, tmp_path / "counts")) > 0
    found = judged(CountsReader(tmp_path / "counts"), [events], RATES)[0]
    assert plain(found) == plain(live)
    assert any(step.state is AlertState.FIRING for step in live)


def test_narratives_of_an_archive_are_called_as_their_alerts_were(tmp_path: Path) -> None:
    events = with_rules(GRID[3], EVENT, BANK)
    live = archived(tmp_path / "a.sqlite", events, 2, ())
    (tmp_path / "counts").mkdir()
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        for _ in count_archive(reader, events, tmp_path / "counts"):
            pass
    found = judged(CountsReader(tmp_path / "counts"), [events], RATES)[0]
    assert {step.label for step in found} == {step.label for step in live}


def test_a_status_of_an_archive_settles_again(tmp_path: Path) -> None:
    events = with_rules(GRID[3], EVENT, BANK)
    firing = next(one for one in archived(tmp_path / "a.sqlite", events, 2, ()) if one.rule == "race")
    at = firing.at + timedelta(minutes=1)
    mark = StatusMark(at=at, event="fall", narrative=firing.narrative, status=Status.DENIED, by="desk")
    with Store(f"sqlite:///{tmp_path}/a.sqlite") as store:
        store.commit(Commit(feed(1).clear(), statuses=[mark]))
    (tmp_path / "counts").mkdir()
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        for _ in count_archive(reader, events, tmp_path / "counts"):
            pass
    found = judged(CountsReader(tmp_path / "counts"), [events], RATES)[0]
    assert "status_set" in {step.reason for step in found}


def test_of_the_outage_of_a_part_it_is_counted_what_was_known_while_it_lasted(tmp_path: Path) -> None:
    first, last = BEGIN + timedelta(hours=4, minutes=3), BEGIN + timedelta(hours=4, minutes=25)
    gap = GapMark(source="feeds: a", begins=first, ends=last, why="down")
    archived(tmp_path / "a.sqlite", [EVENT], 2, [gap])
    (tmp_path / "counts").mkdir()
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        for _ in count_archive(reader, [EVENT], tmp_path / "counts"):
            pass
    known = [one for counts in CountsReader(tmp_path / "counts") for one in counts.counted.gaps]
    assert [(one.begins, (one.ends - BEGIN) / timedelta(minutes=1), one.goes_on) for one in known] == [
        (first, 250, True),
        (first, 260, True),
        (first, 265, False),
    ]


def test_an_empty_archive_fires_nothing(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/a.sqlite").close()
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        assert list(count_archive(reader, [EVENT], tmp_path)) == []
    assert judged(CountsReader(tmp_path), [[EVENT]], RATES) == [[]]


def fired(*alerts: Alert) -> Outcome:
    return Outcome(tuple(Fired(alert, None) for alert in alerts), 1.0, 1, (), 0)


def test_the_precision_of_a_point_is_of_the_answered_alerts_that_it_would_have_fired() -> None:
    alerts = [an_alert(id=f"a{number}", narrative=f"n{number}") for number in range(5)]
    answers = [Answer(at=BEGIN, alert=f"a{number}", useful=number < 2) for number in range(4)]
    late = an_alert(narrative="n1", since=alerts[1].since + timedelta(hours=2))
    again = [an_alert(narrative=f"n{number}", since=AT) for number in (0, 2, 4)]
    found = precision(fired(late, *again), alerts, answers)
    assert (found.answered, found.all_useful, found.fired, found.useful) == (4, 2, 2, 1)


def test_an_alert_of_another_event_is_another_alert() -> None:
    asked = [an_alert(id="a")]
    answers = [Answer(at=BEGIN, alert="a", useful=True)]
    assert precision(fired(an_alert(event="other")), asked, answers).fired == 0
    assert precision(fired(an_alert()), asked, answers).fired == 1


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"), [(0, 0, 0, 1), (0, 10, 0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1)]
)
def test_the_interval_is_wilsons(hits: int, tries: int, low: float, high: float) -> None:
    assert wilson(hits, tries) == pytest.approx((low, high), abs=1e-4)
