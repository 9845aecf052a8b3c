"""Telegram as a user: a fake client in the place of Telethon's, with Telethon's own messages, events and errors."""

import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient, errors, events, types
from telethon.tl.custom import Message

from monitor.collect.supervise import SourceState
from monitor.collect.telegram import TelegramCollector
from monitor.collect.telegram_settings import TelegramSource, Via
from monitor.collect.telegram_telethon import EXTRA, Client, Library, library, telethon
from monitor.collect.terms import Events
from monitor.errors import SourceRefusedError
from monitor.watched import Duration, Event
from tests.fakes.clock import START, ManualClock
from tests.fakes.polled import Reading, metrics, reading

MINUTE = timedelta(minutes=1)
CHANNEL = 1_234
RAISED = (errors.RPCError, OSError, ValueError, TimeoutError)


def said(number: int, text: str = "The bridge is closed", **more: Any) -> Message:  # noqa: ANN401
    """A message as Telethon hands it out."""
    peer = types.PeerChannel(CHANNEL)
    return Message(id=number, peer_id=peer, date=START, message=text, post=True, views=1_200, forwards=7, **more)


class FakeClient:
    """Implements Client: one channel."""

    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}
        self.asked: list[tuple[str, int, int]] = []
        self.handlers: dict[type, Callable[[Any], Awaitable[None]]] = {}
        self.faults: list[Exception] = []
        self.signed_in = True
        self.open = False

    def add(self, count: int) -> None:
        last = max(self.messages, default=0)
        self.messages |= {number: said(number) for number in range(last + 1, last + 1 + count)}

    async def connect(self) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.open = True

    async def is_user_authorized(self) -> bool:
        return self.signed_in

    async def disconnect(self) -> None:
        self.open = False

    async def iter_messages(
        self, entity: str, limit: int, *, min_id: int = 0, offset_id: int = 0, reverse: bool = False
    ) -> AsyncIterator[Any]:
        self.asked.append((entity, limit, min_id))
        if self.faults:
            raise self.faults.pop(0)
        numbers = sorted((one for one in self.messages if min_id < one < (offset_id or one + 1)), reverse=not reverse)
        for number in numbers[:limit]:
            yield self.messages[number]

    def add_event_handler(self, callback: Callable[[Any], Awaitable[None]], event: Any) -> None:  # noqa: ANN401
        self.handlers[type(event)] = callback

    async def edits(self, number: int, text: str) -> None:
        """A message is edited, and told of."""
        self.messages[number] = said(number, text, edit_date=START + MINUTE)
        event = events.MessageEdited.Event(self.messages[number])
        await self.handlers[events.MessageEdited](event)

    async def deletes(self, *numbers: int) -> None:
        """Messages are deleted, and told of."""
        for number in numbers:
            del self.messages[number]
        event = events.MessageDeleted.Event(list(numbers), types.PeerChannel(CHANNEL))
        await self.handlers[events.MessageDeleted](event)


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


def source(client: FakeClient, clock: ManualClock, watched: Events = tuple, **more: Any) -> TelegramCollector:  # noqa: ANN401
    settings = TelegramSource(
        name="channels",
        via=Via.TELETHON,
        channels=more.pop("channels", ("harbour_news",)),
        every=Duration(minutes=1),
        slowest=Duration(minutes=1),
        **more,
    )
    loaded = Library(client, RAISED, events.MessageEdited(), events.MessageDeleted())
    return TelegramCollector(settings, clock, metrics(), telethon(settings, "hash", clock, lambda *_: loaded), watched)


def numbers(found: Reading, op: str = "create") -> list[int]:
    return [int(name.rpartition("/")[2]) for name in found.posts(op)["id"]]


async def test_messages_come_once_and_what_came_while_away_is_fetched(client: FakeClient) -> None:
    clock = ManualClock()
    client.add(3)
    async with reading(source(client, clock), clock) as found:
        client.add(2)
        await found.passes(MINUTE)
        assert numbers(found) == [1, 2, 3, 4, 5]
        since = found.resume
    assert not client.open
    client.add(350)
    async with reading(source(client, clock), clock, since) as found:
        assert numbers(found) == list(range(6, 356))
        assert found.lost == []
    assert client.asked[-4:] == [("harbour_news", 100, one) for one in (0, 5, 105, 205)]


async def test_more_than_the_pages_hold_is_a_gap(client: FakeClient) -> None:
    clock = ManualClock()
    client.add(3)
    async with reading(source(client, clock), clock) as found:
        since = found.resume
    client.add(500)
    async with reading(source(client, clock, pages=2), clock, since) as found:
        assert len(numbers(found)) == 300
        assert [gap.why for gap in found.lost] == ["harbour_news: more messages came than 2 pages hold"]


async def test_an_event_that_is_added_is_looked_back_for_without_losing_what_changed_meanwhile(
    client: FakeClient,
) -> None:
    clock, watched = ManualClock(), [Event(name="bridge", proposition="It has come down", any=("bridge",))]
    client.add(250)
    async with reading(source(client, clock, lambda: watched), clock) as found:
        client.asked.clear()
        watched.append(Event(name="fire", proposition="The mill burns", any=("mill",)))
        client.add(20)
        await client.edits(155, "It is open")
        await found.passes(timedelta(seconds=30))
        assert client.asked == [("harbour_news", 100, 0)] * 3  # the newest, below 171, below 71
        assert set(numbers(found)) == set(range(1, 271))
        await found.passes(timedelta(seconds=30))
        assert found.ids("update") == {"harbour_news/155": 1}


async def test_a_page_of_nothing_but_what_happened_to_the_channel_ends_no_walk(client: FakeClient) -> None:
    def happens(count: int) -> None:
        pin = types.MessageActionPinMessage()
        for number in range(last := max(client.messages) + 1, last + count):
            peer = types.PeerChannel(CHANNEL)
            client.messages[number] = types.MessageService(id=number, peer_id=peer, date=START, action=pin)

    clock, watched = ManualClock(), [Event(name="bridge", proposition="It has come down", any=("bridge",))]
    client.add(20)
    happens(100)
    client.add(100)
    async with reading(source(client, clock, lambda: watched), clock) as found:
        assert numbers(found) == list(range(121, 221))
        watched.append(Event(name="fire", proposition="The mill burns", any=("mill",)))
        await found.passes(MINUTE)
        assert set(numbers(found)) == {*range(1, 21), *range(121, 221)}
        since = found.resume
    happens(150)
    client.add(120)
    async with reading(source(client, clock), clock, since) as found:
        assert numbers(found) == list(range(371, 491))
        assert found.lost == []


async def test_a_message_says_what_telegram_says_of_it(client: FakeClient) -> None:
    clock = ManualClock()
    reactions = types.MessageReactions(
        results=[types.ReactionCount(types.ReactionEmoji("a"), 40), types.ReactionCount(types.ReactionEmoji("b"), 2)]
    )
    client.messages[9] = said(
        9,
        reply_to=types.MessageReplyHeader(reply_to_msg_id=7),
        reactions=reactions,
        replies=types.MessageReplies(replies=5, replies_pts=1),
    )
    client.messages[10] = types.MessageService(
        id=10, peer_id=types.PeerChannel(CHANNEL), date=START, action=types.MessageActionPinMessage()
    )
    client.messages[11] = said(11, reply_to=types.MessageReplyHeader(reply_to_msg_id=7, reply_to_peer_id=CHANNEL))
    async with reading(source(client, clock), clock) as found:
        first, second = found.posts("create").to_dicts()
    wanted = {"id": "harbour_news/9", "author": "harbour_news", "reply_to": "harbour_news/7", "views": 1_200}
    wanted |= {"reposts": 7, "replies": 5, "likes": 42, "text": "The bridge is closed", "posted_at": START}
    assert {name: first[name] for name in wanted} == wanted
    assert (second["id"], second["reply_to"]) == ("harbour_news/11", None)


async def test_edits_and_deletions_reach_us_from_the_page_and_from_what_telegram_tells(client: FakeClient) -> None:
    clock = ManualClock()
    client.add(150)
    async with reading(source(client, clock), clock) as found:
        client.add(20)
        await found.passes(MINUTE)
        known = numbers(found)
        assert known == list(range(51, 171))
        client.messages[170] = said(170, "It is open")  # on the page
        del client.messages[160]
        await client.edits(55, "No: a drill")  # beyond it
        await client.deletes(56)
        await client.edits(3, "never seen")
        await client.deletes(4)
        await found.passes(MINUTE)
        changed = {one["id"]: one["text"] for one in found.posts("update").to_dicts()}
        assert changed == {"harbour_news/170": "It is open", "harbour_news/55": "No: a drill"}
        assert sorted(numbers(found, "delete")) == [56, 160]
        assert numbers(found) == known


async def test_a_wait_that_telegram_asks_for_is_obeyed_for_all_channels(client: FakeClient) -> None:
    clock = ManualClock()
    client.add(3)
    async with reading(source(client, clock, channels=("harbour_news", "dock_watch")), clock) as found:
        client.add(1)
        client.faults = [errors.FloodWaitError(None, 600)]
        await found.passes(timedelta(seconds=595))
        assert len(client.asked) == 3
        assert found.state == "unavailable"
        await found.passes(timedelta(minutes=7))
        assert 4 in numbers(found)
        assert found.state == "running"


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (errors.ChannelPrivateError(None), SourceState.REFUSED),
        (errors.AuthKeyUnregisteredError(None), SourceState.REFUSED),
        (ValueError('No user has "harbour_news" as username'), SourceState.REFUSED),
        (errors.ServerError(None, "RPC_CALL_FAIL", 500), SourceState.UNAVAILABLE),
        (ConnectionError("closed"), SourceState.UNAVAILABLE),
        (TimeoutError(), SourceState.UNAVAILABLE),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_what_goes_wrong_stops_the_source_or_is_tried_again(
    client: FakeClient, fault: Exception, state: SourceState
) -> None:
    clock = ManualClock()
    client.signed_in, client.faults = True, [ConnectionError("first")]
    async with reading(source(client, clock), clock) as found:
        assert found.state == "unavailable"
        client.faults = []
        await found.passes(MINUTE)
        assert found.state == "running"
        client.faults = [fault] * 20
        await found.passes(2 * MINUTE)
        assert found.states[-1] is state


async def test_a_session_that_is_not_signed_in_is_refused_and_the_connection_is_closed(client: FakeClient) -> None:
    clock = ManualClock()
    client.signed_in = False
    async with reading(source(client, clock), clock) as found:
        assert found.states[-1] is SourceState.REFUSED
        assert found.gaps[0].why == "nobody is signed in with this session file"
        assert not client.open


async def test_telethon_itself_has_what_is_used_of_it(tmp_path: Path) -> None:
    session = tmp_path / "desk.session"
    settings = TelegramSource(
        name="channels", via=Via.TELETHON, channels=("harbour_news",), api_id=17, session=str(session)
    )
    loaded = library(settings, "0123456789abcdef0123456789abcdef")
    assert isinstance(loaded.client, TelegramClient)
    assert loaded.client.flood_sleep_threshold == 0
    for name in ("connect", "is_user_authorized", "disconnect", "iter_messages", "add_event_handler"):
        ours = inspect.signature(getattr(Client, name)).parameters
        theirs = inspect.signature(getattr(TelegramClient, name)).parameters
        assert set(ours) <= set(theirs)
    loaded.client.add_event_handler(lambda _: None, loaded.edited)
    loaded.client.add_event_handler(lambda _: None, loaded.deleted)
    update = types.UpdateDeleteChannelMessages(CHANNEL, [3], 1, 1)
    event = loaded.deleted.build(update)
    assert (event.deleted_ids, event.chat_id) == ([3], said(1).chat_id)
    if (ending := loaded.client.disconnect()) is not None:
        await ending
    assert session.exists()


def test_without_the_extra_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "telethon", None)
    with pytest.raises(SourceRefusedError, match="virality-monitor") as refused:
        library(TelegramSource(name="channels", via=Via.TELETHON, channels=("harbour_news",)), "")
    assert str(refused.value) == EXTRA
