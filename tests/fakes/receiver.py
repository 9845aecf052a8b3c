"""A receiver that does what a test tells it, and keeps what it was sent."""

import asyncio
from datetime import timedelta

from monitor.alert.bucket import Pace
from monitor.alert.message import card_text
from monitor.errors import DeliveryError
from monitor.records import Notification, Offered


class ScriptedReceiver:
    """Implements Receiver: raises the scripted errors one after the other, then takes everything."""

    def __init__(
        self, name: str = "desk", *errors: DeliveryError, pace: Pace | None = None, keyless: bool = False
    ) -> None:
        self.name = name
        self.timeout = timedelta(seconds=10)
        self.pace = pace
        self.keyless = keyless
        """Knows no idempotency keys."""
        self.marked: list[bool] = []
        """Whether each attempt was marked as a possible repeat."""
        self.earlier: list[str] = []
        """The receipt that came with each attempt."""
        self.actions: list[tuple[Offered, ...]] = []
        """The links that came with each attempt."""
        self.taken: list[str] = []
        """Keys."""
        self.sent: list[Notification] = []
        """What was taken."""
        self.shown: list[str] = []
        """Cards."""
        self.attempts = 0
        self.open = asyncio.Event()
        """Cleared, the receiver hangs."""
        self.open.set()
        self.errors = list(errors)

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002
        return self.keyless

    async def send(self, notification: Notification) -> str | None:
        self.attempts += 1
        self.marked.append(notification.repeat)
        self.earlier.append(notification.earlier)
        self.actions.append(notification.actions)
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        if notification.key not in self.taken:
            self.shown.append(card_text(notification.alert))
        self.taken.append(notification.key)
        self.sent.append(notification)
        return f"receipt {len(self.taken)}"
