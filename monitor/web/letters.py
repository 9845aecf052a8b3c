"""Dead letters as the API tells them, and what it takes to send them again."""

from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from monitor.records import AlertState
from monitor.watched import Name
from monitor.web.bodies import Limit

Key = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="32 digits of 0-9 and a-f")]


class DeadRow(Struct, frozen=True, kw_only=True):
    """A notification that was given up."""

    key: str
    """Its idempotency key."""
    receiver: str
    reason: str
    """A word of `monitor.alert.receivers.receiver.Reason`."""
    detail: str
    """What the receiver said: hostile, to be escaped by whoever renders it."""
    attempts: int
    deadline: datetime
    unknown: bool
    """An attempt may have arrived all the same."""
    alert: str
    """The alert's id."""
    event: str
    state: AlertState
    at: datetime
    """Of the alert's step."""
    label: str
    """The alert's claim: hostile, to be escaped by whoever renders it."""


class DeadList(Struct, frozen=True, kw_only=True):
    """Dead letters, the oldest first: the newest `limit` of them."""

    letters: tuple[DeadRow, ...]


class DeadAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters."""

    receiver: Name | None = None
    limit: Limit = 1000


class ReplayAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent again: letters by key, all of one receiver, or all there are; exactly one of the three."""

    keys: Annotated[tuple[Key, ...], Meta(max_length=10_000)] = ()
    receiver: Name | None = None
    all: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError unless it names one of the three."""
        if [bool(self.keys), self.receiver is not None, self.all].count(True) != 1:
            why = "name keys, a receiver, or all: exactly one of the three"
            raise ValueError(why)


class Replayed(Struct, frozen=True, kw_only=True):
    """What became of them."""

    queued: tuple[str, ...]
    """Keys of what is on its way again, under a new deadline and the same key."""
    without_receiver: tuple[str, ...] = ()
    """Keys of letters to receivers that the configuration no longer has: they stay."""
    unknown: tuple[str, ...] = ()
    """Keys that were asked for and are no dead letter's."""


class LetterOffice(Protocol):
    """Raises RefusedError where the answer is no."""

    async def dead(self, asked: DeadAsked) -> DeadList:
        """What was given up."""
        ...

    async def replay(self, asked: ReplayAsked) -> Replayed:
        """Sends it again."""
        ...
