"""Silences: what an editor does not want to be told of for a while, by whom and why."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from monitor.marks import Silence


def matches(silence: Silence, event: str, narrative: str, rule: str) -> bool:
    """Whether an alert about this falls under a silence."""
    wanted = ((silence.event, event), (silence.narrative, narrative), (silence.rule, rule))
    return all(mine in {"", theirs} for mine, theirs in wanted)


def made_at(silence: Silence) -> datetime:
    """From when on a silence is in force in this form."""
    return silence.at or silence.begins_at


def silenced_until(silences: Iterable[Silence], event: str, narrative: str, rule: str, at: datetime) -> datetime | None:
    """When an alert that is silenced at a time comes out of its silences; None if none covers it then.

    `silences` in their order; one silences from when it was made, until another of its id is made.
    """
    spans = list(_spans(silences, event, narrative, rule))
    until = None
    while covering := [end for begin, end in spans if begin <= (until or at) < end]:
        until = max(covering)
    return until


def _spans(silences: Iterable[Silence], event: str, narrative: str, rule: str) -> Iterator[tuple[datetime, datetime]]:
    """The times that are silenced for an alert about this."""
    following: dict[str, datetime] = {}
    for one in reversed(list(silences)):
        end = min(one.expires_at, following.get(one.id, one.expires_at))
        if matches(one, event, narrative, rule):
            yield max(one.begins_at, made_at(one)), end
        following[one.id] = min(made_at(one), following.get(one.id, made_at(one)))
