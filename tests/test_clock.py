from datetime import datetime, timedelta

import pytest

from monitor.clock import BELIEVED, SteadyClock, SystemClock
from tests.fakes.clock import START, ManualClock

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class JumpingClock(ManualClock):
    """A clock that somebody sets."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_jump_and_back_is_not_followed(by: timedelta) -> None:
    clock = JumpingClock()
    steady = SteadyClock(clock)
    clock.ahead = by
    await clock.advance(BELIEVED - SECOND)
    assert steady.now() == START + BELIEVED - SECOND
    clock.ahead = timedelta(0)
    await clock.advance(BELIEVED)
    assert steady.now() == START + BELIEVED * 2 - SECOND


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_time_that_stands_is_believed(by: timedelta) -> None:
    clock = JumpingClock()
    steady = SteadyClock(clock)
    clock.ahead = by
    assert steady.now() == START
    await clock.advance(BELIEVED)
    assert steady.now() == START + BELIEVED + by
    await clock.advance(SECOND)
    assert steady.now() == START + BELIEVED + by + SECOND


async def test_a_small_correction_is_followed_at_once() -> None:
    clock = JumpingClock()
    steady = SteadyClock(clock)
    clock.ahead = SECOND
    assert steady.now() == START + SECOND


async def test_durations_and_waiting_are_those_of_the_clock() -> None:
    clock = ManualClock()
    steady = SteadyClock(clock)
    await clock.advance(SECOND)
    assert steady.monotonic() == clock.monotonic()
    system = SystemClock()
    before = system.monotonic()
    await SteadyClock(system).sleep(timedelta(0))
    assert system.monotonic() >= before
