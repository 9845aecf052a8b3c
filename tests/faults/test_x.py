"""X's stream cut off at random: what was said meanwhile is searched for, and no post is missing in the end."""

import random
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from monitor.collect.x import XCollector
from monitor.collect.x_settings import XSource
from tests.contract.polled import EVENTS
from tests.fakes.clock import ManualClock, settle
from tests.fakes.polled import Platform, Reading, listening, metrics, platform
from tests.fakes.x_api import TOKEN, FakeX, said

SECOND = timedelta(seconds=1)


@pytest.fixture
def x() -> FakeX:
    return FakeX()


@pytest.fixture
async def server(x: FakeX) -> AsyncIterator[Platform]:
    async with platform(x.answers) as server:
        yield server
        x.hang_up()


async def disturbed(x: FakeX, server: Platform, disconnects: int, seed: int) -> Reading:
    """Reads while the stream is cut off so often, and one answer in three fails; then until all has come."""
    chance, clock = random.Random(seed), ManualClock()
    collector = XCollector(XSource(name="x", budget=1e6, api=server.url), TOKEN, clock, metrics(), lambda: EVENTS)
    async with listening(collector, clock) as source:
        server.chance = random.Random(seed + 1)
        for _ in range(disconnects):
            while not x.streams:
                await clock.advance(SECOND)
            for _ in range(chance.randrange(5)):
                await x.say(said(clock.now().timestamp(), len(x.posts)))
                await clock.advance(SECOND * chance.random())
            x.hang_up()
            for _ in range(chance.randrange(3)):
                await x.say(said(clock.now().timestamp(), len(x.posts)))
                await clock.advance(SECOND * chance.randrange(60))
        server.chance = None
        await x.say(said(clock.now().timestamp(), len(x.posts)))
        last = x.posts[-1]["id"].encode()
        while not any(last in payload.body for payload in source.payloads):
            await clock.advance(SECOND)
            await settle()
    return source


async def test_a_stream_that_is_cut_off_loses_nothing(x: FakeX, server: Platform) -> None:
    source = await disturbed(x, server, 10, 3)
    assert set(source.ids()) == {one["id"] for one in x.posts}


@pytest.mark.prove
async def test_two_hundred_disconnects_lose_nothing(
    x: FakeX, server: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    source = await disturbed(x, server, 200, 4)
    lost = {one["id"] for one in x.posts} - set(source.ids())
    with capsys.disabled():
        sys.stdout.write(f"\nx: {len(x.posts)} posts, {x.connects} connections: {len(lost)} lost\n")
    assert not lost
