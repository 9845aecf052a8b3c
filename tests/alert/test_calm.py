from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alert.calm import HOUR, Calm, Held, Hold, Span
from monitor.records import Alert
from tests.fakes.alerts import an_alert

KABUL = ZoneInfo("Asia/Kabul")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Span.parse("23:00-07:00")
NOON = datetime(2021, 9, 3, 12, tzinfo=UTC)


def calm(*hours: str, zone: ZoneInfo = KABUL, per_hour: int | None = None, urgent: tuple[str, ...] = ()) -> Calm:
    return Calm(tuple(Span.parse(one) for one in hours), zone, frozenset(urgent), per_hour)


def at(hour: int, minute: int = 0, zone: ZoneInfo = KABUL, day: int = 3) -> datetime:
    return datetime(2021, 9, day, hour, minute, tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(22, 59), None),
        (at(23), at(7, day=4)),
        (at(2), at(7)),
        (at(6, 59), at(7)),
        (at(7), None),
        (at(12), None),
    ],
)
def test_quiet_hours_are_those_of_the_desk_and_go_over_midnight(now: datetime, until: datetime | None) -> None:
    assert calm("23:00-07:00").quiet_until(now) == until


def test_quiet_hours_that_touch_are_one() -> None:
    asked = calm("12:00-13:00", "13:00-14:30")
    assert asked.quiet_until(at(12, 30)) == at(14, 30)
    assert asked.quiet_until(at(14, 30)) is None


def test_the_night_in_which_clocks_change_ends_when_the_clock_says_so() -> None:
    before = datetime(2021, 10, 30, 23, 30, tzinfo=BERLIN)
    assert calm("23:00-07:00", zone=BERLIN).quiet_until(before.astimezone(UTC)) == datetime(2021, 10, 31, 6, tzinfo=UTC)


@given(st.integers(0, 2 * 24 * 60), st.sampled_from(["23:00-07:00", "01:00-02:00", "00:00-23:59", "12:00-11:59"]))
def test_quiet_hours_end_in_less_than_a_day_and_nothing_is_quiet_at_their_end(minutes: int, hours: str) -> None:
    now = NOON + timedelta(minutes=minutes)
    until = calm(hours, zone=BERLIN).quiet_until(now)
    if until is not None:
        assert timedelta() < until - now < timedelta(days=1)
        assert calm(hours, zone=BERLIN).quiet_until(until) is None


def test_who_is_quiet_all_day_hears_of_it_a_day_later() -> None:
    assert calm("00:00-12:00", "12:00-00:00").quiet_until(at(3)) is not None


@pytest.mark.parametrize(
    ("alert", "held"),
    [
        (an_alert(rule="race", change="first_firing"), False),
        (an_alert(rule="race", change="rule_joined"), False),
        (an_alert(rule="race", change="doubled"), True),
        (an_alert(rule="volume", change="first_firing"), True),
    ],
)
def test_only_the_first_firing_of_an_urgent_rule_is_told_in_quiet_hours(alert: Alert, *, held: bool) -> None:
    hold = calm("23:00-07:00", urgent=("race",)).hold(alert, at(2), [])
    assert hold == (Hold(at(7), Held.QUIET_HOURS) if held else None)


def test_beyond_the_budget_it_waits_until_the_hour_of_the_first_of_so_many_is_over() -> None:
    asked = calm(per_hour=2)
    sent = [NOON - timedelta(minutes=minutes) for minutes in (50, 20, 10)]
    assert asked.hold(an_alert(), NOON, sent[:1]) is None
    assert asked.hold(an_alert(), NOON, sent) == Hold(sent[1] + HOUR, Held.BUDGET)
