"""Mattermost, over an incoming webhook: cards cannot be edited there, so what follows a card is a short update."""

from typing import Any

import msgspec
from aiohttp import ClientSession

from monitor.alert.card import Card, fitted, size, update
from monitor.alert.harmless import harmless
from monitor.alert.receivers.chat import JSON, Hook, shown
from monitor.alert.receivers.http import Http
from monitor.alert.receivers.markdown import escaped, lines
from monitor.clock import Clock
from monitor.records import Notification

TEXT = 4_000
"""Characters of a text that every version of the server takes."""
_LINE = 300


class MattermostSettings(Hook, tag="mattermost", tag_field="kind", frozen=True, kw_only=True):
    """A Mattermost channel, over an incoming webhook."""


class Mattermost:
    """Posts to the channel that the address stands for."""

    def __init__(self, settings: MattermostSettings, url: str, session: ClientSession, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._url = url
        self._http = Http(session, clock, settings.timeout, [url])

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Always: Mattermost's webhooks know no idempotency keys."""
        return True

    async def send(self, notification: Notification) -> str | None:
        """Posts the card, or what has changed since the last one. Raises DeliveryError."""
        card = shown(notification, self._settings)
        body = encoded(update(card) if notification.earlier else card)
        answer = await self._http.post(self._url, body, JSON)
        return f"HTTP {answer.status}"


def encoded(card: Card) -> bytes:
    """The message: the claim for notifications, and the card as an attachment."""
    line = harmless(f"{card.status}: {card.claim}", _LINE)

    def attachment(shorter: Card) -> dict[str, Any]:
        text = f"**{escaped(shorter.head)}**\n{lines(shorter)}"
        return {"fallback": escaped(line), "color": "#E69F00", "text": text}

    made = fitted(card, attachment, lambda one: size(one["text"]) <= TEXT)
    return msgspec.json.encode({"text": escaped(line), "attachments": [made]})
