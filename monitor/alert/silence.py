"""Silences: what an editor does not want to be told of for a while, by whom and why."""

from collections.abc import Iterable
from datetime import datetime

from monitor.records import Silence


def matches(silence: Silence, event: str, narrative: str, rule: str) -> bool:
    """Whether an alert about this falls under a silence."""
    wanted = ((silence.event, event), (silence.narrative, narrative), (silence.rule, rule))
    return all(mine in {"", theirs} for mine, theirs in wanted)


def silenced_until(silences: Iterable[Silence], event: str, narrative: str, rule: str, at: datetime) -> datetime | None:
    """When the last of the silences that cover an alert at a time expires; None if there is none."""
    covering = [
        s.expires_at for s in silences if s.begins_at <= at < s.expires_at and matches(s, event, narrative, rule)
    ]
    return max(covering, default=None)
