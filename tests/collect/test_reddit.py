"""Reddit: new posts and comments once, a new token where the old one ended, and every deletion honoured."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from monitor.collect.reddit import RedditCollector, RedditSource, written
from monitor.collect.supervise import SourceState
from monitor.collect.terms import Asked
from monitor.watched import Event
from tests.fakes.clock import START, ManualClock
from tests.fakes.polled import Platform, metrics, platform, reading
from tests.fakes.searches import KEY, FakeReddit

MINUTE = timedelta(minutes=1)
BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge", "old harbour"), none=("chess",))


@pytest.fixture
def reddit() -> FakeReddit:
    return FakeReddit()


@pytest.fixture
async def server(reddit: FakeReddit) -> AsyncIterator[Platform]:
    async with platform(reddit.answers) as server:
        yield server


def collector(
    server: Platform, clock: ManualClock, event: Event = BRIDGE, *, secret: str = KEY, **more: object
) -> RedditCollector:
    place = {"api": server.url, "accounts": server.url}
    settings = msgspec.convert({"kind": "reddit", "name": "reddit", "client_id": "app", **place, **more}, RedditSource)
    return RedditCollector(settings, secret, clock, metrics(), lambda: [event])


async def test_posts_that_the_search_finds_come_once(reddit: FakeReddit, server: Platform) -> None:
    clock = ManualClock()
    reddit.add(2)
    async with reading(collector(server, clock), clock) as source:
        reddit.add(1)
        await source.passes(3 * MINUTE)
        assert source.ids() == {"t3_p0": 1, "t3_p1": 1, "t3_p2": 1}
        assert reddit.tokens == 1
        post = source.posts().to_dicts()[0]
    assert post["text"] == "The old harbour bridge has come down, says a man on the quay\nAnyone there?"
    assert (post["likes"], post["replies"], post["reposts"], post["posted_at"]) == (12, 3, 1, START - MINUTE)
    search = next(one for one in server.asked if one.path == "/search")
    assert dict(search.query)["q"] == '("bridge" OR "old harbour") NOT "chess"'
    assert search.headers["User-Agent"] == "virality-monitor"


async def test_a_community_is_read_with_its_comments(reddit: FakeReddit, server: Platform) -> None:
    clock = ManualClock()
    reddit.comment(2)
    async with reading(collector(server, clock, communities=["harbour"]), clock) as source:
        assert {"/r/harbour/new", "/r/harbour/comments"} <= {one.path for one in server.asked}
        (first, _) = source.posts().to_dicts()
    assert (first["id"], first["reply_to"], first["root"]) == ("t1_c1", "t3_a", "t3_a")
    assert first["parent_text"].startswith("The old harbour bridge")


async def test_a_community_that_is_private_or_banned_does_not_stop_the_others(
    reddit: FakeReddit, server: Platform
) -> None:
    clock = ManualClock()
    reddit.add(1)
    reddit.shut = {"private": 403, "banned": 404}
    async with reading(collector(server, clock, communities=["private", "harbour", "banned"]), clock) as source:
        assert source.state is SourceState.RUNNING
        reddit.comment(1)
        await source.passes(2 * MINUTE)
        assert set(source.ids()) == {"t3_p0", "t1_c0"}
        asked = [one.path for one in server.asked]
        assert (asked.count("/r/private/new"), asked.count("/r/banned/new")) == (1, 1)


async def test_an_app_that_is_refused_while_it_runs_stops_the_source(server: Platform) -> None:
    clock = ManualClock()
    async with reading(collector(server, clock, communities=["harbour"]), clock) as source:
        server.faults = [403]
        await source.passes(MINUTE)
        assert source.state is SourceState.REFUSED


async def test_pages_are_turned_back_to_what_is_known(reddit: FakeReddit, server: Platform) -> None:
    clock = ManualClock()
    reddit.add(5)
    async with reading(collector(server, clock), clock) as source:
        reddit.add(350)
        await source.passes(MINUTE)
        assert len(source.ids()) == 355
        assert source.gaps == []
        reddit.add(1_500)
        await source.passes(MINUTE)
        assert source.ids().total() == len(source.ids()) == 1_355
        (gap,) = source.gaps
    assert gap.why == "search bridge: /search: more came than the thousand that Reddit gives"


async def test_of_several_questions_none_ends_where_another_one_found_the_same(
    reddit: FakeReddit, server: Platform
) -> None:
    clock = ManualClock()
    words = tuple(f"{number} is a phrase of an event with a great many terms" for number in range(12))
    many = Event(name="bridge", proposition="The bridge has come down", any=words)
    reddit.add(5)
    async with reading(collector(server, clock, many), clock) as source:
        reddit.add(250)
        reddit.only = (f'"{words[0]}"', slice(-1, None))
        await source.passes(MINUTE)
        assert len({one.query["q"] for one in server.asked if one.path == "/search"}) > 1
        assert len(source.ids()) == 255


async def test_a_question_that_failed_is_not_taken_for_read_because_another_brought_its_posts(
    reddit: FakeReddit, server: Platform
) -> None:
    clock = ManualClock()
    words = tuple(f"word number {number:03} of many" for number in range(20))
    many = Event(name="many", proposition="Much is said", any=words)
    for restarts in (False, True):
        reddit.posts.clear()
        reddit.only = None
        reddit.add(5)
        async with reading(collector(server, clock, many), clock) as source:
            reddit.add(250)
            reddit.only = (f'"{words[0]}"', slice(-1, None))
            server.faults = [0, 503]  # the first question is answered, the second is not
            await source.passes(MINUTE)
            found, since = source.ids(), source.resume
            assert len(found) == 6
            if not restarts:
                await source.passes(3 * MINUTE)
                assert len(source.ids()) == 255
        if restarts:
            async with reading(collector(server, clock, many), clock, since) as source:
                await source.passes(MINUTE)
                assert set(source.ids()) | set(found) == {one["data"]["name"] for one in reddit.posts}


async def test_deletions_reach_us_from_the_second_look(reddit: FakeReddit, server: Platform) -> None:
    clock = ManualClock()
    reddit.add(3)
    async with reading(collector(server, clock), clock) as source:
        reddit.delete("t3_p1")
        reddit.posts = [one for one in reddit.posts if one["data"]["name"] != "t3_p2"]
        await source.passes(11 * MINUTE)
        assert source.ids("delete") == {"t3_p1": 1, "t3_p2": 1}
        reddit.posts[0]["data"] |= {"selftext": "It was a drill", "score": 99}
        await source.passes(MINUTE)
        assert source.ids("update") == {"t3_p0": 1}


async def test_hot_posts_are_looked_at_again(reddit: FakeReddit, server: Platform) -> None:
    reddit.add(4)
    one = collector(server, ManualClock())
    ids = ["t3_p0", "t3_p1", "t3_p2", "t3_gone"]
    await one.refresh(ids)
    reddit.delete("t3_p1")
    reddit.posts[0]["data"]["score"] = 900
    reddit.posts[2]["data"]["selftext"] = "It was a drill"
    payload = await one.refresh(ids)
    assert payload is not None
    told = one.parse([payload.body], START).posts
    assert {(post["id"], post["op"]) for post in told.to_dicts()} == {
        ("t3_p0", "counts"),
        ("t3_p2", "update"),
        ("t3_p1", "delete"),
        ("t3_gone", "delete"),
    }
    assert payload.resume is None


async def test_a_token_that_ended_is_renewed(reddit: FakeReddit, server: Platform) -> None:
    clock = ManualClock()
    async with reading(collector(server, clock), clock) as source:
        reddit.token = "another"
        reddit.add(1)
        await source.passes(MINUTE)
        assert (reddit.tokens, source.ids(), source.state) == (2, {"t3_p0": 1}, SourceState.RUNNING)


async def test_a_wrong_secret_refuses_the_source(server: Platform, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    async with reading(collector(server, clock, secret="hunter2-secret"), clock) as source:
        await source.until(lambda: source.state is SourceState.REFUSED)
    assert "hunter2" not in caplog.text


def test_terms_are_written_as_reddit_reads_them() -> None:
    assert written(Asked(("a",), ("b c",), ())) == '"a" AND "b c"'
