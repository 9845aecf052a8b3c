"""A terminal: the card, written to a text stream."""

import asyncio
from threading import Lock
from typing import TextIO

from msgspec import Struct

from monitor.alert.message import card_text
from monitor.alert.receivers.receiver import Reason, one_at_a_time
from monitor.errors import DeliveryError
from monitor.records import Notification
from monitor.watched import Duration, Name


class TerminalSettings(Struct, tag="terminal", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver that prints cards where the monitor runs."""

    name: Name
    deadline: Duration = Duration(minutes=5)
    """A card that could not be printed for this long is a dead letter."""
    timeout: Duration = Duration(seconds=5)
    """A terminal that holds the output back blocks for at most this long."""


class Terminal:
    """Writes each card once, with an empty line behind it."""

    def __init__(self, settings: TerminalSettings, stream: TextIO) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = None
        self._stream = stream
        self._last = ""
        self._lock = Lock()

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Never to speak of: whoever reads a terminal sees the alert and its time."""
        return False

    async def send(self, notification: Notification) -> str | None:
        """Writes the card; the card written last is not written again. Raises DeliveryError."""
        card = card_text(notification.alert) + "\n\n"
        try:
            await asyncio.to_thread(self._write, notification.key, card)
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            raise DeliveryError(Reason.NOT_WRITABLE, retry=True, detail=type(error).__name__) from error
        return None

    def _write(self, key: str, card: str) -> None:
        with one_at_a_time(self._lock):
            if key == self._last:
                return
            encoding = self._stream.encoding or "utf-8"
            self._stream.write(card.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
            self._last = key
