"""Slack, over an incoming webhook: cards cannot be edited there, so what follows a card is a short update."""

from aiohttp import ClientSession

from monitor.alert.card import update
from monitor.alert.receivers.chat import JSON, Hook, shown
from monitor.alert.receivers.http import Http
from monitor.alert.receivers.slack_blocks import encoded, message
from monitor.clock import Clock
from monitor.records import Notification


class SlackHookSettings(Hook, tag="slack-webhook", tag_field="kind", frozen=True, kw_only=True):
    """A Slack channel, over an incoming webhook."""


class SlackHook:
    """Posts to the channel that the address stands for."""

    def __init__(self, settings: SlackHookSettings, url: str, session: ClientSession, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._url = url
        self._http = Http(session, clock, settings.timeout, [url])

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Always: Slack's webhooks know no idempotency keys."""
        return True

    async def send(self, notification: Notification) -> str | None:
        """Posts the card, or what has changed since the last one. Raises DeliveryError."""
        card = shown(notification, self._settings)
        made = message(update(card) if notification.earlier else card)
        answer = await self._http.post(self._url, encoded(made), JSON)
        return f"HTTP {answer.status}"
