from datetime import timedelta

from prometheus_client import CollectorRegistry

from monitor.alert.deliver import Attempt, Outcome
from monitor.app import observe
from monitor.metrics import Metrics


def test_a_possible_repeat_is_counted_and_an_ordinary_message_is_not() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, version="1")
    for repeat in (False, True, False):
        observe.attempt(metrics, Attempt("desk", Outcome.SENT, "", timedelta(seconds=1), repeat))
    assert registry.get_sample_value("monitor_possible_repeats_total", {"receiver": "desk"}) == 1
    sent = {"receiver": "desk", "outcome": "sent", "reason": ""}
    assert registry.get_sample_value("monitor_notifications_total", sent) == 3
