"""Telegram, as a bot: one card for each alert, edited in place; what must be heard is said in an answer to it.

The bot must be in the group, or be an administrator of the channel. The card is HTML of Telegram's few tags; what
Telegram makes of plain letters by itself – mentions and commands – is broken.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import Annotated, Any, NamedTuple

import msgspec
from aiohttp import ClientSession
from msgspec import Meta, Struct

from monitor.alert import words
from monitor.alert.card import Card, Post, Row, fitted, size, step
from monitor.alert.receivers.chat import JSON, Bot, PerMinute, receipt, shown, there, weighty, withdraws
from monitor.alert.receivers.http import Answer, Http, told
from monitor.alert.receivers.picture import beside_the_card, drawn, form, time_limit
from monitor.alert.receivers.receiver import Reason
from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.records import Notification, Offered

TEXT = 4_096
"""UTF-16 code units of a message's text, its tags not counted."""
ROW = 3
_COMMAND = re.compile(r"(?<![^\s(\[])/(?=\w)")
_BAD_REQUEST = 400
_AS_IT_IS = "message is not modified"
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")


class TelegramSettings(Bot, tag="telegram", tag_field="kind", frozen=True, kw_only=True):
    """A Telegram group or channel."""

    chat: Annotated[
        str,
        Meta(
            pattern=r"^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64})$(?!\n)",
            description="a chat's number such as -1001234567890, or a public channel's name such as @example",
        ),
    ]
    """The chat's number, or `@name` of a public channel."""
    api: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/@?#]+$(?!\n)",
            max_length=500,
            description="an address such as https://api.telegram.org, without a path",
        ),
    ] = "https://api.telegram.org"
    """Where the Bot API answers; a server of your own can stand here."""
    per_minute: PerMinute = 20
    """Messages a minute, evenly spread; Telegram takes about twenty a minute in a group, charts too."""
    chart: bool = True
    """Shows the chart: as a reply to the card, exchanged when the card is edited."""


class _Wait(Struct, frozen=True):
    retry_after: float = 0.0


class _Message(Struct):
    message_id: int


class _Said(Struct):
    ok: bool
    description: str = ""
    parameters: _Wait = _Wait()
    result: _Message | None = None


class Text(NamedTuple):
    """A message: as HTML, and how long it is when read."""

    html: str
    size: int


class Telegram:
    """Posts and edits as the bot whose token it is given."""

    def __init__(self, settings: TelegramSettings, token: str, session: ClientSession, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._bot = f"{settings.api}/bot{token}"
        self._http = Http(session, clock, settings.timeout, [token, self._bot])

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Always: a new card, an answer to an edited one, or a card anew where people have deleted the one to edit."""
        return True

    async def send(self, notification: Notification) -> str | None:
        """Posts the card, or edits the one that is there; the receipt is the message's number."""
        chat: dict[str, Any] = {
            "chat_id": self._settings.chat,
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
        }
        if notification.actions:
            chat["reply_markup"] = keyboard(notification.actions)
        until = time_limit(self.timeout)
        message, _, photo = there(notification, self._settings.chat).partition("+")
        if message:
            text = rendered(shown(notification, self._settings, marked=False)).html
            edit = {**chat, "message_id": int(message), "text": text}
            answer = await self._http.ask("POST", f"{self._bot}/editMessageText", msgspec.json.encode(edit), JSON)
            if self._edited(answer):
                if weighty(notification):
                    await self._answer(notification, message)
                return await self._show(notification, message, photo, until)
        if withdraws(notification):
            return notification.earlier
        post = {**chat, "text": rendered(shown(notification, self._settings)).html}
        answer = await self._http.ask("POST", f"{self._bot}/sendMessage", msgspec.json.encode(post), JSON)
        new = self._said(answer).result
        return await self._show(notification, str(new.message_id) if new is not None else "", "", until)

    async def _answer(self, notification: Notification, message: str) -> None:
        """A line under the card, which notifies people: edits do not."""
        line = {
            "chat_id": self._settings.chat,
            "text": _plain(step(shown(notification, self._settings))),
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
            "reply_parameters": {"message_id": int(message), "allow_sending_without_reply": True},
        }
        self._said(await self._http.ask("POST", f"{self._bot}/sendMessage", msgspec.json.encode(line), JSON))

    async def _show(self, notification: Notification, message: str, photo: str, until: float) -> str:
        """The chart, under the card: the one that is there is exchanged. The receipt names card and chart."""
        async with beside_the_card(self.name, until):
            png = await drawn(notification, self._settings.zone, wanted=self._settings.chart and bool(message))
            if png is not None:
                photo = await self._photo(png, message, photo)
        return receipt(f"{message}+{photo}" if photo else message, self._settings.chat)

    async def _photo(self, png: bytes, message: str, photo: str) -> str:
        chat = {"chat_id": self._settings.chat}
        if photo:
            media = msgspec.json.encode({"type": "photo", "media": "attach://chart", "caption": words.CHART})
            edit = form(png, "chart", {**chat, "message_id": photo, "media": media.decode()})
            if self._edited(await self._http.ask("POST", f"{self._bot}/editMessageMedia", edit, {})):
                return photo
        under = msgspec.json.encode({"message_id": int(message), "allow_sending_without_reply": True}).decode()
        post = {**chat, "caption": words.CHART, "disable_notification": "true", "reply_parameters": under}
        answer = await self._http.ask("POST", f"{self._bot}/sendPhoto", form(png, "photo", post), {})
        new = self._said(answer).result
        return str(new.message_id) if new is not None else ""

    def _edited(self, answer: Answer) -> bool:
        """False where the message to edit is gone."""
        why = told(answer, _Said)
        if answer.status == _BAD_REQUEST and why is not None:
            described = why.description.lower()
            if _AS_IT_IS in described:
                return True
            if any(gone in described for gone in _GONE):
                return False
        return self._said(answer).ok

    def _said(self, answer: Answer) -> _Said:
        said = told(answer, _Said)
        if not answer.taken:
            wait = said.parameters.retry_after if said is not None else 0.0
            raise self._http.trouble(answer, wait or None)
        if said is None or not said.ok:
            raise DeliveryError(Reason.UNREACHABLE, retry=True, unknown=True, detail="the answer broke off")
        return said


def keyboard(actions: Sequence[Offered]) -> dict[str, Any]:
    """Buttons under a message, `ROW` in a row."""
    buttons = [{"text": words.ACTIONS[one.action], "url": one.url} for one in actions]
    return {"inline_keyboard": [buttons[begin : begin + ROW] for begin in range(0, len(buttons), ROW)]}


def rendered(card: Card) -> Text:
    """The card as one message."""
    return fitted(card, _rendered, lambda made: made.size <= TEXT)


def _rendered(card: Card) -> Text:
    html = [f"<b>{_plain(card.head)}</b>", *(_row(row) for row in card.above())]
    if card.posts:
        html += [f"<b>{_plain(words.EVIDENCE)}:</b>", *(f"• {_post(post)}" for post in card.posts)]
    html += [_row(row) for row in card.below()]
    text = "\n".join(html)
    return Text(text, size(re.sub(r"<[^>]*>", "", text)))


def _row(row: Row) -> str:
    said = _linked(row.text, row.link)
    return f"<b>{_plain(row.label)}:</b> {said}" if row.label else said


def _post(post: Post) -> str:
    return f"<b>[{_plain(post.tag)}]</b> {_linked(post.where, post.link)}: {_plain(post.said)}"


def _linked(text: str, link: str | None) -> str:
    return _plain(text) if link is None else f'<a href="{escape(link)}">{_plain(text)}</a>'


def _plain(text: str) -> str:
    return escape(_COMMAND.sub("∕", text))
