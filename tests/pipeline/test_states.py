"""Where a narrative stands, through the whole walk: on its alerts, in what was judged, and when asked."""

import msgspec

from monitor.alert.example import example_alert
from monitor.app import Walk
from monitor.frames import Batch
from monitor.records import Alert, AlertState, NarrativeState
from monitor.watched import Duration, Rules
from tests.fakes.stream import BEGIN, EVENT, story
from tests.fakes.tagger import WordTagger


def played(rules: Rules, **shape: int) -> tuple[Walk, list[Alert]]:
    stream = story(1, **shape)
    walk = Walk([msgspec.structs.replace(EVENT, rules=rules)], WordTagger())  # type: ignore[arg-type]
    return walk, walk(Batch(stream, upto=stream["seen_at"][-1])).alerts


def test_an_alert_says_where_its_narrative_stands() -> None:
    walk, alerts = played(Rules())
    fired = [alert for alert in alerts if alert.state is AlertState.FIRING and alert.narrative]
    assert {alert.rule for alert in fired} == {"race", "volume"}
    assert {alert.narrative_state for alert in fired} == {NarrativeState.VIRAL_UNCONFIRMED}
    assert walk.states(EVENT.name)[fired[0].narrative] is NarrativeState.VIRAL_UNCONFIRMED


def test_an_event_added_when_its_story_has_broken_is_alerted_and_said_to_be_warming_up() -> None:
    _, alerts = played(Rules(warm_up=Duration(days=3)), chatter_hours=0)
    fired = [alert for alert in alerts if alert.change == "first_firing"]
    assert [(alert.rule, alert.reason) for alert in fired] == [("volume", "viral_warming_up")]


def test_an_alert_written_before_states_were_known_is_read() -> None:
    old = msgspec.json.decode(msgspec.json.encode(example_alert(BEGIN)))
    del old["narrative_state"], old["subject"]
    assert msgspec.json.decode(msgspec.json.encode(old), type=Alert).narrative_state is None
