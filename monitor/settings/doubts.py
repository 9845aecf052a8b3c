"""What is allowed in an event file and hardly meant: settings that undo or never reach one another."""

from collections.abc import Iterator
from datetime import timedelta

from monitor.watched import Event, Rules

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


def of_event(event: Event) -> Iterator[str]:
    """Yields `path: sentence` for each doubt about an event without mistakes."""
    rules = event.rules
    if not rules.alert_on:
        yield "$.rules.alert_on: is empty; findings are made, and nobody is alerted to any"
    yield from _unheard(rules)
    if rules.volume < rules.minimum_originals:
        what = f"{rules.volume} claims are viral, though fewer than minimum_originals ({rules.minimum_originals})"
        yield f"$.rules.volume: {what} are too small to report; raise it, or lower that"
    if rules.warm_up > _WEEK:
        yield "$.rules.warm_up: is longer than the week that a baseline remembers; it will never be warm"
    if not timedelta(minutes=1) <= rules.volume_span <= _DAY:
        yield "$.rules.volume_span: is counted in whole minutes of one day; write one minute to 24 hours"
    if rules.for_ >= rules.volume_span and "volume" in rules.alert_on:
        yield "$.rules.for: a volume is over after volume_span, and its alert would never fire; shorten it"
    if rules.repeat_interval < rules.repeat_least:
        yield "$.rules.repeat_interval: reminds more often than repeat_least lets anything be told; lengthen it"
    if rules.for_ >= rules.quiet:
        yield "$.rules.for: a race ends after quiet, and its alert may never fire; shorten it"


def _unheard(rules: Rules) -> Iterator[str]:
    """Settings of findings that become no alert."""
    if "spike" in rules.alert_on and not rules.spike_on:
        yield "$.rules.spike_on: is empty; the spike that alert_on asks for is never found"
    if "spike" not in rules.alert_on and rules.spike_on != Rules().spike_on:
        yield '$.rules.spike_on: has no part in any alert; name "spike" in alert_on'
    if "volume" not in rules.alert_on and rules.volume_posts:
        yield '$.rules.volume_posts: has no part in any alert; name "volume" in alert_on'
