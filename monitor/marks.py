"""What reaches the stages in the stream beside posts: what people said of narratives, mentions and alerts, and gaps."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import TypeVar

import polars as pl
from msgspec import Struct


class Status(StrEnum):
    """What is established about a narrative, by somebody other than this program."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    DEBUNKED = "debunked"


class StatusMark(Struct, frozen=True, kw_only=True):
    """Somebody set a narrative's status; reaches the judge as a mark in the stream."""

    at: datetime
    event: str
    narrative: str
    status: Status
    by: str
    """An editor, or the voice's name."""
    evidence: str = ""
    """What it rests on: a link, or the post's platform and id."""
    voice: bool = False
    """A registered voice said so; else an editor did."""

    def overturns(self, before: "StatusMark | None") -> bool:
        """Whether this later mark takes the place of an earlier one: what an editor settled, no voice unsettles."""
        return before is None or not self.voice or before.voice or before.status is Status.UNCONFIRMED


def standing(marks: Iterable[StatusMark], most: int | None = None) -> dict[tuple[str, str], StatusMark]:
    """Event and narrative → the mark that stands after all these, which are in order of time; the last one last.

    Of at most so many narratives: that whose status was set longest ago gives way.
    """
    found: dict[tuple[str, str], StatusMark] = {}
    for mark in marks:
        named = (mark.event, mark.narrative)
        if mark.overturns(found.get(named)):
            found.pop(named, None)
            found[named] = mark
            if most is not None and len(found) > most:
                del found[next(iter(found))]
    return found


class Silence(Struct, frozen=True, kw_only=True):
    """Alerts that match are kept but not notified; an empty `event`, `narrative` or `rule` matches every one.

    Reaches the alert policy as a mark in the stream; a later mark with the same id replaces it.
    """

    id: str
    event: str = ""
    narrative: str = ""
    rule: str = ""
    owner: str
    """Who silenced it."""
    comment: str
    """Why."""
    begins_at: datetime
    expires_at: datetime
    """From here on it silences nothing; a silence never lasts for ever."""
    at: datetime | None = None
    """When it was made, in this form: it silences nothing before; None: in time."""


class AckMark(Struct, frozen=True, kw_only=True):
    """Somebody took a firing alert on, with all that share its card: from here on nobody is reminded of it.

    Reaches the alert policy as a mark in the stream; a later one about the same card takes its place.
    """

    at: datetime
    alert: str
    """The alert's id."""
    by: str
    """Who says so."""
    assignee: str = ""
    """Who looks after it; "" where that is who says so."""
    comment: str = ""


class Correction(Struct, frozen=True, kw_only=True):
    """An editor gave a mention another tag: it overrides the tagger for that text and its copies from here on.

    Reaches the tag stage as a mark in the stream.
    """

    at: datetime
    event: str
    platform: str
    id: str
    tag: str
    by: str
    reads: str = ""
    """What was tagged, as a hash of text and parent: 16 hex digits."""


class MergeMark(Struct, frozen=True, kw_only=True):
    """An editor said that two narratives are one: from here on what belongs to `narrative` belongs to `into`.

    Reaches the cluster stage as a mark in the stream.
    """

    at: datetime
    event: str
    narrative: str
    into: str
    by: str


class SplitMark(Struct, frozen=True, kw_only=True):
    """An editor parted what was one: a merged narrative is its own again, or a mention begins a narrative of its own.

    Reaches the cluster stage as a mark in the stream; what is parted so is never joined again but by an editor.
    """

    at: datetime
    event: str
    narrative: str
    """The merged narrative; or the one that the mention leaves."""
    by: str
    platform: str = ""
    id: str = ""
    """The mention that leaves; "" where a merge is undone."""
    says: tuple[int, ...] = ()
    """What the mention asserts: slots of its words (`monitor.cluster.asserted`)."""


class FactCheck(Struct, frozen=True, kw_only=True):
    """A fact-checker reviewed a claim about an event: evidence that is shown, and sets no status.

    Reaches the alert policy as a mark in the stream. All its texts are hostile, as those of posts are.
    """

    at: datetime
    """When it was seen."""
    event: str
    claim: str
    """What was reviewed."""
    by: str
    """Who reviewed it."""
    rating: str
    """In the fact-checker's own words, and never anybody else's: it is not mapped to true or false."""
    url: str = ""
    title: str = ""
    claimant: str = ""
    """Who claimed it, as the fact-checker says."""
    language: str = ""
    reviewed_at: datetime | None = None
    """When it was published, as the fact-checker says."""


AWAY = "the monitor did not run"
"""Why every source is blind between two runs: none of them failed."""


_PART = ": "
"""Stands in no source's name."""


class GapMark(Struct, frozen=True, kw_only=True):
    """A source saw nothing between two times and could not make up for it: its silence is no zero."""

    source: str
    """Its name; where only a part of it was blind – a feed, a channel – `NAME: PART`."""
    begins: datetime
    ends: datetime
    why: str
    goes_on: bool = False
    """It was noted while it lasted: when it will have ended is not known."""

    def continues(self, before: "GapMark") -> bool:
        """Whether this is the same outage as the last gap of the source before it, which was noted while it lasted.

        It begins where that ended; or where that began, and says all of it again.
        """
        same = (self.source, self.why) == (before.source, before.why)
        return same and self.begins in {before.begins, before.ends}

    @property
    def whole(self) -> str:
        """The source's name, also where only a part of it was blind."""
        return self.source.partition(_PART)[0]

    @property
    def partial(self) -> bool:
        """Whether only a part of the source was blind."""
        return _PART in self.source


def part_of(source: str, part: str) -> str:
    """What a gap's source is called where only a part of it was blind."""
    return f"{source}{_PART}{part}"


Ruling = MergeMark | SplitMark
"""What an editor says of narratives that are one or are not."""

Said = TypeVar("Said", bound=Correction | Ruling)


def in_turn(frame: pl.DataFrame, marks: Iterable[Said]) -> Iterator[tuple[Sequence[Said], pl.DataFrame]]:
    """What an editor says, and the rows that it holds for: those seen from its time on (`seen_at`, ascending).

    So the cut into batches does not matter. A mark from before the first row comes before it; one that is early, last.
    """
    begin: Sequence[Said] = ()
    for at, group in groupby(sorted(marks, key=lambda mark: mark.at), key=lambda mark: mark.at):
        place = int(frame["seen_at"].search_sorted(at, side="left")) if frame.height else 0
        if place:
            yield begin, frame[:place]
            begin, frame = (), frame[place:]
        begin = (*begin, *group)
    yield begin, frame


Mark = StatusMark | GapMark | Silence | AckMark | Correction | MergeMark | SplitMark | FactCheck
"""What reaches the stages in the stream, beside posts."""
