"""A live feed while the world goes wrong: names, clock, receiver, and a process that stands still."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.store import moved
from tests.fakes.postgres import server_proved
from tests.faults.test_live import EVENTS, broker_killed, kept, said
from tests.rig.audit import Audit
from tests.rig.live import ROUNDS, WHOLE, Live, live
from tests.rig.story import prepare_store
from tests.rig.world import World, set_clock

LIVES = 4
"""Monitors that suffer beside each other."""
EACH = ROUNDS // LIVES
STOPPED = 60.0
CATCHING_UP = (40.0, 50.0)
"""Seconds."""
MANY = 1_000
HOUR = timedelta(hours=1)
NO_CHANGE = timedelta()

Deed = Callable[[Live], Awaitable[None]]


@pytest.fixture
def stores(places: Callable[[], str]) -> list[str]:
    """The URL of an empty store for each monitor."""
    return [places() for _ in range(LIVES)]


def odd(folder: Path) -> World:
    """A world whose clock can be set and whose names can be lost."""
    folder.mkdir(parents=True, exist_ok=True)
    set_clock(folder / "ahead", NO_CHANGE)
    now = SystemClock().now().timestamp()
    return World(began=now, at=now, ahead=str(folder / "ahead"), names=str(folder / "no-names"))


async def together(
    folder: Path, stores: Sequence[str], deed: Deed, *, between: tuple[float, float] = (1.0, 4.0)
) -> Audit:
    """Several monitors, each with store, broker, feeds and receiver of its own, and the sum of their books.

    `between` two deeds: seconds of rest.
    """

    known = folder / "known.sqlite"
    await asyncio.to_thread(prepare_store, f"sqlite:///{known}", EVENTS, SystemClock().now(), folder)

    async def one(rig: Live) -> Audit:
        async def suffered() -> None:
            for _ in range(EACH):
                await rig.rest(rig.chance.uniform(*between))
                await deed(rig)
            await rig.rest(rig.chance.uniform(*between))

        return await rig.suffer(suffered, posts=2)

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        rigs = []
        for number, store in enumerate(stores):  # one after the other: making a broker's certificates stops the loop
            mine = folder / str(number)
            world = odd(mine)
            await asyncio.to_thread(moved.restore, known, store, lambda *_: None)
            around = live(mine, store=store, events=EVENTS, persistent=True, world=world, history=False)
            rigs.append(await stack.enter_async_context(around))
            rigs[-1].chance.seed(number)
        made = [tasks.create_task(one(rig)) for rig in rigs]
    return Audit(*map(sum, zip(*(task.result() for task in made), strict=True)))


def nothing_lost(books: Audit) -> None:
    """What comes more than two minutes late is in no count: a broker that saves every change is slow to hand it out."""
    assert (books.lost, books.doubled, books.alerts_lost, books.quarantined) == (0, 0, 0, 0), books
    assert books.acknowledged > MANY
    assert books.alerts > 0 or not WHOLE


async def without_names(rig: Live, seconds: float) -> None:
    """No name is known; the broker comes back at a new connection only, and the webhook cuts every one.

    Over when the monitor reads from the broker again: until then it holds what no monitor has, and may not be killed.
    """
    dead = rig.rig.folder / "no-names"
    dead.touch()
    rig.rig.sink.closes = True
    await broker_killed(rig)
    await rig.rest(seconds)
    dead.unlink()
    await rig.hears()
    await rig.rest(seconds / 2)


async def clock_set(rig: Live, by: timedelta, seconds: float) -> None:
    """The clock jumps, and back again."""
    set_clock(rig.rig.folder / "ahead", by)
    await rig.rest(seconds)
    set_clock(rig.rig.folder / "ahead", NO_CHANGE)
    await rig.rest(seconds)


async def stopped(rig: Live, seconds: float) -> None:
    """The process stands still."""
    rig.rig.daemon.send(signal.SIGSTOP)
    await rig.rest(seconds)
    rig.rig.daemon.send(signal.SIGCONT)


async def receiver_hangs(rig: Live, seconds: float) -> None:
    """The webhook takes requests and does not answer."""
    rig.rig.sink.open.clear()
    await rig.rest(seconds)
    rig.rig.sink.open.set()


async def at_the_end_of_a_minute() -> None:
    """When what was claimed is judged, and alerts go out."""
    clock = SystemClock()
    await clock.sleep(timedelta(seconds=59.0 - clock.now().timestamp() % 60 % 59.0))


@server_proved
async def test_a_world_that_goes_wrong_costs_nothing(tmp_path: Path, place: str) -> None:
    async with live(tmp_path, store=place, events=3, persistent=True, world=odd(tmp_path)) as rig:

        async def deed() -> None:
            await stopped(rig, 1.0)
            await receiver_hangs(rig, 0.5)
            await without_names(rig, 0.5)
            await clock_set(rig, -HOUR, 0.5)

        kept(await rig.suffer(deed), alerts=False)


@pytest.mark.prove
async def test_names_are_unknown_twenty_times(tmp_path: Path, stores: list[str]) -> None:
    books = await together(tmp_path, stores, lambda rig: without_names(rig, 12.0))
    said(f"names unknown for 12 s {LIVES * EACH} times, every connection cut", stores[0], books)
    nothing_lost(books)


@pytest.mark.prove
async def test_the_process_stands_still_for_a_minute_twenty_times(tmp_path: Path, stores: list[str]) -> None:
    books = await together(tmp_path, stores, lambda rig: stopped(rig, STOPPED), between=CATCHING_UP)
    said(f"SIGSTOP for {STOPPED:g} s {LIVES * EACH} times", stores[0], books)
    nothing_lost(books)


@pytest.mark.prove
async def test_the_receiver_hangs_twenty_times(tmp_path: Path, stores: list[str]) -> None:
    met = 0

    async def hangs(rig: Live) -> None:
        nonlocal met
        await at_the_end_of_a_minute()
        before = rig.rig.sink.asked_in_vain
        await receiver_hangs(rig, 15.0)
        met += rig.rig.sink.asked_in_vain > before

    books = await together(tmp_path, stores, hangs)
    said(f"receiver hangs for 15 s {LIVES * EACH} times, {met} of them met notifications", stores[0], books)
    kept(books)
    assert met >= LIVES * EACH / 2


@pytest.mark.prove
@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["ahead", "back"])
async def test_the_clock_jumps_by_an_hour_and_back_twenty_times(
    tmp_path: Path, stores: list[str], by: timedelta
) -> None:
    books = await together(tmp_path, stores, lambda rig: clock_set(rig, by, 5.0))
    said(f"clock set by {by.total_seconds() / 3600:+g} h and back {LIVES * EACH} times", stores[0], books)
    nothing_lost(books)
