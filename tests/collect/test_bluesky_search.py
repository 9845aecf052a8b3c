"""An event that is added is looked back for: through the search of an account, within bounds, and once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from monitor.clock import SystemClock
from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_search import questions_of
from monitor.collect.bluesky_settings import BlueskySource
from monitor.watched import Event
from tests.fakes.bluesky_account import LOGIN, PASSWORD, Account, view
from tests.fakes.clock import ManualClock
from tests.fakes.collected import Collected
from tests.fakes.jetstream import BEGIN, LIKE, Jetstream, about, jetstream, post
from tests.fakes.platform import metrics, platform

BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge", "#span"), none=("game",))
FIRE = Event(name="fire", proposition="The mill burns", any=("mill",))


@pytest.fixture
async def server() -> AsyncIterator[Jetstream]:
    async with jetstream() as one:
        yield one


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    account = Account()
    async with platform(account.handle) as account.url:
        yield account


class Desk:
    """A source that is read as its supervisor reads it, and the events that are watched."""

    def __init__(self, server: Jetstream, account: Account, password: str | None = PASSWORD, **more: object) -> None:
        self.events = [BRIDGE]
        self.clock = ManualClock(BEGIN + timedelta(hours=1))
        login = LOGIN if password else None
        settings = BlueskySource(name="sky", host=server.url, login=login, service=account.url, **more)  # type: ignore[arg-type]
        self.one = BlueskyCollector(
            settings, self.clock, metrics(), password=password, events=lambda: tuple(self.events)
        )

    def again(self) -> BlueskyCollector:
        """The same source after a restart."""
        return BlueskyCollector(
            self.one._settings,  # noqa: SLF001
            self.clock,
            metrics(),
            password=PASSWORD,
            events=lambda: tuple(self.events),
        )


def said(minutes: int, number: int, text: str = "The bridge is down #span") -> dict[str, object]:
    """A post of so many minutes before the events are watched."""
    at = (BEGIN + timedelta(hours=1) - timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
    return view(post(number).uri, text, at.replace("+00:00", "Z"))


def brought(count: int) -> object:
    return lambda collected: sum(payload.posts for payload in collected.payloads) >= count


async def test_an_event_is_searched_for_term_by_term_and_page_by_page(server: Jetstream, account: Account) -> None:
    account.page, account.posts = 2, [said(10, 3), said(20, 2), said(30, 1), said(90, 0)]
    desk, collected = Desk(server, account), Collected()
    await collected.read(desk.one, brought(6))  # type: ignore[arg-type]
    assert [search["q"] for search in account.searches] == ['"bridge" -"game"'] * 2 + ['"#span" -"game"'] * 2
    assert account.searches[0]["since"] == "2026-11-23T12:00:00.000Z"
    found = collected.of(desk.one, "create", "id", "text", "author", "likes", "url")
    url = f"https://bsky.app/profile/did:plc:writer/post/{post(3).rkey}"
    assert found[0] == (post(3).uri, "The bridge is down #span", "did:plc:writer", 3, url)
    assert {one[0] for one in found} == {post(number).uri for number in (1, 2, 3)}
    assert account.sessions == 1


async def test_only_what_is_added_is_searched_for_while_the_stream_goes_on(server: Jetstream, account: Account) -> None:
    desk, collected = Desk(server, account), Collected()
    reading = asyncio.ensure_future(collected.read(desk.one, brought(4)))  # type: ignore[arg-type]
    await server.at_rest.wait()
    account.posts = [said(5, 1, "The mill burns")]
    desk.events.append(FIRE)
    server.say(post(20), post(21), post(22))
    await reading
    assert [search["q"] for search in account.searches if "mill" in search["q"]] == ['"mill"']
    assert collected.of(desk.one, "create", "text").count("The mill burns") == 1


async def test_a_search_that_fails_goes_on_where_it_was_also_after_a_restart(
    server: Jetstream, account: Account
) -> None:
    account.page, account.posts = 1, [said(10, 2), said(20, 1)]
    desk, collected = Desk(server, account), Collected()
    await collected.read(desk.one, brought(1))  # type: ignore[arg-type]
    server.at_rest.clear()
    account.faults = [web.Response(status=503)]
    reading = asyncio.ensure_future(collected.read(desk.one, brought(2)))  # type: ignore[arg-type]
    await server.at_rest.wait()
    server.say(post(51))
    await reading
    assert collected.since is not None
    assert "owed" in collected.since
    before = len(account.searches)
    await collected.read(desk.again(), brought(5))  # type: ignore[arg-type]
    asked = [(search["q"], search.get("cursor")) for search in account.searches]
    assert len(asked[before:]) == 4 - before
    assert asked == [(f'"{term}" -"game"', cursor) for term in ("bridge", "#span") for cursor in (None, "1")]


async def test_a_term_that_the_search_does_not_take_is_given_up_alone(server: Jetstream, account: Account) -> None:
    account.posts = [said(20, 1)]
    account.faults = [web.json_response({"error": "InvalidRequest", "message": "no such query"}, status=400)]
    desk, collected = Desk(server, account), Collected()
    await collected.read(desk.one, brought(1))  # type: ignore[arg-type]
    assert [search["q"] for search in account.searches] == ['"#span" -"game"']


async def test_an_account_that_may_not_search_is_asked_once(server: Jetstream, account: Account) -> None:
    account.faults = [web.json_response({"error": "Forbidden"}, status=403)]
    desk, collected = Desk(server, account), Collected()
    reading = asyncio.ensure_future(collected.read(desk.one, brought(1)))  # type: ignore[arg-type]
    await server.at_rest.wait()
    server.say(post(1))
    await reading
    assert account.faults == account.searches == []


async def test_no_more_pages_and_requests_are_read_than_are_set(server: Jetstream, account: Account) -> None:
    account.page, account.posts = 1, [said(number, number) for number in range(1, 30)]
    desk, collected = Desk(server, account, search_pages=20, searches=7), Collected()
    reading = asyncio.ensure_future(collected.read(desk.one, brought(30)))  # type: ignore[arg-type]
    await account.asked(7)
    for _ in range(3):
        server.say(post(100 + len(server.events)))
        await server.at_rest.wait()
        await SystemClock().sleep(timedelta(seconds=0.15))
    assert len(account.searches) == 7
    reading.cancel()


async def test_what_the_search_and_the_stream_bring_is_one_post_whose_counting_goes_on(
    server: Jetstream, account: Account
) -> None:
    account.posts = [said(5, 1)]
    desk, collected = Desk(server, account), Collected()
    reading = asyncio.ensure_future(collected.read(desk.one, brought(5)))  # type: ignore[arg-type]
    await server.at_rest.wait()
    server.say(post(1), about(LIKE, post(1).uri, 9), post(2), post(3))
    await reading
    assert set(collected.of(desk.one, "create", "id")) == {post(number).uri for number in (1, 2, 3)}
    assert collected.of(desk.one, "counts", "id", "likes")[-1] == (post(1).uri, 4)


async def test_a_session_is_kept_renewed_and_made_anew(server: Jetstream, account: Account) -> None:
    account.page, account.posts = 1, [said(number, number) for number in range(1, 5)]
    desk, collected = Desk(server, account), Collected()
    await collected.read(desk.one, brought(2))  # type: ignore[arg-type]
    account.end_session()
    await collected.read(desk.one, brought(4))  # type: ignore[arg-type]
    assert (account.sessions, account.renewals) == (1, 1)
    account.end_session(renewable=False)
    await collected.read(desk.one, brought(6))  # type: ignore[arg-type]
    assert (account.sessions, account.renewals) == (2, 1)


async def test_without_an_account_that_can_search_it_is_said_and_the_stream_goes_on(
    server: Jetstream, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    for password in (None, "wrong"):
        desk, collected = Desk(server, account, password), Collected()
        reading = asyncio.ensure_future(collected.read(desk.one, brought(1)))  # type: ignore[arg-type]
        server.at_rest.clear()
        await server.at_rest.wait()
        server.say(post(1))
        await reading
        assert collected.failures == []
    said = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert "does not look back for bridge: Bluesky's search wants an account (login, password_env)" in said[0]
    assert "does not look back for new events" in said[1]
    assert "wrong" not in said[1]
    assert account.searches == []


async def test_only_posts_of_the_accounts_to_which_it_is_restricted_are_kept(
    server: Jetstream, account: Account
) -> None:
    other = view(post(7, did="did:plc:else").uri, "The bridge #span", "2026-11-23T12:50:00.000Z")
    account.posts = [other, said(20, 1)]
    desk, collected = Desk(server, account, accounts=("did:plc:writer",)), Collected()
    await collected.read(desk.one, brought(2))  # type: ignore[arg-type]
    assert set(collected.of(desk.one, "create", "author")) == {"did:plc:writer"}


def test_an_event_that_takes_every_post_is_not_asked_for() -> None:
    assert list(questions_of(Event(name="all", proposition="Everything", any=("*",)))) == []
