"""What every receiver promises; `tests/contract/test_receivers.py` asks it of each."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from threading import Lock
from typing import Protocol

from monitor.alert.bucket import Pace
from monitor.errors import DeliveryError
from monitor.records import Notification


class Reason(StrEnum):
    """Why a notification was not delivered: every value of `DeliveryError.reason` and of the label `reason`."""

    TIMEOUT = "timeout"
    """No answer within the receiver's timeout; tried again."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke; tried again."""
    BUSY = "busy"
    """The receiver asks for patience (408, 425, 429); tried again, not before the time it named."""
    SERVER_ERROR = "server_error"
    """The receiver is broken (5xx); tried again."""
    UNTRUSTED = "untrusted"
    """The receiver's certificate does not hold; tried again, because certificates are renewed."""
    REFUSED = "refused"
    """The receiver will not have it (other 4xx); not tried again."""
    REDIRECTED = "redirected"
    """The address has moved (3xx): an operator must look, a signed alert follows nobody; not tried again."""
    NOT_WRITABLE = "not_writable"
    """The file or stream cannot be written; tried again."""
    EXPIRED = "expired"
    """The deadline passed; said of dead letters only."""
    NO_RECEIVER = "no_receiver"
    """The configuration no longer has the receiver; said of dead letters only."""


class Receiver(Protocol):
    """Brings notifications to people; one is sent at a time, and a `send` may be cancelled at any point."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    @property
    def timeout(self) -> timedelta:
        """How long one `send` may take."""
        ...

    @property
    def pace(self) -> Pace | None:
        """How fast it may be told; None: as fast as one send follows the other."""
        ...

    def repeats(self, notification: Notification) -> bool:
        """Whether people may see it twice if it is sent again after an attempt of which nobody knows the outcome.

        True where the other side knows no idempotency key; `send` then marks what has `repeat` set.
        """
        ...

    async def send(self, notification: Notification) -> str | None:
        """Delivers, and answers the receipt if there is one; the same key again is the same notification again.

        Where `earlier` is set and the other side can edit, the card that is there is brought up to date. Raises
        DeliveryError with a word of `Reason` and whether trying again can help.
        """
        ...


@contextmanager
def one_at_a_time(lock: Lock) -> Iterator[None]:
    """Guards a write in a thread, which goes on when its timeout is over: until it ends, the next one times out too."""
    if not lock.acquire(blocking=False):
        raise DeliveryError(Reason.TIMEOUT, retry=True, detail="the write before still blocks")
    try:
        yield
    finally:
        lock.release()
