"""What was walked → the metrics of narratives."""

from collections import Counter

import msgspec
import polars as pl
import pytest
from prometheus_client import CollectorRegistry

from monitor.app import Walk, Walked, observe
from monitor.app.parts import Committed, Part, Taken
from monitor.cluster import begun
from monitor.frames import Batch
from monitor.metrics import Metrics
from monitor.store.store import Commit
from monitor.watched import Event
from tests.fakes.stream import EVENT, posts, story
from tests.fakes.tagger import WordTagger

EVERYTHING = msgspec.structs.replace(EVENT, any=("*",), people={}, places={})
FLOOD = 12


def walked(event: Event, stream: pl.DataFrame) -> Walked:
    return Walk([event], WordTagger())(Batch(stream, upto=stream["seen_at"][-1]))  # type: ignore[arg-type]


def shown(one: Walked) -> CollectorRegistry:
    """The metrics after one batch."""
    registry = CollectorRegistry()
    batch = Batch(posts(), upto=one.upto)
    part = Part([], (), one.upto, {}, {}, [])
    observe.batch(
        Metrics(registry, version="1"),
        Taken(part, batch, one, Commit(one.mentions), (), {}, {}, one.took),
        Committed((), 0.1),
    )
    return registry


def test_every_passage_of_a_narrative_is_counted_by_the_state_it_leads_to() -> None:
    one = walked(EVENT, story(1))
    passages = Counter(passage.state.value for passage in one.judged.transitions)
    assert passages["viral-unconfirmed"]
    registry = shown(one)
    for state, count in passages.items():
        labels = {"event": EVENT.name, "state": state}
        assert registry.get_sample_value("monitor_narrative_passages_total", labels) == count


def test_narratives_that_made_room_and_originals_without_one_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begun, "MOST_BEGUN", FLOOD - 4)
    letters = "bcdfghjklmnp"
    assertions = [" ".join(letter * 3 + other * 4 for other in letters[:9]) + " fallen" for letter in letters]
    one = walked(EVERYTHING, posts(*({"at": at, "text": text} for at, text in enumerate(assertions))))
    assert one.mentions["narrative"].null_count() == one.crowded[1] == 4
    registry = shown(one._replace(crowded=(3, 4), judged=one.judged._replace(dropped=5)))
    assert registry.get_sample_value("monitor_narratives_forgotten_total") == 3
    assert registry.get_sample_value("monitor_narratives_refused_total") == 4
    assert registry.get_sample_value("monitor_narratives_dropped_total") == 5
