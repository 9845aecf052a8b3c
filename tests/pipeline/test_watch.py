"""Events are exchanged between two batches, without a restart."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.app.walk import UPTO, Walk
from monitor.app.walked import Walked
from monitor.errors import SettingsError
from monitor.frames import REMEMBERED, Batch
from monitor.judge.races import starts_of
from monitor.records import Alert, AlertState
from monitor.watched import Duration, Event, Rules
from tests.fakes.stream import BANK, BEGIN, EVENT, feed, story
from tests.fakes.tagger import WordTagger

NOTHING = pl.DataFrame(schema=REMEMBERED)
BOTH = (EVENT, BANK)


def new_walk(*events: Event) -> Walk:
    return Walk(events, WordTagger())  # type: ignore[arg-type]


def walk(
    stage: Walk, stream: pl.DataFrame, cuts: Sequence[int], swaps: Mapping[int, Sequence[Event]] | None = None
) -> list[Walked]:
    """Walks a stream in batches; before a batch the events may be exchanged."""
    edges = [0, *sorted({cut % stream.height for cut in cuts} - {0}), stream.height]
    walked = []
    for number, (begin, end) in enumerate(itertools.pairwise(edges)):
        if swaps and number in swaps:
            stage.watch(stage.prepared(swaps[number]))
        walked.append(stage(Batch(stream[begin:end], upto=stream["seen_at"][end - 1])))
    return walked


def alerts(walked: Sequence[Walked], *events: Event) -> list[Alert]:
    names = {event.name for event in events}
    return [alert for one in walked for alert in one.alerts if alert.event in names]


def archived(walked: Sequence[Walked], event: Event) -> pl.DataFrame:
    return pl.concat([one.mentions for one in walked]).filter(pl.col("event") == event.name)


def state(walked: Sequence[Walked]) -> dict[str, bytes]:
    """The rows as the store holds them after these batches."""
    rows: dict[str, bytes] = {}
    for one in walked:
        rows |= one.state
    return {key: row for key, row in rows.items() if row}


def stamped(stream: pl.DataFrame) -> pl.DataFrame:
    """Nothing is late: how late a source is, all events' mentions say together."""
    return stream.with_columns(posted_at=pl.when(pl.col("posted_at").is_not_null()).then("seen_at"))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(1, 300), max_size=10), st.sets(st.integers(0, 10), min_size=1))
def test_exchanging_events_for_the_same_ones_changes_no_byte(seed: int, cuts: list[int], at: set[int]) -> None:
    stream = feed(seed)
    straight = walk(new_walk(*BOTH), stream, cuts)
    swapped = walk(new_walk(*BOTH), stream, cuts, dict.fromkeys(at, BOTH))
    assert msgspec.json.encode(alerts(swapped, *BOTH)) == msgspec.json.encode(alerts(straight, *BOTH))
    assert all(archived(swapped, event).equals(archived(straight, event)) for event in BOTH)
    assert state(swapped) == state(straight)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(1, 300), max_size=10), st.integers(0, 10), st.booleans())
def test_an_added_or_removed_event_changes_nothing_for_the_others(
    seed: int,
    cuts: list[int],
    at: int,
    added: bool,  # noqa: FBT001
) -> None:
    stream = stamped(feed(seed)).filter(pl.col("platform") == "x")
    straight = walk(new_walk(EVENT), stream, cuts)
    first, then = ((EVENT,), BOTH) if added else (BOTH, (EVENT,))
    swapped = walk(new_walk(*first), stream, cuts, {at: then})
    assert msgspec.json.encode(alerts(swapped, EVENT)) == msgspec.json.encode(alerts(straight, EVENT))
    assert archived(swapped, EVENT).equals(archived(straight, EVENT))


def test_an_added_event_has_mentions_from_the_next_post_on_and_warms_up() -> None:
    stream = feed(3)
    walked = walk(new_walk(EVENT), stream, [100, 200], {1: BOTH})
    assert [one.mentions.filter(pl.col("event") == "bank").height > 0 for one in walked] == [False, True, True]
    assert not alerts(walked, BANK)


def test_changed_terms_take_effect_with_the_next_post_and_what_was_known_stays_known() -> None:
    wider = msgspec.structs.replace(EVENT, any=("bazarak", "bank"))
    stream = feed(3)
    straight = walk(new_walk(EVENT), stream, [100, 200])
    walked = walk(new_walk(EVENT), stream, [100, 200], {1: (wider,)})
    assert walked[0].mentions.equals(straight[0].mentions)
    assert walked[1].mentions.height > straight[1].mentions.height
    assert alerts(walked, EVENT)


def firing(stage: Walk) -> tuple[list[Walked], pl.DataFrame]:
    """A walk in the middle of a firing alert, and what follows."""
    stream = story(1)
    cuts = list(range(10, stream.height, 10))
    at = next(
        number
        for number, one in enumerate(walk(new_walk(EVENT), stream, cuts))
        if any(alert.state is AlertState.FIRING for alert in one.alerts)
    )
    rows = (at + 1) * 10
    return walk(stage, stream[:rows], cuts[:at]), stream[rows:]


def test_the_firing_alert_of_a_removed_event_is_resolved_with_its_reason_and_its_rows_go() -> None:
    stage = new_walk(EVENT)
    before, rest = firing(stage)
    stage.watch(stage.prepared([BANK]))
    after = stage(Batch(rest, upto=rest["seen_at"][-1]))
    (alert,) = after.alerts
    assert (alert.state, alert.reason, alert.id) == (AlertState.RESOLVED, "event_removed", before[-1].alerts[-1].id)
    assert alert.evidence
    assert alert.label == EVENT.proposition
    assert after.mentions.is_empty()
    left = [key for key in state([*before, after]) if "fall" in key or "alert/live" in key]
    assert left == ["judge/event/fall/races/"]


def test_an_event_removed_while_the_monitor_did_not_run_is_resolved_at_the_start() -> None:
    stage = new_walk(EVENT)
    before, rest = firing(stage)
    second = new_walk(BANK)
    second.restore(state(before), NOTHING)
    after = second(Batch(rest, upto=rest["seen_at"][-1]))
    (alert,) = after.alerts
    assert (alert.state, alert.reason, alert.proposition) == (AlertState.RESOLVED, "event_removed", EVENT.proposition)
    assert state([*before, after]).keys() & {"judge/measures/fall", "window/open/fall"} == set()


def test_an_event_that_is_watched_again_begins_anew_but_has_spent_its_alpha() -> None:
    stage = new_walk(EVENT)
    before, rest = firing(stage)
    middle = rest.height // 2
    stage.watch(stage.prepared([BANK]))
    gone = stage(Batch(rest[:middle], upto=rest["seen_at"][middle - 1]))
    spent = state([*before, gone])["judge/event/fall/races/"]
    stage.watch(stage.prepared([EVENT]))
    again = stage(Batch(rest[middle:], upto=rest["seen_at"][-1]))
    assert again.mentions.height
    assert not again.alerts
    assert starts_of(state([*before, gone, again])["judge/event/fall/races/"]) == starts_of(spent) != []


def test_a_rule_that_is_shortened_takes_effect_at_once() -> None:
    stage = new_walk(EVENT)
    before, _ = firing(stage)
    upto = BEGIN + timedelta(days=1)
    kept = stage(Batch(before[0].mentions.clear().select(*feed(1).columns), upto=upto)).alerts
    assert [alert.state for alert in kept] == [AlertState.RESOLVED]
    stage = new_walk(EVENT)
    firing(stage)
    quick = Rules(quiet=Duration(minutes=1), keep_firing=Duration(seconds=1))
    stage.watch(stage.prepared([msgspec.structs.replace(EVENT, rules=quick)]))
    (alert,) = (
        one for one in stage(Batch(feed(1).clear(), upto=BEGIN + timedelta(hours=8))).alerts if one.rule == "race"
    )
    assert alert.state is AlertState.RESOLVED
    assert alert.at < kept[0].at


def test_terms_of_no_use_are_said_and_nothing_changes() -> None:
    stage = new_walk(EVENT)
    with pytest.raises(SettingsError, match="event bad"):
        stage.prepared([EVENT, Event(name="bad", proposition="It is bad", any=("ba*d",))])
    assert UPTO in stage(Batch(feed(1), upto=BEGIN + timedelta(hours=5))).state
