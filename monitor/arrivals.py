"""What sources hand over, and how they learn what became of it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

_USUAL = 500
"""Bytes of a post."""


class Contact(NamedTuple):
    """A source answers, though it has nothing to say: it is not blind, and its connection is not stale."""

    rests: bool = False
    """It has said all that there is for now, and will look again later."""


class Settled(NamedTuple):
    """What became of a payload, once all of it is committed and its source may forget it."""

    posts: int
    """Documents that were usable."""
    rejected: Mapping[str, int]
    """Reason → documents that were not."""
    quarantined: bool = False
    """Set aside in a file instead: the monitor crashed on it twice."""


class Request(NamedTuple):
    """What tells a request that comes again."""

    key: str
    """The sender's idempotency key."""
    digest: str
    """SHA-256 of its body, in hexadecimal digits."""


def about(body: bytes) -> int:
    """About how many posts a body holds: it counts the name of a field that each has, as it is mostly spelled.

    Where it is spelled otherwise, each is taken to have 500 bytes; an object has a brace, which has one spelling only.
    """
    return max(1, body.count(b'"platform"'), min(body.count(b"{"), len(body) // _USUAL))


class Answered(NamedTuple):
    """What was answered to a request."""

    source: str
    request: Request
    settled: Settled
    at: datetime


class Payload(NamedTuple):
    """Raw bytes a source sent, and where the source goes on after them."""

    source: str
    body: bytes
    resume: str | None
    """Resume point behind the payload; None where it has none of its own."""
    posts: int = 1
    """About how many posts it holds."""
    arrived_at: datetime | None = None
    """When it was taken from the source."""
    settle: Callable[[Settled], None] | None = None
    """Acknowledges it to its source: called once, on the event loop, after the commit and never before."""
    request: Request | None = None
    """The request it came with, where it can come again: what was answered is kept in the same commit."""
