"""The store for the event loop: waits while it cannot be used, and says so once."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from threading import Event, get_ident

import pytest

from monitor.clock import SystemClock
from monitor.errors import StoreError
from monitor.store.worker import FIRST_PAUSE, LONGEST_PAUSE, StoreWorker
from tests.fakes.clock import ManualClock

FULL = "the disk is full"


class AtOnce(ManualClock):
    """Wakes sleepers at once, having moved on."""

    async def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        await self.advance(duration)


class Desk:
    """A worker, and what it told."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.clock = AtOnce()
        self.notes: list[str] = []
        self.tries = 0
        self.worker = StoreWorker(pool, self.clock, Random(3), self.notes.append, still=self.tried)

    def tried(self) -> None:
        self.tries += 1


@pytest.fixture
def desk() -> Iterator[Desk]:
    with ThreadPoolExecutor(1) as pool:
        yield Desk(pool)


def failing(times: int, *, passes: bool = True) -> Callable[[], str]:
    """Fails so often, then gives a word."""
    left = [StoreError(FULL, passes=passes)] * times

    def call() -> str:
        if left:
            raise left.pop()
        return "done"

    return call


async def test_a_call_runs_on_the_workers_thread(desk: Desk) -> None:
    assert await desk.worker.call(get_ident) != get_ident()
    assert await desk.worker.call(divmod, 7, 2) == (3, 1)


async def test_it_tries_again_until_the_store_can_be_used(desk: Desk) -> None:
    assert await desk.worker.call(failing(40)) == "done"
    assert len(desk.clock.slept) == desk.tries == 40
    assert desk.clock.slept[0] <= FIRST_PAUSE * 2
    assert LONGEST_PAUSE / 2 <= desk.clock.slept[-1] <= LONGEST_PAUSE


async def test_a_change_is_noted_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    await desk.worker.call(failing(9))
    await desk.worker.call(failing(0))
    assert desk.notes == [FULL, ""]
    assert [one.levelname for one in caplog.records] == ["ERROR", "WARNING"]
    assert desk.worker.failing == ""


async def test_why_it_fails_can_be_asked(desk: Desk) -> None:
    desk.worker.give_up()
    with pytest.raises(StoreError):
        await desk.worker.call(failing(1))
    assert desk.worker.failing == ""


async def test_what_no_waiting_mends_is_raised_at_once(desk: Desk) -> None:
    with pytest.raises(StoreError, match=FULL):
        await desk.worker.call(failing(1, passes=False))
    assert desk.clock.slept == []


async def test_at_a_stop_it_tries_once_more_and_gives_up() -> None:
    with ThreadPoolExecutor(1) as pool:
        clock = ManualClock()
        worker = StoreWorker(pool, clock, Random(3))
        calling = asyncio.create_task(worker.call(failing(1000)))
        async with asyncio.timeout(10):
            while not clock.slept:
                await SystemClock().sleep(timedelta(milliseconds=1))
        assert worker.failing == FULL
        worker.give_up()
        await clock.advance(LONGEST_PAUSE)
        with pytest.raises(StoreError, match=FULL):
            await calling
        assert len(clock.slept) == 1


async def test_a_bug_is_not_tried_again(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError):
        await desk.worker.call(divmod, 1, 0)
    assert desk.notes == []


async def test_calls_come_one_after_the_other(desk: Desk) -> None:
    order: list[str] = []
    gate = Event()

    def first() -> None:
        gate.wait(10)
        order.append("first")

    waiting = asyncio.create_task(desk.worker.call(first))
    second = asyncio.create_task(desk.worker.call(order.append, "second"))
    await SystemClock().sleep(timedelta())
    gate.set()
    await asyncio.gather(waiting, second)
    assert order == ["first", "second"]


async def test_another_call_that_works_does_not_heal_the_store() -> None:
    with ThreadPoolExecutor(1) as pool:
        clock = ManualClock()
        notes: list[str] = []
        worker = StoreWorker(pool, clock, Random(3), notes.append)
        waiting = asyncio.create_task(worker.call(failing(1)))
        while not worker.failing:
            await SystemClock().sleep(timedelta(milliseconds=1))
        await worker.call(get_ident)
        assert worker.failing == FULL
        while not waiting.done():
            await clock.advance(LONGEST_PAUSE)
            await SystemClock().sleep(timedelta(milliseconds=1))
        assert (worker.failing, notes) == ("", [FULL, ""])
