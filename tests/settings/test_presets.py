"""What a preset says, and who overrides it."""

import msgspec
import pytest

from monitor.settings import parse_event
from monitor.settings.sentences import written
from monitor.watched import PRESETS, Event, Measure, Preset, Rules, with_board_rate


@pytest.mark.parametrize("preset", Preset)
def test_a_preset_says_what_the_file_does_not_and_any_setting_overrides_it(preset: Preset) -> None:
    text = f"""
name = "bridge"
proposition = "The harbour bridge has collapsed"
any = ["bridge"]
[rules]
preset = "{preset.value}"
"""
    asked = parse_event(text, None).rules
    assert asked.preset is preset
    for name, value in PRESETS[preset].items():
        written_as = "for_" if name == "for" else name
        assert msgspec.json.decode(msgspec.json.encode(getattr(asked, written_as), enc_hook=written)) == value
    assert parse_event(text + "alpha = 0.03\n", None).rules == msgspec.structs.replace(asked, alpha=0.03)


def test_the_presets_are_ordered_by_how_readily_they_alert() -> None:
    fewer, balanced, more = (
        parse_event(f'name = "a"\nproposition = "b c d"\nany = ["bridge"]\n[rules]\npreset = "{one.value}"', None).rules
        for one in (Preset.FEWER, Preset.BALANCED, Preset.MORE)
    )
    assert balanced == Rules()
    assert set(fewer.alert_on) < set(balanced.alert_on) < set(more.alert_on)
    assert fewer.alpha < balanced.alpha < more.alpha
    assert fewer.false_alarms_per_day < balanced.false_alarms_per_day < more.false_alarms_per_day
    assert fewer.volume > balanced.volume > more.volume


def test_a_rate_for_the_whole_board_is_shared_by_the_counts_that_alert() -> None:
    rules = [
        Rules(alert_on=("race", "spike"), spike_on=(Measure.POSTS, Measure.QUESTIONS)),
        Rules(alert_on=("celebration",)),
        Rules(alert_on=("race", "spike"), false_alarms_per_day=0.001),
    ]
    events = [Event(name=f"e{n}", proposition="It fell", any=("fell",), rules=one) for n, one in enumerate(rules)]
    shared = with_board_rate(events, 0.2)
    assert [event.rules.false_alarms_per_day for event in shared] == [0.05, 0.05, 0.001]
    assert with_board_rate(events, None) == events
    assert with_board_rate(events, 1_000.0) == events


def test_where_no_spike_alerts_a_rate_for_the_board_changes_nothing() -> None:
    events = [Event(name="e", proposition="It fell", any=("fell",), rules=Rules(alert_on=("race",)))]
    assert with_board_rate(events, 0.2) == events
