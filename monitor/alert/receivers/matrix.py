"""Matrix, over the client API: one card for each alert, edited in place, and a line in its thread for what changed.

Transaction ids come from the idempotency key, so that the same message sent again is the same event. Mentions are
declared, and none are.
"""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from aiohttp import ClientSession
from msgspec import Meta, Struct

from monitor.alert import words
from monitor.alert.card import Card, fitted, plain, step
from monitor.alert.chart_drawing import HEIGHT, WIDTH
from monitor.alert.receivers.chat import JSON, Bot, PerMinute, receipt, shown, there, withdraws
from monitor.alert.receivers.html_card import card_html
from monitor.alert.receivers.http import Answer, Http, told
from monitor.alert.receivers.picture import FILE, TYPE, beside_the_card, drawn, time_limit
from monitor.alert.receivers.receiver import Reason
from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.records import Notification

BYTES = 24_000
"""Of a card: an event holds 65,536, and an edit holds its card twice."""


class MatrixSettings(Bot, tag="matrix", tag_field="kind", frozen=True, kw_only=True):
    """A Matrix room."""

    homeserver: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/@?#]+$(?!\n)",
            max_length=500,
            description="an address such as https://matrix.example.org, without a path",
        ),
    ]
    """Where the account's server answers clients."""
    room: Annotated[
        str, Meta(pattern=r"^![^\s/?#]+$(?!\n)", max_length=255, description="a room id such as !abc:example.org")
    ]
    """The room's id; the account must have joined it."""
    thread: bool = True
    """Says in the card's thread what has changed, beside editing the card: edits notify nobody."""
    chart: bool = True
    """Shows the chart: in the card's thread."""
    per_minute: PerMinute = 12
    """Alerts a minute, evenly spread; servers limit accounts to one message in five seconds until told otherwise."""


class _Event(Struct):
    event_id: str


class _Uploaded(Struct):
    content_uri: str


class _Limited(Struct):
    retry_after_ms: float


class Matrix:
    """Sends as the account whose token it is given."""

    def __init__(self, settings: MatrixSettings, token: str, session: ClientSession, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._where = f"{settings.homeserver}/_matrix/client/v3/rooms/{quote(settings.room)}/send/m.room.message/"
        self._media = f"{settings.homeserver}/_matrix/media/v3/upload?filename={FILE}"
        self._headers = {**JSON, "Authorization": f"Bearer {token}"}
        self._http = Http(session, clock, settings.timeout, [token])

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Never: a transaction id counts once."""
        return False

    async def send(self, notification: Notification) -> str | None:
        """Sends the card, or edits it and says what has changed; the receipt is the card's event id and room."""
        card = shown(notification, self._settings, marked=False)
        key, event = notification.key, there(notification, self._settings.room)
        until = time_limit(self.timeout)
        if withdraws(notification) and not event:
            return notification.earlier
        if not event:
            event = await self._put(key, content(card))
            await self._show(notification, event, until)
            return receipt(event, self._settings.room)
        await self._put(key, _edit(card, event))
        if self._settings.thread and not withdraws(notification):
            await self._put(f"{key}-thread", _reply(card, event))
            await self._show(notification, event, until)
        return notification.earlier

    async def _show(self, notification: Notification, event: str, until: float) -> None:
        """The chart, in the thread of the card; sent again it is the same event."""
        async with beside_the_card(self.name, until):
            png = await drawn(notification, self._settings.zone, wanted=self._settings.chart)
            if png is None:
                return
            answer = await self._http.ask("POST", self._media, png, {**self._headers, "Content-Type": TYPE})
            if not answer.taken:
                raise self._trouble(answer)
            file = told(answer, _Uploaded)
            if file is None:
                raise DeliveryError(Reason.UNREACHABLE, retry=True, detail="the answer broke off")
            await self._put(f"{notification.key}-chart", _image(file.content_uri, len(png), event))

    async def _put(self, transaction: str, document: dict[str, Any]) -> str:
        answer = await self._http.ask("PUT", self._where + transaction, msgspec.json.encode(document), self._headers)
        if not answer.taken:
            raise self._trouble(answer)
        event = told(answer, _Event)
        if event is None:
            raise DeliveryError(Reason.UNREACHABLE, retry=True, detail="the answer broke off")
        return event.event_id

    def _trouble(self, answer: Answer) -> DeliveryError:
        limited = told(answer, _Limited)
        return self._http.trouble(answer, limited.retry_after_ms / 1000 if limited is not None else None)


def content(card: Card) -> dict[str, Any]:
    """The card as the content of a message."""
    return fitted(card, _content, lambda made: len(msgspec.json.encode(made)) <= BYTES)


def _content(card: Card) -> dict[str, Any]:
    return {
        "msgtype": "m.text",
        "body": plain(card),
        "format": "org.matrix.custom.html",
        "formatted_body": card_html(card),
        "m.mentions": {},
    }


def _edit(card: Card, event: str) -> dict[str, Any]:
    new = content(card)
    relation = {"rel_type": "m.replace", "event_id": event}
    return {**new, "body": f"* {new['body']}", "m.new_content": new, "m.relates_to": relation}


def _reply(card: Card, event: str) -> dict[str, Any]:
    return {"msgtype": "m.text", "body": step(card), "m.mentions": {}, "m.relates_to": _thread(event)}


def _image(address: str, size: int, event: str) -> dict[str, Any]:
    return {
        "msgtype": "m.image",
        "body": words.CHART,
        "filename": FILE,
        "url": address,
        "info": {"mimetype": TYPE, "size": size, "w": WIDTH, "h": HEIGHT},
        "m.mentions": {},
        "m.relates_to": _thread(event),
    }


def _thread(event: str) -> dict[str, Any]:
    return {
        "rel_type": "m.thread",
        "event_id": event,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": event},
    }
