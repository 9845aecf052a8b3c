"""What a registered voice's own word says of a narrative's status. Pure.

A voice settles a narrative with an original of its own that was read as a claim or a denial with confidence and does
not hand on what somebody else says. A party's word settles nothing: neither its own claim nor what it denies.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import polars as pl

from monitor.frames import Tag
from monitor.marks import Status, StatusMark
from monitor.watched import Event, VoiceKind

SURE = 0.85
"""The tagger gives the tag at least this probability."""
MEANS = {
    (VoiceKind.OFFICIAL, Tag.CLAIM.value): Status.CONFIRMED,
    (VoiceKind.OFFICIAL, Tag.DENIAL.value): Status.DENIED,
    (VoiceKind.WIRE, Tag.CLAIM.value): Status.CONFIRMED,
    (VoiceKind.WIRE, Tag.DENIAL.value): Status.DENIED,
    (VoiceKind.FACT_CHECKER, Tag.CLAIM.value): Status.CONFIRMED,
    (VoiceKind.FACT_CHECKER, Tag.DENIAL.value): Status.DEBUNKED,
}
"""Kind of voice and tag of its post → what that says."""

_COLUMNS = ("event", "narrative", "voice", "tag", "seen_at", "platform", "id", "url")


def spoken(clustered: pl.DataFrame, events: Mapping[str, Event]) -> list[StatusMark]:
    """The marks that voices set in a batch (CLUSTERED), in its order; each takes effect at the tick of its post."""
    if clustered["voice"].null_count() == clustered.height:
        return []
    said = clustered.filter(
        pl.col("voice").is_not_null(),
        pl.col("op") == "create",
        pl.col("narrative").is_not_null(),
        pl.col("repost_of").is_null(),
        ~pl.col("attributed"),
        pl.max_horizontal("p_claim", "p_denial") >= SURE,
    ).select(_COLUMNS)
    kinds = {(event.name, voice.name): voice for event in events.values() for voice in event.voices}
    return list(_marks(said, {key: voice.kind for key, voice in kinds.items() if voice.settles}))


def _marks(said: pl.DataFrame, kinds: Mapping[tuple[str, str], VoiceKind]) -> Iterable[StatusMark]:
    for event, narrative, voice, tag, seen_at, platform, post, url in said.iter_rows():
        status = MEANS.get((kinds.get((event, voice), VoiceKind.PARTY), tag))
        if status is not None:
            yield StatusMark(
                at=_tick(seen_at),
                event=event,
                narrative=narrative,
                status=status,
                by=voice,
                evidence=url or f"{platform}:{post}",
                voice=True,
            )


def _tick(seen_at: datetime) -> datetime:
    return seen_at.replace(microsecond=0) + timedelta(seconds=1)
