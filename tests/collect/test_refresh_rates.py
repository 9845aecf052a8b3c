"""Reading posts again keeps to what a platform said of its rate, and to a budget of its own."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from aiohttp import web

from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.reddit import RedditCollector, RedditSource
from monitor.collect.refresh import Refresher
from monitor.collect.x import XCollector
from monitor.collect.x_settings import XSource
from monitor.errors import SourceRefusedError, SourceUnavailableError
from tests.fakes.clock import ManualClock, settle
from tests.fakes.platform import metrics, platform

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


Made = Callable[[str, ManualClock], Refresher]


def bluesky(url: str, clock: ManualClock) -> Refresher:
    return BlueskyCollector(BlueskySource(name="s", api=url), clock, metrics())


def mastodon(url: str, clock: ManualClock) -> Refresher:
    return MastodonCollector(MastodonSource(name="s", instance=url, tags=("flood",)), "", clock, metrics())


def reddit(url: str, clock: ManualClock) -> Refresher:
    return RedditCollector(RedditSource(name="s", client_id="a", api=url, accounts=url), "", clock, metrics(), tuple)


def x(url: str, clock: ManualClock) -> Refresher:
    return XCollector(XSource(name="s", budget=1.0, api=url), "", clock, metrics(), tuple)


@pytest.mark.parametrize(
    ("made", "name", "empty"),
    [
        (bluesky, "at://a/app.bsky.feed.post/1", {"posts": []}),
        (mastodon, "{url}/users/ann/statuses/1", []),
        (reddit, "t3_a", {"kind": "Listing", "data": {"children": []}}),
        (x, "17", {"meta": {}}),
    ],
)
async def test_what_a_platform_said_of_its_rate_holds_for_the_next_read(
    clock: ManualClock, made: Made, name: str, empty: object
) -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        if request.method == "POST":
            return web.json_response({"access_token": "t"})
        asked.append(request.path)
        resets: dict[Made, str] = {reddit: "600", mastodon: "2021-09-03T12:10:00Z"}
        reset = resets.get(made, str(clock.now().timestamp() + 600))
        prefix = "RateLimit" if made is bluesky else "X-RateLimit"
        return web.json_response(empty, headers={f"{prefix}-Remaining": "0", f"{prefix}-Reset": reset})

    async with platform(handle) as url:
        one = made(url, clock)
        with suppress(SourceUnavailableError):
            await one.refresh([name.format(url=url)])
        with pytest.raises(SourceUnavailableError) as error:
            await one.refresh([name.format(url=url)])
        assert error.value.retry_after == pytest.approx(600)
        assert len(asked) == 1


async def test_posts_of_bluesky_are_read_again_within_a_budget(clock: ManualClock) -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"posts": []})

    async with platform(handle) as url:
        one = BlueskyCollector(BlueskySource(name="s", api=url, refresh=3), clock, metrics())
        reads = [asyncio.ensure_future(one.refresh(["at://a/app.bsky.feed.post/1"])) for _ in range(5)]
        while len(asked) < 3 or not clock.sleeping:
            await settle()
        assert len(asked) == 3
        await clock.advance(2 * MINUTE)
        await asyncio.gather(*reads)


async def test_an_old_mastodon_that_knows_no_such_question_refuses_it_whatever_is_asked(clock: ManualClock) -> None:
    async def handle(request: web.Request) -> web.Response:  # noqa: ARG001 -- a Handler
        return web.json_response({"error": "Not Found"}, status=404)

    async with platform(handle) as url:
        with pytest.raises(SourceRefusedError) as error:
            await mastodon(url, clock).refresh([f"{url}/users/ann/statuses/1"])
    assert not error.value.question
