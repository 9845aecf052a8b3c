"""Bluesky's stream: nothing lost or twice where it can go on, a gap where it cannot, and what events say of posts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest

from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_connect import BlueskyWire, Place
from monitor.collect.bluesky_settings import BlueskySource
from monitor.errors import SourceRefusedError, SourceUnavailableError
from tests.fakes.clock import ManualClock
from tests.fakes.collected import Collected
from tests.fakes.jetstream import (
    BEGIN,
    FIRST,
    LIKE,
    REPOST,
    Happening,
    Jetstream,
    about,
    delete,
    jetstream,
    post,
    trained,
)
from tests.fakes.platform import metrics

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
async def server() -> AsyncIterator[Jetstream]:
    async with jetstream() as one:
        yield one


def collector(server: Jetstream, wire: BlueskyWire = BlueskyWire.AUTO, **more: object) -> BlueskyCollector:
    settings = BlueskySource(name="sky", host=server.url, wire=wire, **more)  # type: ignore[arg-type]
    return BlueskyCollector(settings, ManualClock(), metrics())


def came(count: int) -> object:
    """Whether so many lines came."""
    return lambda collected: sum(payload.posts for payload in collected.payloads) >= count


async def from_begin(server: Jetstream, one: BlueskyCollector, count: int) -> Collected:
    """What comes of all events so far."""
    collected = Collected()
    first = post(-1)
    server.events.insert(0, first)
    settings = one._settings  # noqa: SLF001
    wire = BlueskyWire.V1 if server.versions == {"v1"} or settings.wire is BlueskyWire.V1 else BlueskyWire.V2
    collected.since = Place(server.url, wire, BEGIN, FIRST).text()
    await collected.read(one, came(count))  # type: ignore[arg-type]
    return collected


@pytest.mark.parametrize("wire", [BlueskyWire.V2, BlueskyWire.V1])
async def test_posts_and_reposts_come_as_they_are_written(server: Jetstream, wire: BlueskyWire) -> None:
    parent = post(1, "The bridge is down", langs=["en", "de"])
    quote = {"$type": "app.bsky.embed.record", "record": {"uri": parent.uri, "cid": "bafy"}}
    media = {"$type": "app.bsky.embed.recordWithMedia", "record": {"record": {"uri": parent.uri, "cid": "bafy"}}}
    answer = post(2, "No it is not", reply={"root": {"uri": parent.uri}, "parent": {"uri": parent.uri}})
    server.say(parent, answer, post(3, embed=quote), post(4, embed=media), about(REPOST, parent.uri, 5))
    one = collector(server, wire)
    collected = await from_begin(server, one, 5)
    columns = ("id", "text", "author", "lang", "reply_to", "root", "quote_of", "repost_of")
    assert collected.of(one, "create", *columns) == [
        (parent.uri, "The bridge is down", "did:plc:writer", "en", None, None, None, None),
        (answer.uri, "No it is not", "did:plc:writer", None, parent.uri, parent.uri, None, None),
        (post(3).uri, "post 3", "did:plc:writer", None, None, None, parent.uri, None),
        (post(4).uri, "post 4", "did:plc:writer", None, None, None, parent.uri, None),
        (about(REPOST, parent.uri, 5).uri, "", "did:plc:reader", None, None, None, None, parent.uri),
    ]
    assert collected.posts(one)["url"][0] == f"https://bsky.app/profile/did:plc:writer/post/{parent.rkey}"


async def test_a_server_without_version_2_is_read_by_version_1(server: Jetstream) -> None:
    server.versions = {"v1"}
    server.say(post(1))
    collected = await from_begin(server, one := collector(server), 1)
    assert collected.of(one, "create", "text") == ["post 1"]
    with pytest.raises(SourceRefusedError, match="404"):
        await Collected().read(collector(server, BlueskyWire.V2), lambda _: False)


async def test_likes_reposts_and_replies_are_counted_by_the_post_they_are_about(server: Jetstream) -> None:
    parent, other = post(1), post(2)
    answer = post(3, reply={"root": {"uri": parent.uri}, "parent": {"uri": parent.uri}})
    likes = [about(LIKE, parent.uri, number) for number in range(10, 15)]
    server.say(parent, other, *likes, about(REPOST, parent.uri, 20), delete(likes[0]), answer)
    server.say(about(LIKE, "at://did:plc:old/app.bsky.feed.post/before", 30))
    collected = await from_begin(server, one := collector(server), 4)
    counts = collected.of(one, "counts", "id", "likes", "reposts", "replies")
    assert counts[-1] == (parent.uri, 5, 1, 1)
    assert {name for name, *_ in counts} == {parent.uri}


async def test_deletes_and_accounts_that_are_gone_take_their_posts_along(server: Jetstream) -> None:
    mine = [post(number, did="did:plc:gone") for number in (1, 2)]
    kept, taken = post(3), post(4)
    server.say(*mine, kept, taken, delete(taken))
    server.say(Happening("did:plc:gone", "account", account={"active": False, "status": "takendown"}))
    server.say(Happening("did:plc:writer", "account", account={"active": True}))
    server.say(Happening("did:plc:writer", "sync", account={"rev": "x"}), Happening("did:plc:x", "identity"), post(9))
    collected = await from_begin(server, one := collector(server), 6)
    assert collected.of(one, "delete", "id") == [taken.uri, mine[0].uri, mine[1].uri]
    assert gone_in(one, collected) == [("bluesky", "did:plc:gone")]


def gone_in(one: BlueskyCollector, collected: Collected) -> list[tuple[str, str]]:
    return [(gone.platform, gone.author) for gone in one.parse([x.body for x in collected.payloads], BEGIN).gone]


async def test_an_account_that_is_gone_is_told_though_nothing_of_it_came_since_the_start(server: Jetstream) -> None:
    server.say(post(1), Happening("did:plc:old", "account", account={"active": False, "status": "deleted"}), post(2))
    collected = await from_begin(server, one := collector(server), 2)
    assert gone_in(one, collected) == [("bluesky", "did:plc:old")]
    assert collected.of(one, "delete", "id") == []


@pytest.mark.parametrize("status", ["desynchronized", "throttled"])
async def test_an_account_whose_server_limps_keeps_its_posts(server: Jetstream, status: str) -> None:
    server.say(post(1), Happening("did:plc:writer", "account", account={"active": False, "status": status}), post(2))
    collected = await from_begin(server, one := collector(server), 2)
    assert collected.of(one, "delete", "id") == []
    assert one.refreshes.waiting == 1


@pytest.mark.parametrize(
    ("claimed", "posted"),
    [
        ("2026-11-23T10:30:00Z", "2026-11-23T10:30:00+00:00"),
        ("2014-01-01T00:00:00.000Z", "2014-01-01T00:00:00+00:00"),
        ("2036-01-01T00:00:00Z", "2026-11-23T12:00:00.001000+00:00"),
        ("1970-01-01T00:00:00Z", "2026-11-23T12:00:00.001000+00:00"),
        ("2026-11-23T10:30:00", "2026-11-23T12:00:00.001000+00:00"),
        ("yesterday", "2026-11-23T12:00:00.001000+00:00"),
    ],
)
async def test_what_an_author_claims_of_the_time_is_taken_only_if_it_can_be(
    server: Jetstream, claimed: str, posted: str
) -> None:
    server.say(post(1, createdAt=claimed))
    collected = await from_begin(server, one := collector(server), 1)
    assert [at.isoformat() for at in collected.of(one, "create", "posted_at")] == [posted]


@pytest.mark.parametrize("wire", [BlueskyWire.V2, BlueskyWire.V1])
async def test_no_disconnect_loses_or_repeats_a_post(server: Jetstream, wire: BlueskyWire) -> None:
    chance = Random(7)
    server.say(*(post(number) if number % 3 else about(LIKE, post(1).uri, number) for number in range(1, 400)))
    server.breaks = lambda sent: sent > 0 and chance.random() < 0.05
    collected = await from_begin(server, one := collector(server, wire), 266)
    wanted = [happening.rkey for happening in server.events[1:] if happening.collection != LIKE]
    assert len(collected.failures) > 10
    assert [name.rpartition("/")[2] for name in collected.of(one, "create", "id")] == wanted
    assert collected.of(one, "counts", "likes")[-1] == 133
    assert collected.gaps == []


async def test_a_restart_goes_on_behind_the_resume_point(server: Jetstream) -> None:
    server.say(*map(post, range(1, 11)))
    collected = await from_begin(server, collector(server), 10)
    server.say(*map(post, range(11, 21)))
    await collected.read(one := collector(server), came(20))  # type: ignore[arg-type]
    assert collected.of(one, "create", "text") == [f"post {number}" for number in range(1, 21)]


async def test_from_one_version_to_the_other_nothing_is_lost_or_twice(server: Jetstream) -> None:
    server.say(*map(post, range(1, 11)))
    one = collector(server)
    collected = await from_begin(server, one, 10)
    server.versions = {"v1"}
    server.say(*map(post, range(11, 21)))
    await collected.read(one, came(21))  # type: ignore[arg-type]
    rewound = "post -1"  # written before the first cursor, so that nobody knows it
    assert collected.of(one, "create", "text")[10:] == [rewound, *(f"post {number}" for number in range(11, 21))]


async def test_a_cursor_that_is_too_old_is_a_gap_up_to_the_first_event_there_is(server: Jetstream) -> None:
    server.say(*map(post, range(1, 11)))
    collected = await from_begin(server, collector(server), 10)
    server.say(*map(post, range(11, 21)))
    server.floor = FIRST + 15
    await collected.read(one := collector(server), came(16))  # type: ignore[arg-type]
    assert collected.of(one, "create", "text")[-6:] == [f"post {number}" for number in range(15, 21)]
    (gap,) = collected.gaps
    assert (gap.begins, gap.ends) == (BEGIN + timedelta(milliseconds=10), BEGIN + timedelta(milliseconds=15))
    assert "CursorTooOld" in gap.why


async def test_version_1_goes_on_silently_and_the_gap_is_found_out(server: Jetstream) -> None:
    server.say(*map(post, range(1, 3)))
    collected = await from_begin(server, collector(server, BlueskyWire.V1), 2)
    server.say(*map(post, range(3, 70_003)))
    server.floor = FIRST + 70_000
    await collected.read(collector(server, BlueskyWire.V1), came(5))  # type: ignore[arg-type]
    (gap,) = collected.gaps
    assert (gap.begins, gap.ends) == (BEGIN + timedelta(milliseconds=2), BEGIN + timedelta(seconds=70))


async def test_another_server_is_a_gap_for_version_2_and_none_for_version_1(server: Jetstream) -> None:
    server.say(*map(post, range(1, 6)))
    async with jetstream() as other:
        other.events = [post(-1), *server.events]
        collected = await from_begin(server, collector(server), 5)
        other.say(*map(post, range(6, 11)))
        old = collected.since
        await collected.read(one := collector(other, BlueskyWire.V1), came(15))  # type: ignore[arg-type]
        assert set(collected.of(one, "create", "text")) == {f"post {number}" for number in (-1, *range(1, 11))}
        assert collected.gaps == []
        collected.since = old
        await _later(collected, collector(other, BlueskyWire.V2), other)
        (gap,) = collected.gaps
        assert "another server" in gap.why


async def _later(collected: Collected, one: BlueskyCollector, server: Jetstream) -> None:
    """Reads what is said after the connection was made."""
    arrivals = one.payloads(collected.since)
    await anext(arrivals)
    await server.at_rest.wait()
    server.say(post(99))
    async for arrival in arrivals:
        collected._take(arrival)  # noqa: SLF001
        if collected.gaps:
            break
    await arrivals.aclose()  # type: ignore[attr-defined]


async def test_a_reader_that_is_too_slow_is_told_and_goes_on(server: Jetstream) -> None:
    server.say(*map(post, range(1, 6)))
    collected = await from_begin(server, one := collector(server), 5)
    server.ends_with = [
        {"$type": "error", "error": "ConsumerTooSlow", "message": "reading below the floor rate"},
        {"$type": "error", "error": "CursorTooOld", "message": "gone\x1b[2J"},
    ]
    server.say(post(6))
    await collected.read(one, lambda told: len(told.failures) == 2)
    assert "ConsumerTooSlow: reading below the floor rate" in collected.failures[0]
    assert collected.of(one, "create", "text") == [f"post {number}" for number in range(1, 7)]
    assert "\x1b" not in collected.failures[1]


@pytest.mark.parametrize("wire", [BlueskyWire.V2, BlueskyWire.V1])
async def test_packed_events_are_unpacked(server: Jetstream, wire: BlueskyWire, tmp_path: object) -> None:
    server.dictionary = trained(Random(7))
    file = tmp_path / "zdict"  # type: ignore[operator]
    file.write_bytes(server.dictionary)
    server.say(*map(post, range(1, 50)))
    one = collector(server, wire, packed=True, dictionary=str(file))
    collected = await from_begin(server, one, 49)
    assert len(collected.of(one, "create", "text")) == 49
    assert {"zstdDictionary", "compress"} & set(server.asked[-1].query)


async def test_without_a_dictionary_events_come_as_they_are(server: Jetstream) -> None:
    server.say(post(1))
    collected = await from_begin(server, one := collector(server, packed=True), 1)
    assert collected.of(one, "create", "text") == ["post 1"]
    missing = collector(server, BlueskyWire.V1, packed=True, dictionary="/none")
    with pytest.raises(SourceRefusedError, match="No such file"):
        await Collected().read(missing, lambda _: False)


async def test_only_what_is_wanted_is_asked_for(server: Jetstream) -> None:
    server.say(post(1))
    await from_begin(server, collector(server, likes=False, accounts=("did:plc:writer",)), 1)
    asked = server.asked[-1].query
    assert asked.getall("collections") == ["app.bsky.feed.post", "app.bsky.feed.repost"]
    assert asked.getall("dids") == ["did:plc:writer"]


async def test_what_is_no_event_is_counted_and_stops_nothing(server: Jetstream) -> None:
    server.say(post(1), post(2, reply="none"), post(3), Happening("did:plc:x", rkey="a", record=None))
    collected = await from_begin(server, one := collector(server), 4)
    parsed = one.parse([payload.body for payload in collected.payloads], BEGIN)
    assert parsed.posts["text"].to_list() == ["post 1", "post 3"]
    assert {reason for found in parsed.rejected for reason in found} == {"wrong_type", "missing_field"}


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    one = BlueskyCollector(BlueskySource(name="sky", host="http://127.0.0.1:9"), ManualClock(), metrics())
    with pytest.raises(SourceUnavailableError, match=r"127\.0\.0\.1"):
        await anext(one.payloads(None))
