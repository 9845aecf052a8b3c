"""Links by which people act from a card: each says what, on which alert and until when, and is signed. Pure.

A link is all that it takes: whoever has one can act once the page it opens is confirmed. So it is bound to one action
on one alert, ends by itself, and is made under a key that only the monitor knows (HMAC-SHA256, RFC 2104, over the
fields as a JSON array, so that no field can flow into the next).
"""

import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from monitor.alert.lifecycle import on_card
from monitor.marks import Status
from monitor.records import Alert, AlertState, Offered

PLACE = "/actions"
"""Where the monitor answers links, below its address."""


class Action(StrEnum):
    """What a card offers to do."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE_30M = "silence-30m"
    SILENCE_2H = "silence-2h"
    CONFIRM = "confirm"
    DEBUNK = "debunk"
    USEFUL = "useful"
    NOT_USEFUL = "not-useful"


SILENCES = {Action.SILENCE_30M: timedelta(minutes=30), Action.SILENCE_2H: timedelta(hours=2)}
STATUSES = {Action.CONFIRM: Status.CONFIRMED, Action.DEBUNK: Status.DEBUNKED}
"""What sets a status needs to know what that rests on."""
ANSWERS = {Action.USEFUL: True, Action.NOT_USEFUL: False}


class Link(NamedTuple):
    """What a link says; it means nothing without its signature."""

    action: str
    alert: str
    narrative: str
    receiver: str
    """Where the card stands that carries it."""
    expires: int
    """Seconds since 1970."""

    def signature(self, key: bytes) -> str:
        """43 letters, digits, - and _."""
        return mark(key, "link/1", *map(str, self))

    def signed(self, key: bytes, signature: str) -> bool:
        """Whether this is its signature, compared in constant time."""
        return hmac.compare_digest(self.signature(key).encode(), signature.encode("utf-8", "surrogateescape"))

    def path(self, key: bytes) -> str:
        """What follows the monitor's address."""
        asked = urlencode({"n": self.narrative, "r": self.receiver, "e": self.expires, "s": self.signature(key)})
        return f"{PLACE}/{quote(self.action, safe='')}/{quote(self.alert, safe='')}?{asked}"


class Links(NamedTuple):
    """How links are made: where the monitor is reached, under which key, and how long they hold."""

    url: str
    key: bytes
    lasts: timedelta

    def of(self, alert: Alert, receiver: str) -> tuple[Offered, ...]:
        """The links of an alert's card at a receiver; equal alerts have equal links."""
        expires = int((alert.at.astimezone(UTC) + self.lasts).timestamp())
        made = (Link(action.value, alert.id, alert.narrative, receiver, expires) for action in offered(alert))
        return tuple(Offered(link.action, self.url + link.path(self.key)) for link in made)


def offered(alert: Alert) -> list[Action]:
    """What can be done about an alert and what shares its card: nothing is acknowledged or silenced that is over."""
    state = on_card(alert)
    acts = [Action.ACKNOWLEDGE] if state is AlertState.FIRING else []
    acts += [Action.SILENCE_30M, Action.SILENCE_2H] if state is not AlertState.RESOLVED else []
    acts += [Action.CONFIRM, Action.DEBUNK] if alert.narrative else []
    return [*acts, Action.USEFUL, Action.NOT_USEFUL]


def mark(key: bytes, purpose: str, *parts: str) -> str:
    """The signature of these parts for a purpose; that of another purpose is another one."""
    digest = hmac.new(key, msgspec.json.encode([purpose, *parts]), sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def over(expires: int, now: datetime) -> bool:
    """Whether a time in seconds since 1970 has passed."""
    return now.timestamp() >= expires
