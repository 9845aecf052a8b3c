"""When a receiver is left in peace: quiet hours of the desk, and so many messages an hour. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

from msgspec import Meta

from monitor.records import QUIET, Alert

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
Hours = Annotated[
    str,
    Meta(pattern=rf"^{_TIME}-{_TIME}$(?!\n)", description="two times of a day joined by a hyphen, as in 23:00-07:00"),
]
HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Held(StrEnum):
    """Why a notification is held back for a digest; in the outbox it stands where the reason of a failure does."""

    QUIET_HOURS = "quiet_hours"
    BUDGET = "hourly_budget"


class Hold(NamedTuple):
    """Until when, and why."""

    until: datetime
    why: Held


class Span(NamedTuple):
    """Times of every day; one that ends before it begins goes on over midnight."""

    begins: time
    ends: time

    @classmethod
    def parse(cls, hours: str) -> Self:
        """Reads what matches Hours."""
        begins, ends = (time.fromisoformat(one) for one in hours.split("-"))
        return cls(begins, ends)

    def on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """The span that begins on a day, in UTC."""
        last = day if self.begins < self.ends else day + _DAY
        begins, ends = datetime.combine(day, self.begins, zone), datetime.combine(last, self.ends, zone)
        return begins.astimezone(UTC), ends.astimezone(UTC)


class Calm(NamedTuple):
    """What one receiver asks for."""

    hours: tuple[Span, ...]
    zone: tzinfo
    urgent: frozenset[str]
    """Rules whose first firing is told in quiet hours too."""
    per_hour: int | None
    edits: bool = False
    """What only brings a card up to date edits it there, and notifies nobody."""

    def quiet_until(self, now: datetime) -> datetime | None:
        """When the quiet hours end that have begun; None where there are none now."""
        until = now
        while ends := [end for begin, end in self._spans(until) if begin <= until < end]:
            until = max(ends)
            if until - now > _DAY:  # quiet all day: what is held comes once a day
                break
        return until if until > now else None

    def _spans(self, now: datetime) -> list[tuple[datetime, datetime]]:
        today = now.astimezone(self.zone).date()
        return [span.on(day, self.zone) for span in self.hours for day in (today - _DAY, today)]

    def hold(self, alert: Alert, now: datetime, sent: Sequence[datetime]) -> Hold | None:
        """Whether a notification is to wait; `sent`: when the receiver was sent something in the last hour."""
        if self.edits and alert.change in QUIET:
            return None
        urgent = alert.change in {"first_firing", "rule_joined"} and alert.rule in self.urgent
        return self.holds(now, sent, urgent=urgent)

    def holds(self, now: datetime, sent: Sequence[datetime], *, urgent: bool = False) -> Hold | None:
        """As `hold`, of any message: what is urgent goes out in quiet hours."""
        quiet = None if urgent else self.quiet_until(now)
        if quiet is not None:
            return Hold(quiet, Held.QUIET_HOURS)
        if self.per_hour is not None and len(sent) >= self.per_hour:
            return Hold(sorted(sent)[-self.per_hour] + HOUR, Held.BUDGET)
        return None
