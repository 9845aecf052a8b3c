"""Telegram as a user, with Telethon: the newest hundred messages of each channel, and what it tells by itself.

Telethon is an extra (`pip install virality-monitor[telethon]`) and known here by the few of its methods that stand in
`Client`. It was never run against Telegram by us: there is no server that could be asked without an account.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from monitor.clock import Clock
from monitor.collect.claims import plain
from monitor.collect.http_rates import Budget, Limit
from monitor.collect.telegram_messages import Sent, document, written
from monitor.collect.telegram_pages import Opens, Page, Pages
from monitor.collect.telegram_settings import TelegramSource
from monitor.errors import SourceRefusedError, SourceUnavailableError

EXTRA = "Telethon is not installed; install it with: pip install virality-monitor[telethon]"
_AT_ONCE = 100
_HISTORY = Limit(10, timedelta(seconds=30))
"""Requests for messages that Telegram takes, as Telethon's documentation has it."""
_CHANGED = 1_000
"""Edits and deletions of a channel that are kept until it is asked next."""
_REFUSES = frozenset({400, 401, 403, 404, 406})


class Client(Protocol):
    """What of Telethon's TelegramClient is used."""

    async def connect(self) -> None:
        """Connects, without signing in."""
        ...

    async def is_user_authorized(self) -> bool:
        """Whether the session is signed in."""
        ...

    def disconnect(self) -> Awaitable[None] | None:
        """Ends the connection."""
        ...

    def iter_messages(
        self, entity: str, limit: int, *, min_id: int = 0, offset_id: int = 0, reverse: bool = False
    ) -> AsyncIterator[Any]:
        """Messages, the newest first, below `offset_id`; with `reverse` the oldest first, above `min_id`."""
        ...

    def add_event_handler(self, callback: Callable[[Any], Awaitable[None]], event: Any) -> None:  # noqa: ANN401 -- Telethon's
        """Calls back whenever something of this kind happens."""
        ...


class Library(NamedTuple):
    """What of Telethon is used."""

    client: Client
    errors: tuple[type[Exception], ...]
    """What it raises; those with a `seconds` ask for a wait, those with a `code` are Telegram's own."""
    edited: Any
    deleted: Any
    """The kinds of event."""


Loads = Callable[[TelegramSource, str], Library]
"""Settings and the app's hash → Telethon at work; raises SourceRefusedError."""


def library(settings: TelegramSource, api_hash: str) -> Library:
    """Telethon itself; raises SourceRefusedError where it is not installed, or its session file cannot be used."""
    try:
        from telethon import TelegramClient, errors, events  # noqa: PLC0415 -- an extra, which may not be there
    except ImportError as error:
        raise SourceRefusedError(EXTRA) from error
    try:
        client = TelegramClient(
            settings.session,
            settings.api_id,
            api_hash,
            timeout=settings.timeout.total_seconds(),
            request_retries=1,
            connection_retries=1,
            flood_sleep_threshold=0,
            catch_up=True,
        )
    except (OSError, ValueError) as error:
        why = f"Telethon does not start: {plain(str(error))}"
        raise SourceRefusedError(why) from error
    raised = (errors.RPCError, OSError, ValueError, TimeoutError)
    return Library(client, raised, events.MessageEdited(), events.MessageDeleted())


def telethon(settings: TelegramSource, api_hash: str, clock: Clock, loads: Loads = library) -> Opens:
    """Channels as a user sees them."""
    budget = Budget(_HISTORY, clock)

    @asynccontextmanager
    async def opens() -> AsyncIterator[Pages]:
        loaded = loads(settings, api_hash)
        user = _User(loaded, clock, budget)
        try:
            await user.open()
            yield user
        finally:
            if (ending := loaded.client.disconnect()) is not None:
                await ending

    return opens


class _User:
    """Implements Pages; a wait that Telegram asks for holds for all channels."""

    def __init__(self, loaded: Library, clock: Clock, budget: Budget) -> None:
        self._library = loaded
        self._client = loaded.client
        self._clock = clock
        self._budget = budget
        self._until = 0.0
        """When Telegram may be asked again, on the monotonic clock."""
        self._channels: dict[int, str] = {}
        """Telegram's number of a channel → its name in the settings."""
        self._names: dict[str, str] = {}
        """Name in the settings → as Telegram spells it."""
        self._edited: dict[str, dict[int, Sent]] = {}
        self._gone: dict[str, dict[int, None]] = {}

    async def open(self) -> None:
        """Connects; raises SourceUnavailableError, and SourceRefusedError where nobody is signed in."""
        try:
            await self._client.connect()
            signed_in = await self._client.is_user_authorized()
        except self._library.errors as error:
            raise self._trouble(error) from error
        if not signed_in:
            why = "nobody is signed in with this session file"
            raise SourceRefusedError(why)
        self._client.add_event_handler(self._take_edited, self._library.edited)
        self._client.add_event_handler(self._take_deleted, self._library.deleted)

    async def page(self, channel: str, after: int | None = None, before: int | None = None) -> Page:
        """As Pages says: a hundred messages; with the newest comes what changed since they were asked for last."""
        wait = self._until - self._clock.monotonic()
        if wait > 0:
            why = "Telegram asks to wait"
            raise SourceUnavailableError(why, wait, whole=True)
        found = self._client.iter_messages(
            channel, _AT_ONCE, min_id=after or 0, offset_id=before or 0, reverse=after is not None
        )
        try:
            async with self._budget.slot():
                messages = [message async for message in found]
        except self._library.errors as error:
            raise self._trouble(error) from error
        written_down = [(message.id, self._sent(message, channel)) for message in messages]
        sent = sorted((one for _, one in written_down if one is not None), key=lambda one: one.number)
        others = [name for name, one in written_down if one is None]
        newest = after is None and before is None
        edited, gone = self._changed(channel) if newest else ([], [])
        changed = [document(one) for one in edited]
        body = written([*sent, *edited])
        return Page(body, [document(one) for one in sent], whole=True, edited=changed, gone=gone, others=others)

    def _changed(self, channel: str) -> tuple[list[Sent], list[str]]:
        """What Telegram told of a channel since this was last asked."""
        edited, gone = self._edited.pop(channel, {}), self._gone.pop(channel, {})
        spelt = self._names.get(channel, channel)
        return [one for name, one in edited.items() if name not in gone], [f"{spelt}/{name}" for name in gone]

    async def _take_edited(self, event: Any) -> None:  # noqa: ANN401 -- Telethon's
        channel = self._channels.get(event.chat_id)
        sent = self._sent(event.message, channel) if channel is not None else None
        if channel is not None and sent is not None:
            changed = self._edited.setdefault(channel, {})
            if len(changed) < _CHANGED or sent.number in changed:
                changed[sent.number] = sent

    async def _take_deleted(self, event: Any) -> None:  # noqa: ANN401 -- Telethon's
        channel = self._channels.get(event.chat_id)
        if channel is not None:
            gone = self._gone.setdefault(channel, {})
            gone.update(dict.fromkeys(event.deleted_ids[: max(0, _CHANGED - len(gone))]))

    def _sent(self, message: Any, channel: str) -> Sent | None:  # noqa: ANN401 -- Telethon's
        """A message written down; None for what happened to a channel, as a new picture or a pin."""
        if getattr(message, "action", None) is not None:
            return None
        if (number := getattr(message, "chat_id", None)) is not None:
            self._channels[number] = channel
        spelt = getattr(getattr(message, "chat", None), "username", None) or channel
        self._names[channel] = spelt
        reactions = getattr(message.reactions, "results", None)
        return Sent(
            channel=spelt,
            number=message.id,
            at=message.date.isoformat(),
            text=message.message or "",
            views=message.views,
            forwards=message.forwards,
            replies=getattr(message.replies, "replies", None),
            reactions=sum(one.count for one in reactions) if reactions is not None else None,
            answers=_answered(message.reply_to),
            forwarded=_forwarded(message),
            edited=message.edit_date is not None,
        )

    def _trouble(self, error: Exception) -> SourceUnavailableError | SourceRefusedError:
        """Telethon's error as one of ours."""
        said = f"{type(error).__name__}: {plain(str(error))}"
        seconds = getattr(error, "seconds", None)
        if isinstance(seconds, int) and getattr(error, "code", None) == 420:  # noqa: PLR2004 -- Telegram's FLOOD
            self._until = self._clock.monotonic() + seconds
            return SourceUnavailableError(said, float(seconds), whole=True)
        if getattr(error, "code", None) in _REFUSES or isinstance(error, ValueError):
            return SourceRefusedError(said)
        return SourceUnavailableError(said)


def _answered(reply: Any) -> int | None:  # noqa: ANN401 -- Telethon's
    """The message of the same channel that is answered."""
    if reply is None or getattr(reply, "reply_to_peer_id", None) is not None:
        return None
    number = getattr(reply, "reply_to_msg_id", None)
    return number if isinstance(number, int) else None


def _forwarded(message: Any) -> str | None:  # noqa: ANN401 -- Telethon's
    """The message of a public channel that is repeated."""
    number = getattr(message.fwd_from, "channel_post", None)
    name = getattr(getattr(getattr(message, "forward", None), "chat", None), "username", None)
    return f"{name}/{number}" if number is not None and name else None
