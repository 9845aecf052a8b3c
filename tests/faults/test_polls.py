"""Answers that break off, at random: nothing is lost that a platform gives again, and what it does not is noted.

Each platform says something new every minute while one request in three fails, in the middle of an answer or instead of
one, and while now and then nothing answers for an hour or a night.
"""

import random
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from tests.contract.polled import Made, gdelt, reddit, rss, telegram, youtube
from tests.fakes.clock import ManualClock
from tests.fakes.feeds import FakeChannel, FakeFeed
from tests.fakes.polled import Answers, platform, reading
from tests.fakes.searches import FakeGdelt, FakeReddit, FakeYoutube

MINUTE = timedelta(minutes=1)
PARTS = re.compile(" more | known")
"""In the reasons for gaps that a source noted itself, unlike those of its supervisor, which are made up for."""


class World(NamedTuple):
    """A platform, and how something is said there."""

    made: Made
    answers: Answers
    says: Callable[[ManualClock], str]
    """Something is said; answers its id."""
    whole: bool = False
    """It gives again whatever came in a night."""
    step: timedelta = MINUTE


def feed() -> World:
    fake = FakeFeed()

    def says(clock: ManualClock) -> str:
        fake.add(1, clock.now())
        return f"urn:news:{len(fake.entries)}"

    return World(rss, fake.answers, says)


def channel() -> World:
    fake = FakeChannel()

    def says(clock: ManualClock) -> str:
        fake.add(1, clock.now())
        return f"harbour_news/{fake.last}"

    return World(telegram, fake.answers, says, whole=True)


def community() -> World:
    fake = FakeReddit()

    def says(clock: ManualClock) -> str:
        fake.add(1, created_utc=clock.now().timestamp())
        return str(fake.posts[-1]["data"]["name"])

    return World(reddit, fake.answers, says, whole=True)


def videos() -> World:
    fake = FakeYoutube()
    fake.videos, fake.comments = ["video-one"], {"video-one": []}
    comments = fake.comments["video-one"]

    def says(_: ManualClock) -> str:
        comments.append(f"c{len(comments)}")
        return comments[-1]

    return World(youtube, fake.answers, says)


def news() -> World:
    fake = FakeGdelt()

    def says(clock: ManualClock) -> str:
        fake.add(1, clock.now())
        return str(fake.articles[-1][1]["url"])

    return World(gdelt, fake.answers, says, step=15 * MINUTE)


WORLDS = pytest.mark.parametrize("build", [feed, channel, community, videos, news])


class Ran(NamedTuple):
    """What came of it."""

    said: int
    broken: int
    lost: set[str]
    unnoted: set[str]
    """Lost, and in no gap."""
    twice: int


async def disturbed(world: World, disconnects: int, seed: int) -> Ran:
    """Runs a source until its platform broke off so often, and then until it has caught up."""
    chance, clock, said = random.Random(seed), ManualClock(), dict[str, datetime]()
    async with platform(world.answers) as server, reading(world.made(server.url, clock), clock) as source:
        server.chance = chance
        while server.broken < disconnects:
            for _ in range(chance.choice([0, 1, 2])):
                said[world.says(clock)] = clock.now()
            await source.passes(world.step, step=world.step)
            if chance.random() < 0.02:
                server.away = True
                for _ in range(chance.choice([2, 12])):
                    for _ in range(60):
                        said[world.says(clock)] = clock.now()
                    await source.passes(60 * MINUTE, step=15 * MINUTE)
                server.away = False
        server.chance = None
        await source.passes(timedelta(hours=9), step=15 * MINUTE)
        ids = source.ids()
    lost = said.keys() - ids.keys()
    gaps = [gap for gap in source.gaps if PARTS.search(gap.why)]
    unnoted = {one for one in lost if not any(gap.begins <= said[one] <= gap.ends for gap in gaps)}
    return Ran(len(said), server.broken, lost, unnoted, sum(count > 1 for count in ids.values()))


@WORLDS
async def test_answers_that_break_off_lose_nothing_that_a_platform_gives_again(build: Callable[[], World]) -> None:
    world = build()
    judged(world, await disturbed(world, 3, 5))


@WORLDS
@pytest.mark.prove
async def test_two_hundred_disconnects(build: Callable[[], World], capsys: pytest.CaptureFixture[str]) -> None:
    world = build()
    ran = await disturbed(world, 200, 7)
    with capsys.disabled():
        found = f"{len(ran.lost)} lost, {len(ran.unnoted)} of them in no gap, {ran.twice} twice"
        sys.stdout.write(f"\n{build.__name__}: {ran.said} posts, {ran.broken} disconnects: {found}\n")
    judged(world, ran)


def judged(world: World, ran: Ran) -> None:
    assert not ran.twice
    assert not ran.unnoted
    assert not world.whole or not ran.lost
