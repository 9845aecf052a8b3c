"""What X costs: every post that is read is paid for, and what is paid in a monthly cycle has a limit."""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from monitor.collect.look_back import Past

_MILLION = 1_000_000


class Place(Struct, frozen=True, omit_defaults=True):
    """How far the source has read, and what it has spent: its resume point."""

    newest: int = 0
    """The largest id that was read."""
    cycle: str = ""
    """The day on which the cycle began."""
    posts: int = 0
    """Read in this cycle."""
    users: int = 0
    past: Past | None = None
    """What is still to be searched for events that were added."""

    def cost(self, per_post: float, per_user: float) -> float:
        """Dollars, rounded to millionths so that no sum of halves of cents drifts."""
        return round(self.posts * per_post * _MILLION + self.users * per_user * _MILLION) / _MILLION


def place(since: str | None) -> Place:
    """A resume point read; the begin of everything where there is none, or one that is not understood."""
    try:
        return msgspec.json.decode(since, type=Place) if since is not None else Place()
    except msgspec.MsgspecError:
        return Place()


def cycle_of(now: datetime, day: int) -> datetime:
    """When the cycle that `now` is in began: midnight (UTC) of that day of the month."""
    year, month = (now.year, now.month) if now.day >= day else (now.year - (now.month == 1), (now.month - 2) % 12 + 1)
    return datetime(year, month, day, tzinfo=UTC)


def next_cycle(began: datetime) -> datetime:
    """When the one after it begins."""
    return began.replace(year=began.year + (began.month == 12), month=began.month % 12 + 1)  # noqa: PLR2004 -- December
