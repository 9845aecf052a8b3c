"""An archive walked again fires what the daemon fired, byte for byte, with everything that came beside posts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.app import Walk
from monitor.app.archived import walked_again, watched_first
from monitor.cluster.narratives import narrative_id
from monitor.frames import MENTIONS, ORDER, Batch
from monitor.marks import Correction, GapMark, Mark, MergeMark, Silence, SplitMark, Status, StatusMark
from monitor.records import Alert, AlertState
from monitor.store.reader import Reader
from monitor.store.store import Commit, Store
from monitor.watched import Duration, Event, Rules, Voice, VoiceKind
from tests.fakes.stream import BANK, BEGIN, EVENT, feed
from tests.fakes.tagger import WordTagger

START = 4 * 3600
"""The second in which the feed's half hour begins."""
READY = Rules(alpha=0.2, for_=Duration(seconds=1), alert_on=("race", "spike", "volume"), minimum_originals=5, volume=8)
WIRE = Voice(name="The Agency", kind=VoiceKind.WIRE, accounts=("x:w7", "t:w7"))
FALL = msgspec.structs.replace(EVENT, rules=READY, voices=(WIRE,))
SAVINGS = msgspec.structs.replace(BANK, rules=READY)
FEWER = msgspec.structs.replace(FALL, rules=Rules(alpha=0.01, minimum_originals=20, for_=Duration(minutes=9)))


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


def seen_when_closed(stream: pl.DataFrame) -> pl.DataFrame:
    """As a daemon has it: all posts of forty seconds are seen at once, when their batch closes."""
    return stream.with_columns(pl.col("seen_at").dt.truncate("40s") + timedelta(seconds=40, milliseconds=250)).sort(
        ORDER
    )


def reads(text: str) -> str:
    row = pl.DataFrame([{"event": "fall", "text": text, "op": "create"}])
    whole = row.select((pl.col(n) if n in row.columns else pl.lit(None)).cast(t).alias(n) for n, t in MENTIONS.items())
    return str(Walk([FALL], WordTagger()).reads(whole)[0])  # type: ignore[arg-type]


def marks() -> list[tuple[float, Mark]]:
    """The second at which each comes, and the mark."""
    main, killed = narrative_id("fall", ""), narrative_id("fall", "number:17")
    told: dict[str, Any] = {"event": "fall", "by": "desk"}
    quiet: dict[str, Any] = {"id": "q", "owner": "o", "comment": "c", "event": "fall", "begins_at": at(START)}
    made: dict[float, Mark] = {
        3_000.7: GapMark(source="s", begins=at(2_000), ends=at(3_000.7), why="down"),
        START + 200.9: GapMark(source="t", begins=at(START), ends=at(START + 200.9), why="down"),
        START + 100.9: Silence(**quiet, expires_at=at(START + 900), at=at(START + 100.9)),
        START + 500.4: MergeMark(at=at(START + 500.4), narrative=killed, into=main, **told),
        START + 600.6: Silence(**quiet, expires_at=at(START + 601), at=at(START + 600.6)),
        START + 700.2: Correction(
            at=at(START + 700.2), platform="x", id="p", tag="denial", reads=reads("it has fallen"), **told
        ),
        START + 900.8: SplitMark(at=at(START + 900.8), narrative=main, platform="x", id="m10", says=(5, 6), **told),
        START + 1_100.1: SplitMark(at=at(START + 1_100.1), narrative=killed, **told),
        START + 1_300.3: StatusMark(at=at(START + 1_300.3), narrative=main, status=Status.DENIED, **told),
        START + 1_500.3: StatusMark(at=at(START + 1_500.3), narrative=main, status=Status.UNCONFIRMED, **told),
    }
    return sorted(made.items())


def live(
    path: Path, stream: pl.DataFrame, came: Sequence[tuple[float, Mark]], watched: dict[float, list[Event]]
) -> list[Alert]:
    """Walks and commits what a daemon would; a batch closes now and then, and a change of events closes one, too."""
    first, *changes = sorted(watched)
    walk = Walk(watched[first], WordTagger())  # type: ignore[arg-type]
    closes = set(stream["seen_at"].unique()) | {at(second) + timedelta(milliseconds=90) for second, _ in came}
    closes |= {at(second) for second in changes} | {at(second) - timedelta(milliseconds=300) for second in changes}
    waiting, steps = list(came), []
    with Store(f"sqlite:///{path}") as store:
        for closed in [at(1), *sorted(closes), at(START + 9_000)]:
            due = [mark for second, mark in waiting if at(second) <= closed]
            waiting = [pair for pair in waiting if at(pair[0]) > closed]
            changed = [second for second in changes if at(second) == closed]
            if changed:
                walk.watch(Walk.prepared(watched[changed[0]]))
            walked = walk(Batch(stream.filter(pl.col("seen_at") == closed), closed, tuple(due)))
            steps += walked.alerts
            store.commit(
                Commit(
                    walked.mentions,
                    state=walked.state,
                    alerts=walked.alerts,
                    exchanges=walked.exchanges,
                    gaps=[mark for mark in due if isinstance(mark, GapMark)],
                    statuses=[mark for mark in (*due, *walked.said) if isinstance(mark, StatusMark)],
                    silences=[mark for mark in due if isinstance(mark, Silence)],
                    corrections=[mark for mark in due if isinstance(mark, Correction)],
                    rulings=[mark for mark in due if isinstance(mark, MergeMark | SplitMark)],
                )
            )
    return steps


def again(path: Path, size: int) -> list[Alert]:
    with Reader(f"sqlite:///{path}") as reader:
        walk = Walk(watched_first(reader) or [], WordTagger())  # type: ignore[arg-type]
        steps: list[Alert] = []
        for step in walked_again(reader, size):
            if step.events is not None:
                walk.watch(Walk.prepared(step.events))
            steps += walk(step.batch).alerts
        return steps


def lines(steps: Sequence[Alert]) -> list[bytes]:
    return [msgspec.json.encode(step) for step in steps]


def created(seed: int) -> pl.DataFrame:
    return seen_when_closed(feed(seed).filter(pl.col("op") == "create"))


@pytest.mark.parametrize("size", [31, 100_000])
def test_it_fires_what_fired_live_with_every_kind_of_mark_and_change_of_events(tmp_path: Path, size: int) -> None:
    watched = {
        0.0: [FALL],
        START + 60.9: [FALL, SAVINGS],
        START + 1_000.9: [FEWER, SAVINGS],
        START + 1_200.9: [SAVINGS],
        START + 1_250.9: [FALL, SAVINGS],
    }
    steps = live(tmp_path / "a.sqlite", created(2), marks(), watched)
    assert lines(again(tmp_path / "a.sqlite", size)) == lines(steps)
    assert {AlertState.FIRING, AlertState.RESOLVED} <= {step.state for step in steps}
    assert {"event_removed"} <= {step.reason for step in steps}
    assert any(step.silenced for step in steps)


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 200), st.integers(20, 400), st.data())
def test_it_does_so_whatever_was_marked_when(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("again") / "a.sqlite"
    chosen = data.draw(st.lists(st.sampled_from(marks()), unique_by=lambda pair: pair[0]))
    steps = live(path, created(seed), sorted(chosen, key=lambda pair: pair[0]), {0.0: [FALL, SAVINGS]})
    assert lines(again(path, size)) == lines(steps)


def test_a_status_that_a_voice_set_is_read_in_its_post_and_not_set_twice(tmp_path: Path) -> None:
    stream = created(3)
    steps = live(tmp_path / "a.sqlite", stream, (), {0.0: [FALL]})
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        said = reader.statuses(100)
        assert said
        assert all(mark.voice for mark in said)
        told = [mark for step in walked_again(reader) for mark in step.batch.marks]
    assert told == []
    assert lines(again(tmp_path / "a.sqlite", 50)) == lines(steps)
    assert "status_set" in {step.reason for step in steps}


def test_a_deleted_post_is_missing_and_an_edited_one_has_its_last_text(tmp_path: Path) -> None:
    stream = created(1)
    own = stream.filter(pl.col("text").str.contains("bazarak has fallen")).unique("id", maintain_order=True)
    gone, edited = (own.row(number, named=True) for number in (0, 1))
    changes = [
        gone | {"op": "delete", "text": None, "seen_at": at(START + 8_000)},
        edited | {"op": "update", "text": "bazarak is at peace", "seen_at": at(START + 8_001)},
    ]
    whole = pl.concat([stream, pl.DataFrame(changes, schema=stream.schema)]).sort(ORDER)
    live(tmp_path / "a.sqlite", whole, (), {0.0: [FALL]})
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        walk = Walk([FALL], WordTagger())  # type: ignore[arg-type]
        mentions = pl.concat([walk(step.batch).mentions for step in walked_again(reader)])
    assert gone["id"] not in mentions["id"].to_list()
    of_edited = mentions.filter(id=edited["id"], platform=edited["platform"])
    assert of_edited.select("text", pl.col("tag").cast(pl.String)).rows() == [("bazarak is at peace", "other")]


def test_the_outage_of_a_part_is_known_every_ten_minutes_while_it_lasted_and_that_of_a_source_at_its_end(
    tmp_path: Path,
) -> None:
    parts = [GapMark(source=f"s: {part}", begins=at(100), ends=at(1_500), why="down") for part in "ab"]
    whole = GapMark(source="t", begins=at(50), ends=at(1_400), why="down")
    with Store(f"sqlite:///{tmp_path}/a.sqlite") as store:
        store.commit(Commit(pl.DataFrame(schema=MENTIONS), gaps=[*parts, whole]))
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        steps = [step.batch for step in walked_again(reader) if step.batch.marks]
    pieces = [tuple(msgspec.structs.replace(gap, ends=at(end), goes_on=True) for gap in parts) for end in (600, 1_200)]
    assert [batch.marks for batch in steps] == [*pieces, (whole,), (parts[0],), (parts[1],)]
    assert [batch.upto for batch in steps] == [at(600), at(1_200), at(1_400), at(1_500), at(1_500)]


def test_an_empty_archive_has_nothing_to_walk(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/a.sqlite").close()
    with Reader(f"sqlite:///{tmp_path}/a.sqlite") as reader:
        assert watched_first(reader) is None
        assert list(walked_again(reader)) == []
