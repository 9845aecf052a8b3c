"""Two hundred disconnects per stream: nothing lost, nothing twice."""

import asyncio
from datetime import timedelta
from random import Random

import pytest

from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_connect import BlueskyWire, Place
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from tests.fakes import mastodon as mastodons
from tests.fakes.clock import ManualClock
from tests.fakes.collected import Collected
from tests.fakes.jetstream import BEGIN, FIRST, LIKE, about, jetstream, post
from tests.fakes.platform import metrics

pytestmark = pytest.mark.prove
DISCONNECTS = 200
SEED = 7


@pytest.mark.parametrize("wire", [BlueskyWire.V2, BlueskyWire.V1])
async def test_two_hundred_disconnects_of_bluesky(wire: BlueskyWire) -> None:
    chance = Random(SEED)
    async with jetstream() as server:
        count = 30_000
        server.say(
            post(0), *(post(number) if number % 3 else about(LIKE, post(1).uri, number) for number in range(1, count))
        )
        left = [DISCONNECTS]

        def breaks(sent: int) -> bool:
            left[0] -= (broken := left[0] > 0 and sent > 0 and chance.random() < 0.02)
            return broken

        server.breaks = breaks
        one = BlueskyCollector(BlueskySource(name="sky", host=server.url, wire=wire), ManualClock(), metrics())
        collected = Collected()
        collected.since = Place(server.url, wire, BEGIN, FIRST).text()
        wanted = [one.rkey for one in server.events[1:] if one.collection != LIKE]
        await collected.read(one, lambda told: sum(payload.posts for payload in told.payloads) >= len(wanted), 600)
        found = [name.rpartition("/")[2] for name in collected.of(one, "create", "id")]
        lost, twice = len(set(wanted) - set(found)), len(found) - len(set(found))
        likes = collected.of(one, "counts", "likes")[-1]
        said = f"{len(collected.failures)} disconnects, {len(wanted):,} posts: {lost} lost, {twice} twice"
        print(f"bluesky {wire}: {said}")  # noqa: T201 -- the figure
        assert (lost, twice, found == wanted, left[0], collected.gaps) == (0, 0, True, 0, [])
        assert likes == len([one for one in server.events if one.collection == LIKE])


async def test_two_hundred_disconnects_of_mastodon() -> None:
    chance = Random(SEED)
    clock = ManualClock(mastodons.BEGIN + timedelta(hours=12))
    async with mastodons.instance(clock) as server:
        server.limit = 1_000_000
        settings = MastodonSource(
            name="far", instance=server.url, tags=("flood",), paged_requests=100_000, requests=100_000
        )
        one = MastodonCollector(settings, mastodons.TOKEN, clock, metrics())
        broken = [0]

        def breaks() -> bool:
            broken[0] += (now := chance.random() < 0.2)
            return bool(now)

        server.breaks = breaks
        collected, said = Collected(), 0
        running = asyncio.ensure_future(collected.read(one, lambda _: False, patience=600))
        await server.listened()
        while broken[0] < DISCONNECTS:
            said += 1
            await server.say(mastodons.status(said))
            if said % 3 == 0:
                await server.listened()
        server.breaks = lambda: False
        await server.listened()
        async with asyncio.timeout(120):
            while sum(payload.posts for payload in collected.payloads) < said:
                await server.say(mastodons.status(said))
                await server.listened()
        running.cancel()
        await asyncio.wait([running])
        found = collected.of(one, "create", "text")
        lost = len({f"post {number}" for number in range(1, said + 1)} - set(found))
        twice = len(found) - len(set(found))
        print(f"mastodon: {broken[0]} disconnects, {said:,} posts: {lost} lost, {twice} twice")  # noqa: T201 -- the figure
        assert (lost, twice) == (0, 0)
