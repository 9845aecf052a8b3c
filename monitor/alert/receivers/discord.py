"""Discord, over a channel's webhook: one card for each alert, edited in place; a line says what must be heard."""

from typing import Any

import msgspec
from aiohttp import ClientSession
from msgspec import Struct

from monitor.alert import words
from monitor.alert.card import Card, fitted, size, step
from monitor.alert.harmless import harmless
from monitor.alert.receivers.chat import JSON, Hook, PerMinute, receipt, shown, there, weighty, withdraws
from monitor.alert.receivers.http import Answer, Http, told
from monitor.alert.receivers.markdown import actions, escaped, lines
from monitor.alert.receivers.picture import FILE, drawn, form
from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.marks import Status
from monitor.records import Notification

TITLE = 256
DESCRIPTION = 4_096
EMBEDS = 6_000
"""Characters of all embeds of a message together."""
_CONTENT = 300
_LINE = 900
_NO_PREVIEWS = 1 << 2
_GONE = 404
_UNWANTED = frozenset({400, 413, 415})
"""What Discord says of a file that it will not have, among other things."""
_PLACE = "discord"
"""A message of another webhook is simply not found."""
_COLOURS = {
    Status.UNCONFIRMED: 0xE69F00,
    Status.CONFIRMED: 0x009E73,
    Status.DENIED: 0x56B4E9,
    Status.DEBUNKED: 0x0072B2,
}
"""Of the bar beside the card, told apart by colour-blind readers too; the status stands there in words."""


class DiscordSettings(Hook, tag="discord", tag_field="kind", frozen=True, kw_only=True):
    """A Discord channel, over its webhook."""

    per_minute: PerMinute = 30
    """Messages a minute, evenly spread; Discord takes thirty a minute in a channel."""
    chart: bool = True
    """Shows the chart: on the card."""

    @property
    def edits(self) -> bool:
        """Always."""
        return True


class _Message(Struct):
    id: str


class _Limited(Struct):
    retry_after: float


class Discord:
    """Posts to the channel that the address stands for, and edits what it posted."""

    def __init__(self, settings: DiscordSettings, url: str, session: ClientSession, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._url = url
        self._http = Http(session, clock, settings.timeout, [url])

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Always: a new card, a line beside an edit, or a card anew where people have deleted the one to edit."""
        return True

    async def send(self, notification: Notification) -> str | None:
        """Posts the card, or edits the one that is there; the receipt is the message's id. Raises DeliveryError."""
        png = await drawn(notification, self._settings.zone, wanted=self._settings.chart)
        message = there(notification, _PLACE)
        if message:
            card = shown(notification, self._settings, marked=False)
            answer = await self._ask("PATCH", f"/messages/{message}", card, notification, png)
            if answer.status != _GONE:
                edited = self._receipt(answer)
                if weighty(notification):
                    await self._say(notification)
                return edited
        if withdraws(notification):
            return notification.earlier
        card = shown(notification, self._settings)
        return self._receipt(await self._ask("POST", "", card, notification, png))

    async def _ask(self, method: str, path: str, card: Card, notification: Notification, png: bytes | None) -> Answer:
        """The card with its chart; without it where Discord will not have that."""
        where = _address(self._url, path, *(() if path else ("wait=true",)))
        status = notification.alert.status
        if png is not None:
            body = {"payload_json": encoded(card, status, pictured=True).decode()}
            sent = form(png, "files[0]", body, json=frozenset(body))
            answer = await self._http.ask(method, where, sent, {})
            if answer.status not in _UNWANTED:
                return answer
        return await self._http.ask(method, where, encoded(card, status), JSON)

    async def _say(self, notification: Notification) -> None:
        """A line of its own: a webhook cannot answer a message."""
        card = shown(notification, self._settings)
        said = escaped(harmless(f"{step(card)}. {words.CLAIM}: {card.claim}", _LINE))
        line = {"content": said, "allowed_mentions": {"parse": []}, "flags": _NO_PREVIEWS}
        self._receipt(
            await self._http.ask("POST", _address(self._url, "", "wait=true"), msgspec.json.encode(line), JSON)
        )

    def _receipt(self, answer: Answer) -> str:
        if not answer.taken:
            raise self._trouble(answer)
        message = told(answer, _Message)
        known = message is not None and message.id.isascii() and message.id.isdigit()
        return receipt(message.id if message is not None and known else "", _PLACE)

    def _trouble(self, answer: Answer) -> DeliveryError:
        limited = told(answer, _Limited)
        return self._http.trouble(answer, limited.retry_after if limited is not None else None)


def _address(url: str, path: str, *asked: str) -> str:
    """The address with a path behind it; what it asks for itself (`thread_id`) stays."""
    place, _, query = url.partition("?")
    asks = "&".join(one for one in (*asked, query) if one)
    return f"{place}{path}?{asks}" if asks else f"{place}{path}"


def encoded(card: Card, status: Status, *, pictured: bool = False) -> bytes:
    """The message: the claim for notifications, and the card as an embed; nobody is mentioned."""
    image = {"image": {"url": f"attachment://{FILE}"}} if pictured else {}

    def embed(shorter: Card) -> dict[str, Any]:
        title = escaped(harmless(shorter.head, TITLE // 2))
        return {"title": title, "description": lines(shorter), "color": _COLOURS[status], **image}

    acts = [{"description": actions(card), "color": _COLOURS[status]}] if card.actions else []
    room = EMBEDS - size(actions(card))

    def fits(made: dict[str, Any]) -> bool:
        length = size(made["description"])
        return length <= DESCRIPTION and size(made["title"]) + length <= room

    message: dict[str, Any] = {
        "content": escaped(harmless(f"{card.status}: {card.claim}", _CONTENT)),
        "embeds": [fitted(card, embed, fits), *acts],
        "allowed_mentions": {"parse": []},
        "flags": 0,
    }
    if pictured:
        message["attachments"] = [{"id": 0, "filename": FILE, "description": words.CHART}]
    return msgspec.json.encode(message)
