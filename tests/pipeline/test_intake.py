"""The channel from the sources to the worker: bounded, batched, and nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.arrivals import Payload
from monitor.marks import GapMark
from monitor.pipeline import Arrivals, Intake, drive
from tests.fakes.clock import START, ManualClock, settle

INTERVAL = timedelta(milliseconds=250)
MARK = GapMark(source="posts", begins=START, ends=START, why="lost")


def payload(number: int, posts: int = 1, size: int = 2) -> Payload:
    return Payload("posts", b"x" * size, str(number), posts)


def intake(posts: int = 4, most_posts: int = 8, most_bytes: int = 1000) -> Intake:
    return Intake(posts=posts, interval=INTERVAL, most_posts=most_posts, most_bytes=most_bytes)


def resumes(batch: Arrivals) -> list[str | None]:
    return [one.resume for one in batch.payloads]


class Worker:
    """Takes batches; each waits until it is let through."""

    def __init__(self, channel: Intake, *, waits: bool = False) -> None:
        self.clock = ManualClock()
        self.batches: list[Arrivals] = []
        self.through = asyncio.Semaphore(0)
        self.waits = waits
        self.running = asyncio.create_task(drive(channel.batches(self.clock), self.work))

    async def work(self, batch: Arrivals) -> None:
        self.batches.append(batch)
        if self.waits:
            await self.through.acquire()
        for tell in batch.told:
            tell()

    @property
    def full_batches(self) -> list[Arrivals]:
        return [batch for batch in self.batches if batch.payloads]


async def started(channel: Intake, *, waits: bool = False) -> Worker:
    worker = Worker(channel, waits=waits)
    await settle()
    return worker


async def ended(channel: Intake, worker: Worker) -> None:
    channel.close()
    worker.waits = False
    for _ in range(50):
        worker.through.release()
    await worker.clock.advance(INTERVAL)
    await asyncio.wait_for(worker.running, 10)


async def test_a_batch_closes_at_its_number_of_posts() -> None:
    channel = intake()
    worker = await started(channel)
    for number in range(4):
        assert worker.batches == []
        await channel.put(payload(number))
    await settle()
    assert [resumes(batch) for batch in worker.batches] == [["0", "1", "2", "3"]]
    await ended(channel, worker)


async def test_a_batch_closes_when_its_time_is_over_and_an_empty_one_carries_the_time_on() -> None:
    channel = intake()
    worker = await started(channel)
    await channel.put(payload(1))
    await settle()
    assert worker.batches == []
    await worker.clock.advance(INTERVAL)
    await worker.clock.advance(INTERVAL)
    assert [resumes(batch) for batch in worker.batches] == [["1"], []]
    assert [batch.closed_at for batch in worker.batches] == [START + INTERVAL, START + INTERVAL * 2]
    await ended(channel, worker)


async def test_a_payload_counts_with_all_its_posts_and_is_never_cut() -> None:
    channel = intake()
    worker = await started(channel)
    await channel.put(payload(1, posts=3))
    await channel.put(payload(2, posts=7))
    await settle()
    assert [resumes(batch) for batch in worker.batches] == [["1", "2"]]
    await ended(channel, worker)


@pytest.mark.parametrize(("posts", "size"), [(4, 2), (1, 500)], ids=["posts", "bytes"])
async def test_a_source_waits_while_the_channel_is_full(posts: int, size: int) -> None:
    channel = intake()
    assert channel.offer(payload(1, posts, size))
    assert channel.offer(payload(2, posts, size))
    assert channel.full()
    assert not channel.offer(payload(3, posts, size))
    putting = asyncio.create_task(channel.put(payload(3, posts, size)))
    await settle()
    assert not putting.done()
    worker = await started(channel)
    await worker.clock.advance(INTERVAL)
    await putting
    await ended(channel, worker)
    assert [one for batch in worker.batches for one in resumes(batch)] == ["1", "2", "3"]


async def test_a_payload_larger_than_the_channel_passes_when_nothing_else_waits() -> None:
    channel = intake()
    assert channel.offer(payload(1, posts=100, size=5000))
    assert not channel.offer(payload(2))


async def test_a_slow_worker_holds_up_every_source_and_then_none() -> None:
    channel = intake()
    worker = await started(channel, waits=True)
    putting = [asyncio.create_task(channel.put(payload(number, posts=2))) for number in range(40)]
    await worker.clock.advance(INTERVAL * 4)
    assert len(worker.batches) == 1
    assert channel.waiting() <= 8
    assert sum(one.done() for one in putting) <= 6
    for _ in range(100):
        worker.through.release()
        await worker.clock.advance(INTERVAL)
    assert all(one.done() for one in putting)
    assert channel.waiting() == 0
    await ended(channel, worker)
    taken = [one for batch in worker.batches for one in resumes(batch)]
    assert sorted(taken, key=lambda one: int(one or 0)) == [str(number) for number in range(40)]


async def test_a_mark_is_never_held_up() -> None:
    channel = intake()
    assert channel.offer(payload(1, posts=8))
    assert channel.full()
    await asyncio.wait_for(channel.put(MARK), 1)
    worker = await started(channel)
    assert worker.batches[0].marks == (MARK,)
    await ended(channel, worker)


async def test_submit_returns_when_the_mark_is_committed() -> None:
    channel = intake()
    worker = await started(channel, waits=True)
    submitting = asyncio.create_task(channel.submit(MARK))
    await worker.clock.advance(INTERVAL)
    assert worker.batches[0].marks == (MARK,)
    assert not submitting.done()
    worker.through.release()
    await settle()
    assert submitting.done()
    await ended(channel, worker)


async def test_flushed_returns_when_everything_before_it_is_committed() -> None:
    channel = intake()
    for number in range(6):
        assert channel.offer(payload(number))
    flushing = asyncio.create_task(channel.flushed())
    worker = await started(channel, waits=True)
    worker.through.release()
    await settle()
    assert not flushing.done()
    await worker.clock.advance(INTERVAL)
    worker.through.release()
    await settle()
    assert flushing.done()
    await ended(channel, worker)


async def test_closing_hands_out_the_rest_without_waiting_and_ends() -> None:
    channel = intake()
    for number in range(7):
        assert channel.offer(payload(number))
    await channel.put(MARK)
    channel.close()
    assert not channel.offer(payload(9))
    worker = await started(channel)
    await asyncio.wait_for(worker.running, 10)
    assert [resumes(batch) for batch in worker.batches] == [["0", "1", "2", "3"], ["4", "5", "6"]]
    assert worker.batches[0].marks == (MARK,)
    assert worker.clock.slept == []


async def test_an_empty_channel_ends_with_one_empty_batch() -> None:
    channel = intake()
    worker = await started(channel)
    channel.close()
    await asyncio.wait_for(worker.running, 10)
    assert [resumes(batch) for batch in worker.batches] == [[]]


async def test_a_cancelled_source_leaves_nothing_in_the_channel_and_wakes_nobody_wrongly() -> None:
    channel = intake()
    assert channel.offer(payload(1, posts=8))
    first, second = (asyncio.create_task(channel.put(payload(number))) for number in (2, 3))
    await settle()
    first.cancel()
    worker = await started(channel)
    await second
    await ended(channel, worker)
    assert [one for batch in worker.batches for one in resumes(batch)] == ["1", "3"]


async def test_an_error_in_the_work_is_the_drivers_error() -> None:
    async def one() -> AsyncIterator[Arrivals]:
        yield Arrivals((), (), START)

    async def work(_: Arrivals) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await drive(one(), work)


@given(
    sizes=st.lists(st.lists(st.integers(1, 12), max_size=12), min_size=1, max_size=5),
    steps=st.lists(st.booleans(), max_size=30),
)
async def test_whatever_sources_bring_all_of_it_goes_through_once_and_in_the_order_of_each_source(
    sizes: list[list[int]], steps: list[bool]
) -> None:
    channel = intake()

    async def source(name: int, posts: list[int]) -> None:
        for number, count in enumerate(posts):
            await channel.put(Payload(str(name), b"x", str(number), count))

    sources = [asyncio.create_task(source(name, posts)) for name, posts in enumerate(sizes)]
    worker = await started(channel, waits=True)
    for step in steps:
        if step:
            worker.through.release()
        await worker.clock.advance(INTERVAL)
        assert channel.waiting() <= 8 + 12
    for _ in range(sum(len(posts) for posts in sizes) + 1):
        worker.through.release()
        await worker.clock.advance(INTERVAL)
    await asyncio.wait_for(asyncio.gather(*sources), 10)
    await ended(channel, worker)
    for name, posts in enumerate(sizes):
        mine = [one.resume for batch in worker.batches for one in batch.payloads if one.source == str(name)]
        assert mine == [str(number) for number in range(len(posts))]
