from datetime import timedelta

from monitor.alert.lifecycle import begin
from monitor.records import Finding
from monitor.watched import Duration, Rules
from tests.fakes.counts import EVENT, START

RULES = Rules(for_=Duration(minutes=2), keep_firing=Duration(minutes=30))
MINUTE = timedelta(minutes=1)


def finding(minute: float = 0, **fields: object) -> Finding:
    plain: dict[str, object] = {"event": EVENT, "narrative": "n", "rule": "race", "holds": True, "reason": "r"}
    numbers = {"claims": 12.0, "denials": 3.0, "authors": 9.0, "log_e": 4.5}
    return Finding(at=START + minute * MINUTE, numbers=numbers, **plain | fields)  # type: ignore[arg-type]


def test_the_same_thing_has_the_same_fingerprint_and_each_time_another_id() -> None:
    first, again = begin(finding(0)), begin(finding(60))
    assert first.fingerprint == again.fingerprint
    assert first.id != again.id
    assert begin(finding(0)).id == first.id


def test_another_event_narrative_or_rule_is_another_thing() -> None:
    others = [finding(), finding(event="e"), finding(narrative="m"), finding(rule="spike")]
    assert len({begin(other).fingerprint for other in others}) == 4


def test_an_alert_begins_pending_with_the_counts_of_its_finding() -> None:
    live = begin(finding())
    assert not live.firing
    assert live.counts == [12, 3, 0, 0, 9]
    assert live.counted == live.since == START


def test_a_pending_alert_is_due_when_its_finding_has_held_long_enough() -> None:
    assert begin(finding()).due(RULES) == START + 2 * MINUTE


def test_a_firing_alert_is_due_only_when_its_finding_is_gone_or_a_silence_ends() -> None:
    live = begin(finding())
    live.firing = True
    assert live.due(RULES) is None
    live.gone = START + 5 * MINUTE
    assert live.due(RULES) == START + 35 * MINUTE
    live.silenced_until = START + 20 * MINUTE
    assert live.due(RULES) == START + 20 * MINUTE
