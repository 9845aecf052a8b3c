import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.app import Walk, Walked
from monitor.frames import CLUSTERED, Batch
from monitor.marks import Correction, GapMark, Mark, Silence, Status, StatusMark
from monitor.records import AlertState
from tests.fakes.stream import BEGIN, EVENT, posts, story
from tests.fakes.tagger import WordTagger


def time_of(mark: Mark) -> datetime:
    """When a mark comes."""
    return mark.ends if isinstance(mark, GapMark) else mark.at or BEGIN


def walk(stream: pl.DataFrame, cuts: Sequence[int] = (), marks: Sequence[Mark] = ()) -> list[Walked]:
    """Walks a stream cut before the rows in `cuts`; marks come with the first batch that reaches their time."""
    stage = Walk([EVENT], WordTagger())  # type: ignore[arg-type]
    edges = sorted({0, stream.height, *(cut for cut in cuts if cut < stream.height)})
    waiting = list(marks)
    walked = []
    for begin, end in itertools.pairwise(edges):
        part = stream[begin:end]
        upto = part["seen_at"][-1]
        due = tuple(mark for mark in waiting if time_of(mark) <= upto)
        waiting = [mark for mark in waiting if time_of(mark) > upto]
        walked.append(stage(Batch(part, upto=upto, marks=due)))
    return walked


def alerts(walked: Sequence[Walked]) -> bytes:
    return b"\n".join(msgspec.json.encode(alert) for one in walked for alert in one.alerts)


def test_a_claim_that_outruns_its_denials_fires_one_race_alert_with_evidence() -> None:
    steps = [alert for one in walk(story(1)) for alert in one.alerts]
    fired = [alert for alert in steps if alert.state is AlertState.FIRING]
    assert {(alert.id, alert.rule) for alert in fired} == {(fired[0].id, "race")}
    assert fired[0].event == EVENT.name
    assert fired[0].label == EVENT.proposition
    assert fired[0].status is Status.UNCONFIRMED
    assert fired[0].claims >= EVENT.rules.minimum_originals
    assert {evidence.tag for evidence in fired[0].evidence} >= {"claim"}
    assert steps[0].state is AlertState.PENDING


def test_chatter_alone_fires_nothing() -> None:
    assert alerts(walk(story(1, claims=0, denials=0, chatter_hours=30))) == b""


def test_claims_and_denials_that_run_equally_fast_fire_nothing() -> None:
    assert not [
        alert
        for one in walk(story(2, claims=60, denials=60))
        for alert in one.alerts
        if alert.state is AlertState.FIRING
    ]


def test_the_evidence_of_an_alert_was_seen_before_it() -> None:
    walked = walk(story(3))
    seen = dict(
        pl.concat([one.mentions for one in walked]).filter(pl.col("op") == "create").select("id", "seen_at").rows()
    )
    for alert in (alert for one in walked for alert in one.alerts):
        assert alert.evidence
        assert all(seen[evidence.id] < alert.at for evidence in alert.evidence)


def test_mentions_carry_every_column_of_the_schema() -> None:
    for one in walk(story(1), [50, 51, 200]):
        assert dict(one.mentions.schema) == dict(pl.DataFrame(schema=CLUSTERED).schema)


@settings(max_examples=10)
@given(st.integers(0, 10), st.lists(st.integers(1, 400), max_size=12))
def test_any_cut_of_a_stream_into_batches_gives_byte_identical_alerts_and_archive(seed: int, cuts: list[int]) -> None:
    stream = story(seed)
    whole, parts = walk(stream), walk(stream, cuts)
    assert alerts(parts) == alerts(whole) != b""
    archived = pl.concat([one.mentions for one in parts])
    assert archived.equals(pl.concat([one.mentions for one in whole]))


SECONDS = st.integers(20_000, 24_000)
OUTAGES = st.lists(st.tuples(st.sampled_from("st"), st.lists(SECONDS, min_size=2, max_size=5, unique=True)), max_size=3)
SILENCES = st.lists(st.tuples(SECONDS, st.sampled_from("ab"), SECONDS, SECONDS), max_size=5)


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10), st.lists(st.integers(150, 450), max_size=12), OUTAGES, SILENCES)
def test_any_cut_gives_byte_identical_alerts_whatever_is_marked(
    seed: int, cuts: list[int], outages: list[tuple[str, list[int]]], silences: list[tuple[int, str, int, int]]
) -> None:
    marks: list[Mark] = [
        GapMark(source=source, begins=at(begins), ends=at(ends), why="down")
        for source, seconds in outages
        for begins, ends in itertools.pairwise(sorted(seconds))
    ]
    marks += [
        Silence(id=name, owner="d", comment="c", begins_at=at(begins), expires_at=at(expires + 0.5), at=at(made + 0.25))
        for made, name, begins, expires in silences
    ]
    marks.sort(key=time_of)
    stream = story(seed)
    assert alerts(walk(stream, cuts, marks)) == alerts(walk(stream, (), marks))


@pytest.mark.parametrize("cuts", [[], [5], [19], [20], [21], [7, 20, 33], list(range(1, 40))])
def test_an_editors_tag_holds_for_what_is_seen_from_its_time_on_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream = posts(*({"at": 60.0 * number, "text": "bazarak has fallen"} for number in range(40)))
    (told,) = walk(stream)
    reads = Walk([EVENT], WordTagger()).reads(told.mentions)  # type: ignore[arg-type]
    tag = {"event": EVENT.name, "platform": "x", "id": "p0", "tag": "question", "by": "desk", "reads": reads[0]}
    parts = walk(stream, cuts, [Correction(at=at(20 * 60), **tag)])
    given = pl.concat([one.mentions for one in parts])["tag"].to_list()
    assert given == ["claim"] * 20 + ["question"] * 20


@pytest.mark.parametrize("status", [Status.CONFIRMED, Status.DENIED, Status.DEBUNKED])
def test_a_status_resolves_the_alert_at_once(status: Status) -> None:
    stream = pl.concat([story(1), posts({"at": 9 * 3600, "text": "quiet about bazarak", "id": "last"})])
    fired = next(a for one in walk(stream) for a in one.alerts if a.state is AlertState.FIRING)
    at = fired.at + timedelta(minutes=1)
    mark = StatusMark(at=at, event=fired.event, narrative=fired.narrative, status=status, by="desk")
    cuts = list(range(10, stream.height, 10))
    steps = [alert for one in walk(stream, cuts, [mark]) for alert in one.alerts]
    assert steps[-1].state is AlertState.RESOLVED
    assert steps[-1].status is status
    assert steps[-1].at - at < timedelta(minutes=5)
