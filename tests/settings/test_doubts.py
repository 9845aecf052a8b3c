from typing import Any

import pytest

from monitor.settings import doubts
from monitor.watched import Duration, Event, Measure, Rules


def doubted(**rules: Any) -> list[str]:  # noqa: ANN401  any field of Rules
    event = Event(name="bridge", proposition="The bridge has collapsed", any=("bridge",), rules=Rules(**rules))
    return [said.partition(": ")[0] for said in doubts.of_event(event)]


def test_the_defaults_raise_no_doubt() -> None:
    assert doubted() == []


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ({"alert_on": ()}, "$.rules.alert_on"),
        ({"volume": 5}, "$.rules.volume"),
        ({"warm_up": Duration(days=8)}, "$.rules.warm_up"),
        ({"volume_span": Duration(days=2)}, "$.rules.volume_span"),
        ({"for_": Duration(hours=1)}, "$.rules.for"),
        ({"for_": Duration(hours=6), "alert_on": ("race",)}, "$.rules.for"),
        ({"alert_on": ("spike",), "spike_on": ()}, "$.rules.spike_on"),
        ({"spike_on": (Measure.QUESTIONS,)}, "$.rules.spike_on"),
        ({"repeat_interval": Duration(minutes=5)}, "$.rules.repeat_interval"),
        ({"alert_on": ("race",), "volume_posts": 100}, "$.rules.volume_posts"),
    ],
)
def test_a_setting_that_undoes_another_is_doubted(rules: dict[str, Any], path: str) -> None:
    assert doubted(**rules) == [path]
