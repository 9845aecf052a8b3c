"""Chats that take cards at a secret address, edit none and know no keys: what follows a card is a short update."""

from collections.abc import Callable

from aiohttp import ClientSession

from monitor.alert.card import Card, update
from monitor.alert.receivers.chat import JSON, Hook, shown
from monitor.alert.receivers.http import Http
from monitor.clock import Clock
from monitor.records import Notification


class Incoming:
    """Posts to whatever the address stands for; `encoded` makes a card that chat's message."""

    def __init__(
        self, settings: Hook, url: str, encoded: Callable[[Card], bytes], session: ClientSession, clock: Clock
    ) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._url = url
        self._encoded = encoded
        self._http = Http(session, clock, settings.timeout, [url])

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Always: these chats know no idempotency keys."""
        return True

    async def send(self, notification: Notification) -> str | None:
        """Posts the card, or what has changed since the last one. Raises DeliveryError."""
        card = shown(notification, self._settings)
        body = self._encoded(update(card) if notification.earlier else card)
        answer = await self._http.post(self._url, body, JSON)
        return f"HTTP {answer.status}"
