"""What all chats have in common: settings, the card for one of them, and breaking what chats make of plain letters."""

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from monitor.alert.bucket import Pace
from monitor.alert.calm import Calm, Hours, Span
from monitor.alert.card import Card, card
from monitor.alert.digest import digest_card
from monitor.records import QUIET, Notification
from monitor.watched import Duration, Name

JSON = {"Content-Type": "application/json; charset=utf-8"}

WEIGHTY = frozenset({"denials_overtook", "status_set", "resolved", "event_removed"})
"""Why a channel hears of a step beside the edit of its card, which notifies nobody."""
_EMOJI_NAME = re.compile(r":(?=[\w+'-]{1,100}:)")
PerHour = Annotated[int, Meta(ge=1, le=3600)]
PerMinute = Annotated[int, Meta(ge=1, le=600)]


class Chat(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of every chat."""

    name: Name
    deadline: Duration = Duration(hours=6)
    """An alert that could not be delivered for this long is a dead letter."""
    timeout: Duration = Duration(seconds=10)
    """One attempt takes at most this long."""
    per_minute: PerMinute = 60
    """Messages a minute, evenly spread: what the channel takes from all who write there, so less if others do."""
    zone: str = "UTC"
    """The desk's time zone, as in `Asia/Kabul`: cards show its time beside UTC."""
    quiet_hours: tuple[Hours, ...] = ()
    """Times of the day, in `zone`, at which nothing is sent; what changed comes at their end as one digest."""
    urgent: tuple[str, ...] = ()
    """Rules whose first firing is sent in quiet hours too."""
    per_hour: PerHour | None = None
    """Messages in any hour; what comes beyond is not lost but comes as one digest."""

    @property
    def calm(self) -> Calm:
        """When it is left in peace."""
        hours = tuple(Span.parse(one) for one in self.quiet_hours)
        return Calm(hours, ZoneInfo(self.zone), frozenset(self.urgent), self.per_hour, self.edits)

    @property
    def edits(self) -> bool:
        """Whether it edits cards where they stand."""
        return False

    @property
    def pace(self) -> Pace:
        """How fast it may be told."""
        return Pace(self.per_minute)


class Hook(Chat, frozen=True, kw_only=True):
    """Settings of a chat that is reached over an address that is a secret."""

    url_env: str | None = None
    """Environment variable that holds the address: whoever knows it can post."""
    url_file: str | None = None
    """File that holds it, as an alternative to `url_env`; one of the two is needed."""


class Bot(Chat, frozen=True, kw_only=True):
    """Settings of a chat where the monitor has an account."""

    token_env: str | None = None
    """Environment variable that holds the account's token."""
    token_file: str | None = None
    """File that holds it, as an alternative to `token_env`; one of the two is needed."""

    @property
    def edits(self) -> bool:
        """Always."""
        return True


def shown(notification: Notification, settings: Chat, *, marked: bool = True) -> Card:
    """The card or the digest for this chat; `marked` where it is a new message, which may be a repeat."""
    if notification.digest:
        return digest_card(notification.digest, ZoneInfo(settings.zone), repeat=notification.repeat and marked)
    made = card(notification.alert, ZoneInfo(settings.zone), repeat=notification.repeat and marked)
    return made._replace(actions=notification.actions)


def withdraws(notification: Notification) -> bool:
    """Whether it only brings the card up to date, and notifies nobody: where that is gone, nothing is left to do."""
    return notification.alert.change in QUIET


def weighty(notification: Notification) -> bool:
    """Whether the whole channel is to hear of the step, also where its card is edited."""
    return notification.alert.change in WEIGHTY and not notification.digest


def there(notification: Notification, place: str) -> str:
    """The message to edit, from a receipt that `receipt` made of this place; "" where it is of none, or another one."""
    message, _, where = notification.earlier.partition(" ")
    return message if where == place else ""


def receipt(message: str, place: str) -> str:
    """What names a message for later: its id, and where it stands, which the operator may change."""
    return f"{message} {place}" if message else ""


def no_emoji_names(text: str) -> str:
    """The text in which no `:name:` becomes a picture."""
    return _EMOJI_NAME.sub("∶", text)
