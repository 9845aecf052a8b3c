"""Silences: what an editor does not want to be told of for a while, by whom and why."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct


class Silence(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Alerts that match are kept but not notified; an empty `event`, `narrative` or `rule` matches every one."""

    event: str = ""
    narrative: str = ""
    rule: str = ""
    owner: str
    """Who silenced it."""
    comment: str
    """Why."""
    expires_at: datetime
    """From here on it silences nothing; a silence never lasts for ever."""

    def matches(self, event: str, narrative: str, rule: str) -> bool:
        """Whether an alert about this falls under it."""
        wanted = ((self.event, event), (self.narrative, narrative), (self.rule, rule))
        return all(mine in {"", theirs} for mine, theirs in wanted)


def silenced_until(silences: Iterable[Silence], event: str, narrative: str, rule: str, at: datetime) -> datetime | None:
    """When the last of the silences that cover an alert at a time expires; None if there is none."""
    covering = [s.expires_at for s in silences if at < s.expires_at and s.matches(event, narrative, rule)]
    return max(covering, default=None)
