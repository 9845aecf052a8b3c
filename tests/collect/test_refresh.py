"""Hot posts are read again, the hottest first, within a budget; what they have become reaches the house."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import polars as pl
import pytest
from aiohttp import web

from monitor.arrivals import Payload
from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.refresh import Hot, Refresher, Refreshes, refreshing
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from tests.fakes import jetstream
from tests.fakes import mastodon as mastodons
from tests.fakes.clock import START, ManualClock, settle
from tests.fakes.collected import SEEN, Collected
from tests.fakes.platform import metrics, platform

HOT_BESIDE_TWO = 23
MINUTE = timedelta(minutes=1)
HOW = Refreshes(2, 6, timedelta(minutes=2))


def mentions(
    *rows: tuple[str, str, str | None], source: str = "sky", likes: int | None = None, age: timedelta = timedelta()
) -> pl.DataFrame:
    """Mentions of id, op and parent; one whose id begins with r is a bare repost."""
    return pl.DataFrame(
        {
            "source": [source] * len(rows),
            "platform": ["bluesky"] * len(rows),
            "id": [name for name, *_ in rows],
            "op": [op for _, op, _ in rows],
            "parent": [parent for *_, parent in rows],
            "repost_of": [parent if name.startswith("r") else None for name, _, parent in rows],
            "seen_at": [START] * len(rows),
            "posted_at": [START - age] * len(rows),
            "likes": [likes] * len(rows),
            "reposts": [None] * len(rows),
            "replies": [None] * len(rows),
        },
        schema_overrides={"parent": pl.String, "repost_of": pl.String}
        | dict.fromkeys(("likes", "reposts", "replies"), pl.Int64),
    )


class Scripted:
    """Implements Refresher: raises the scripted errors one after the other, then answers unless asked for `wrong`."""

    name = "sky"
    refreshes = HOW

    def __init__(self, *errors: Exception, wrong: str = "") -> None:
        self.errors = list(errors)
        self.wrong = wrong
        self.asked: list[list[str]] = []

    async def refresh(self, ids: Sequence[str]) -> Payload | None:
        self.asked.append(list(ids))
        if self.errors:
            raise self.errors.pop(0)
        if self.wrong in ids:
            why = "400"
            raise SourceRefusedError(why, question=True)
        return Payload(self.name, b"{}", None)


async def running(one: Refresher, hot: Hot, clock: ManualClock, lasts: timedelta) -> list[Payload | GapMark]:
    put: list[Payload | GapMark] = []

    async def take(arrival: Payload | GapMark) -> None:
        put.append(arrival)

    task = asyncio.ensure_future(refreshing(one, hot, take, clock))
    await settle()
    for _ in range(round(lasts / timedelta(seconds=10))):
        await clock.advance(timedelta(seconds=10))
    task.cancel()
    await asyncio.wait([task])
    return put


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_the_hottest_come_first_and_none_too_often(clock: ManualClock) -> None:
    hot = Hot(clock)
    hot.take(mentions(("a", "create", None), ("b", "create", None), ("c", "create", None)))
    hot.take(mentions(("b1", "create", "b"), ("r1", "create", "b"), ("c1", "create", "c"), ("gone", "create", None)))
    hot.take(mentions(("gone", "delete", None)))
    hot.take(mentions(("elsewhere", "create", "b"), source="other"))
    await clock.advance(timedelta(minutes=2))
    assert [hot.due("sky", HOW) for _ in range(4)] == [["b", "c"], ["a", "b1"], ["c1"], []]
    await clock.advance(timedelta(minutes=2))
    assert hot.due("other", HOW) == ["elsewhere"]
    assert hot.due("sky", HOW) == ["b", "c"]


async def test_heat_fades_and_the_coldest_make_room(clock: ManualClock) -> None:
    hot = Hot(clock, most=10)
    hot.take(mentions(("old", "create", None), *((f"x{number}", "create", "old") for number in range(3))))
    await clock.advance(timedelta(hours=3))
    hot.take(mentions(*((f"n{number}", "create", None) for number in range(9))))
    await clock.advance(timedelta(minutes=2))
    how = HOW._replace(at_once=100)
    assert sorted(hot.due("sky", how)) == [f"n{number}" for number in range(9)]


async def test_what_was_hot_before_a_restart_is_read_again_at_its_age(clock: ManualClock) -> None:
    rows = mentions(("old", "create", None), ("new", "create", None), ("gone", "create", None), ("n1", "create", "new"))
    ages = [timedelta(hours=3), 5 * MINUTE, 4 * MINUTE, MINUTE]
    hot = Hot(clock)
    hot.refill(
        rows.with_columns(seen_at=pl.Series([clock.now() - age for age in ages]), text=pl.Series([*"ab", "", "c"]))
    )
    assert hot.due("sky", HOW) == ["new", "old"]
    await clock.advance(MINUTE)
    assert hot.due("sky", HOW) == ["n1"]


async def test_no_more_requests_are_made_than_the_budget_allows(clock: ManualClock) -> None:
    hot, one = Hot(clock), Scripted()
    hot.take(mentions(*((f"p{number}", "create", None) for number in range(100))))
    put = await running(one, hot, clock, timedelta(minutes=5))
    assert len(put) == len(one.asked) == 19  # from two minutes after the posts came on, one in ten seconds
    assert all(len(ids) == 2 for ids in one.asked)


async def test_a_platform_that_is_away_is_left_alone_and_one_that_refuses_for_an_hour(clock: ManualClock) -> None:
    hot = Hot(clock)
    hot.take(mentions(*((f"p{number}", "create", None) for number in range(100))))
    one = Scripted(SourceUnavailableError("busy", 90), SourceRefusedError("no"))
    assert await running(one, hot, clock, timedelta(minutes=50)) == []
    assert len(one.asked) == 2
    one.errors = [SourceRefusedError("no")]
    assert len(await running(one, hot, clock, timedelta(hours=1, minutes=1))) == 5  # of the minute behind the hour


async def test_a_post_that_cannot_be_asked_for_is_found_among_the_others_and_left_alone(clock: ManualClock) -> None:
    hot, one = Hot(clock), Scripted(wrong="c")
    one.refreshes = HOW._replace(at_once=5)
    hot.take(mentions(*((name, "create", None) for name in "abcde")))
    await clock.advance(2 * MINUTE)
    assert len(await running(one, hot, clock, MINUTE)) == 2
    assert one.asked == [["a", "b", "c", "d", "e"], ["a", "b"], ["c", "d", "e"], ["c"], ["d", "e"]]
    await clock.advance(2 * MINUTE)
    one.asked.clear()
    await running(one, hot, clock, MINUTE)
    assert one.asked == [["a", "b", "d", "e"]]


@pytest.fixture
async def sky() -> AsyncIterator[tuple[BlueskyCollector, dict[str, int]]]:
    """A collector, and the posts that its platform knows with their likes."""
    known: dict[str, int] = {}

    async def handle(request: web.Request) -> web.Response:
        uris = request.query.getall("uris")
        assert len(uris) <= 25
        views = [
            {"uri": uri, "likeCount": known[uri], "repostCount": 2, "replyCount": 1} for uri in uris if uri in known
        ]
        return web.json_response({"posts": views})

    async with platform(handle) as url:
        yield BlueskyCollector(BlueskySource(name="sky", api=url), ManualClock(), metrics()), known


async def test_bluesky_says_counts_and_a_post_missing_twice_is_gone(
    sky: tuple[BlueskyCollector, dict[str, int]],
) -> None:
    one, known = sky
    assert isinstance(one, Refresher)
    known |= {"at://a/p/1": 5, "at://a/p/2": 6}
    told = Collected()
    for missing in ((), ("at://a/p/2",), ("at://a/p/2",)):
        for uri in missing:
            known.pop(uri, None)
        payload = await one.refresh(["at://a/p/1", "at://a/p/2"])
        assert payload is not None
        assert payload.resume is None
        told.payloads.append(payload)
    assert told.of(one, "counts", "id", "likes", "reposts", "replies") == [
        ("at://a/p/1", 5, 2, 1),
        ("at://a/p/2", 6, 2, 1),
        ("at://a/p/1", 5, 2, 1),
        ("at://a/p/1", 5, 2, 1),
    ]
    assert told.of(one, "delete", "id") == ["at://a/p/2"]


async def test_posts_of_an_account_whose_history_was_mended_are_read_again_though_nothing_is_hot(
    clock: ManualClock,
) -> None:
    kept, deleted, others = jetstream.post(1), jetstream.post(2), jetstream.post(3, did="did:plc:other")
    known = {kept.uri: 5}

    async def handle(request: web.Request) -> web.Response:
        uris = request.query.getall("uris")
        return web.json_response({"posts": [{"uri": uri, "likeCount": known[uri]} for uri in uris if uri in known]})

    async with jetstream.jetstream() as stream, platform(handle) as api:
        one = BlueskyCollector(BlueskySource(name="sky", host=stream.url, api=api), clock, metrics())
        found = Collected()
        reading = asyncio.ensure_future(found.read(one, lambda _: one.refreshes.waiting > 0))
        await stream.at_rest.wait()
        stream.say(kept, deleted, others, jetstream.Happening("did:plc:writer", "sync", account={"rev": "r9"}))
        await reading
        assert one.refreshes.room == HOT_BESIDE_TWO
        found.payloads += [put for put in await running(one, Hot(clock), clock, MINUTE) if isinstance(put, Payload)]
    assert found.of(one, "delete", "id") == [deleted.uri]
    assert found.of(one, "counts", "id", "likes") == [(kept.uri, 5)]
    assert one.refreshes.waiting == 0


async def test_mastodon_says_counts_edits_and_what_is_gone(clock: ManualClock) -> None:
    async with mastodons.instance(clock) as server:
        settings = MastodonSource(name="far", instance=server.url, tags=("flood",))
        one = MastodonCollector(settings, mastodons.TOKEN, clock, metrics())
        assert isinstance(one, Refresher)
        found = Collected()
        reading = asyncio.ensure_future(found.read(one, lambda told: len(told.payloads) == 3))
        await server.listened()
        for number in (1, 2, 3):
            await server.say(mastodons.status(number))
        await reading
        uris = found.of(one, "create", "id")
        server.posts = [
            mastodons.status(1, reblogs_count=7),
            mastodons.status(2, "<p>a drill</p>", edited_at="2026-11-23T12:15:00.000Z"),
        ]
        payload = await one.refresh([*uris, "https://unknown.example/1"])
        assert payload is not None
        posts = one.parse([payload.body], SEEN).posts
        assert posts.select("op", "id", "text", "reposts").rows() == [
            ("delete", uris[2], None, None),
            ("counts", uris[0], None, 7),
            ("update", uris[1], "a drill", 0),
        ]
        assert await one.refresh(["https://unknown.example/1"]) is None


async def test_posts_of_the_server_itself_are_read_again_after_a_restart(clock: ManualClock) -> None:
    async with mastodons.instance(clock) as server:
        uris = [
            f"{server.url}/{of}/statuses/{mastodons.name_of(n)}" for n, of in enumerate(("users/ann", "ap/users/9"))
        ]
        server.posts = [mastodons.status(0, uri=uris[0], reblogs_count=7)]
        settings = MastodonSource(name="far", instance=server.url, tags=("flood",))
        one = MastodonCollector(settings, mastodons.TOKEN, clock, metrics())
        payload = await one.refresh([*uris, "https://else.example/users/ann/statuses/1"])
        assert payload is not None
        told = one.parse([payload.body], SEEN).posts
        assert told.select("op", "id", "reposts").rows() == [("delete", uris[1], None), ("counts", uris[0], 7)]
        found = Collected()
        reading = asyncio.ensure_future(found.read(one, lambda told: bool(told.payloads)))
        await server.listened()
        await server.delete(mastodons.name_of(0))
        await reading
        assert found.of(one, "delete", "id") == [uris[0]]
