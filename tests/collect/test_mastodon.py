"""Mastodon: what happens over one socket, what was missed by REST, and what posts say in the house's words."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import pytest

from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.watched import Duration
from tests.fakes.clock import ManualClock, settle
from tests.fakes.collected import SEEN, Collected
from tests.fakes.mastodon import BEGIN, TOKEN, Instance, instance, name_of, status
from tests.fakes.platform import metrics, shown


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(BEGIN + timedelta(hours=1))


@pytest.fixture
async def server(clock: ManualClock) -> AsyncIterator[Instance]:
    async with instance(clock) as one:
        yield one


def collector(server: Instance, clock: ManualClock, token: str = TOKEN, **more: object) -> MastodonCollector:
    settings = MastodonSource(name="far", instance=server.url, **({"tags": ("flood",)} | more))  # type: ignore[arg-type]
    return MastodonCollector(settings, token, clock, metrics())


def came(count: int) -> Callable[[Collected], bool]:
    return lambda collected: sum(payload.posts for payload in collected.payloads) >= count


@asynccontextmanager
async def reading(
    server: Instance, one: MastodonCollector, enough: Callable[[Collected], bool], collected: Collected | None = None
) -> AsyncIterator[Collected]:
    """Reads until `enough` while the block goes on, which begins once the stream stands."""
    found = collected or Collected()
    running = asyncio.ensure_future(found.read(one, enough))
    await server.listened(len(one._timelines()))  # noqa: SLF001
    yield found
    await running


def texts(collected: Collected, one: MastodonCollector, op: str = "create") -> list[str]:
    return collected.of(one, op, "text")


async def test_a_status_says_what_people_read(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock)
    html = '<p>Down! <a class="mention hashtag" href="x">#<span>flood</span></a><br />Not confirmed &amp; odd</p>'
    photo = [{"id": "1", "type": "image", "url": "https://files.example/1.png"}]
    async with reading(server, one, came(2)) as found:
        await server.say(status(1, html, spoiler_text="Disaster", media_attachments=photo, reblogs_count=3))
        await server.say(status(2, in_reply_to_id=name_of(1), quote={"quoted_status": status(1)}))
    first, second = found.posts(one).rows(named=True)
    assert first["text"] == "Disaster\nDown! #flood\nNot confirmed & odd"
    assert (first["id"], first["platform"], first["lang"]) == (
        "https://far.example/users/ann/statuses/1",
        "mastodon",
        "en",
    )
    assert (first["author"], first["author_followers"], first["reposts"]) == ("ann@far.example", 12, 3)
    assert json.loads(first["media"]) == [{"url": "https://files.example/1.png", "kind": "image", "sha256": None}]
    assert (second["reply_to"], second["quote_of"]) == (first["id"], first["id"])


async def test_one_socket_follows_every_hashtag_and_tells_a_post_once(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock, tags=("flood", "bridge"))
    async with reading(server, one, came(2)) as found:
        await server.say(status(1, tags=("flood", "bridge")))
        await server.say(status(2, tags=("bridge",)))
    assert texts(found, one) == ["post 1", "post 2"]
    assert len([request for request in server.asked if request.path == "/api/v1/streaming"]) == 1


async def test_what_was_missed_is_read_oldest_first_and_nothing_comes_twice(
    server: Instance, clock: ManualClock
) -> None:
    one = collector(server, clock)
    async with reading(server, one, came(1)) as found:
        await server.say(status(1))
    for number in range(2, 100):
        await server.say(status(number))
    async with reading(server, one, came(101), found):
        await settle()
        await server.say(status(100))
        await server.say(status(101))
    assert texts(found, one) == [f"post {number}" for number in range(1, 102)]
    assert found.gaps == []


async def test_a_post_that_its_own_server_sent_late_is_found_behind_newer_ones(
    server: Instance, clock: ManualClock
) -> None:
    one = collector(server, clock)
    async with reading(server, one, came(1)) as found:
        await server.say(status(100))
    await server.say(status(40), late=True)
    await found.read(one, came(2))
    assert texts(found, one) == ["post 100", "post 40"]


async def test_a_restart_goes_on_where_it_was(server: Instance, clock: ManualClock) -> None:
    async with reading(server, collector(server, clock), came(1)) as found:
        await server.say(status(1))
    for number in range(2, 5):
        await server.say(status(number))
    await found.read(one := collector(server, clock, rewind=Duration(0)), came(4))
    assert texts(found, one) == [f"post {number}" for number in range(1, 5)]


async def test_more_than_can_be_read_is_a_gap(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock, refill=2, rewind=Duration(0))
    async with reading(server, one, came(1)) as found:
        await server.say(status(1))
    for number in range(2, 200):
        await server.say(status(number))
    await found.read(one, lambda told: bool(told.gaps))
    (gap,) = found.gaps
    assert (gap.begins, gap.ends) == (BEGIN + timedelta(seconds=81), clock.now())
    assert "more was missed than 2 pages hold" in gap.why
    async with reading(server, one, came(82), found):
        await server.say(status(200))
    assert texts(found, one)[-1] == "post 200"


async def test_an_edit_is_an_update_and_a_delete_names_the_post(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock)
    async with reading(server, one, came(5)) as found:
        await server.say(status(1))
        await server.say(
            status(1, "<p>it was a drill</p>", edited_at="2026-11-23T12:15:00.000Z"), event="status.update"
        )
        await server.delete(name_of(1))
        await server.delete(name_of(77))
        await server.say(status(2))
    assert texts(found, one, "update") == ["it was a drill"]
    assert found.of(one, "delete", "id") == ["https://far.example/users/ann/statuses/1"]
    parsed = one.parse([payload.body for payload in found.payloads], SEEN)
    assert parsed.unnamed == [name_of(77)]
    assert parsed.local == {f"https://far.example/users/ann/statuses/{n}": name_of(n) for n in (1, 2)}


async def test_a_delete_that_comes_before_its_post_holds_for_ten_minutes(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock)
    async with reading(server, one, came(4)) as found:
        await server.delete(name_of(1))
        await server.delete(name_of(3))
        await server.say(status(1))
        await server.say(status(2))
        await settle()
        await clock.advance(timedelta(minutes=11))
        await server.say(status(3))
    assert texts(found, one) == ["post 2", "post 3"]


async def test_the_same_post_on_two_servers_is_one(server: Instance, clock: ManualClock) -> None:
    async with instance(clock) as other:
        ids = []
        for one in (server, other):
            async with reading(one, reader := collector(one, clock), came(1)) as found:
                await one.say(status(1, id=name_of(1) if one is server else "42"))
            ids += found.of(reader, "create", "id")
    assert ids == ["https://far.example/users/ann/statuses/1"] * 2


async def test_a_post_of_the_server_itself_has_an_author_with_its_name(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock)
    async with reading(server, one, came(1)) as found:
        await server.say(status(1, account={"acct": "bob"}))
    assert found.of(one, "create", "author") == ["bob@127.0.0.1"]


async def test_what_only_followers_may_read_is_left_out(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock)
    async with reading(server, one, came(2)) as found:
        await server.say(status(1, visibility="private"))
        await server.say(status(2))
    assert texts(found, one) == ["post 2"]


async def test_a_time_that_cannot_be_is_that_of_its_arrival(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock)
    async with reading(server, one, came(3)) as found:
        for number, claimed in enumerate(("2036-01-01T00:00:00Z", "no time", "2010-01-01T00:00:00Z")):
            await server.say(status(number, created_at=claimed))
    assert [at.year for at in found.of(one, "create", "posted_at")] == [SEEN.year, SEEN.year, 2010]


async def test_a_wrong_token_or_a_refused_stream_stops_the_source(server: Instance, clock: ManualClock) -> None:
    with pytest.raises(SourceRefusedError, match=r"401: {.error.: .Invalid access token.}"):
        await Collected().read(collector(server, clock, token="other"), came(1))
    server.refuses = "Not authorized\x1b[2J"
    with pytest.raises(SourceRefusedError, match=r"refuses a stream: Not authorized \[2J"):
        await Collected().read(collector(server, clock), came(1))


async def test_a_server_that_says_nothing_to_strangers_is_asked_as_a_user(server: Instance, clock: ManualClock) -> None:
    server.limited = True
    one = collector(server, clock)
    async with reading(server, one, came(1)) as found:
        await server.say(status(1))
    assert texts(found, one) == ["post 1"]


async def test_no_disconnect_loses_a_post(server: Instance, clock: ManualClock) -> None:
    chance = Random(7)
    one = collector(server, clock)
    server.breaks = lambda: chance.random() < 0.1
    async with reading(server, one, came(200)) as found:
        for number in range(1, 201):
            await server.say(status(number))
            if number % 5 == 0:
                await server.listened()
    assert sorted(texts(found, one), key=lambda text: int(text[5:])) == [f"post {number}" for number in range(1, 201)]
    assert len(found.failures) > 5
    assert found.gaps == []


async def test_the_limit_for_pages_holds_for_all_hashtags_together(server: Instance, clock: ManualClock) -> None:
    tags = tuple(f"tag{number}" for number in range(10))
    one = collector(server, clock, tags=tags)
    async with reading(server, one, came(1)) as found:
        await server.say(status(0, tags=tags))
    running = asyncio.ensure_future(found.read(one, lambda _: False))
    for _ in range(60):
        for socket in list(server.sockets):
            await socket.close()
        await settle()
        await clock.advance(timedelta(seconds=10))
    running.cancel()
    await asyncio.wait([running])
    assert len(server.paged) > 250
    assert server.violations == 0


async def test_what_the_server_says_of_its_rate_is_shown(server: Instance, clock: ManualClock) -> None:
    told = metrics()
    one = MastodonCollector(MastodonSource(name="far", instance=server.url, tags=("flood",)), TOKEN, clock, told)
    async with reading(server, one, came(1)) as found:
        await server.say(status(1))
    await server.say(status(2))
    await found.read(one, came(2))
    assert shown(told, "monitor_source_rate_remaining", source="far") == 299


async def test_what_is_no_status_is_counted_and_stops_nothing(server: Instance, clock: ManualClock) -> None:
    one = collector(server, clock)
    async with reading(server, one, came(3)) as found:
        await server._tell({"stream": ["hashtag", "flood"], "event": "update", "payload": "{no"})  # noqa: SLF001
        await server._tell({"stream": ["hashtag", "flood"], "event": "update", "payload": '{"id": 5}'})  # noqa: SLF001
        await server._tell({"stream": ["user"], "event": "notification", "payload": "{}"})  # noqa: SLF001
        await server.say(status(1))
    parsed = one.parse([payload.body for payload in found.payloads], SEEN)
    assert [dict(found) for found in parsed.rejected] == [{"not_json": 1}, {"missing_field": 1}, {}]


async def test_a_page_that_is_not_understood_is_no_end(server: Instance, clock: ManualClock) -> None:
    server.posts = [{"id": "1", "tags": [{"name": "flood"}]}]
    with pytest.raises(SourceUnavailableError, match="not understood"):
        async for _ in collector(server, clock).payloads(None):
            pass
