"""What the JSON API takes and answers; the OpenAPI document is made from these."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from monitor.frames import Tag
from monitor.marks import Correction, GapMark, Silence, Status, StatusMark
from monitor.records import Alert, AlertState, Answer, Cited, NarrativeState
from monitor.watched import Name
from monitor.web.pages import SourceHealth

NO_NUL = r"^[^\u0000]*$(?!\n)"
"""A database need not take U+0000."""
By = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_NUL, description="who says so")]
Said = Annotated[str, Meta(min_length=1, max_length=2000, pattern=NO_NUL)]
Moment = Annotated[datetime, Meta(tz=True)]
Word = Annotated[str, Meta(max_length=64, pattern=NO_NUL)]


class SourceList(Struct, frozen=True, kw_only=True):
    """How the sources are doing."""

    sources: tuple[SourceHealth, ...]


class GapList(Struct, frozen=True, kw_only=True):
    """When sources were blind, the newest last."""

    gaps: tuple[GapMark, ...]


class AlertList(Struct, frozen=True, kw_only=True):
    """The last step of each alert, in the order in which they began."""

    alerts: tuple[Alert, ...]


class EventRow(Struct, frozen=True, kw_only=True):
    """A watched event."""

    name: str
    proposition: str
    file: str
    """The event's file, under `events/` of the configuration."""
    terms: int
    """How many terms make a post a mention."""


class EventList(Struct, frozen=True, kw_only=True):
    """The watched events."""

    events: tuple[EventRow, ...]


class EventFile(Struct, frozen=True, kw_only=True):
    """An event as its file has it."""

    name: str
    file: str
    toml: str


class EventChange(Struct, frozen=True, kw_only=True):
    """What was done; from here on posts are matched so."""

    name: str
    file: str
    done: str
    """`added`, `replaced` or `removed`."""


class Hour(Struct, frozen=True, kw_only=True):
    """Posts of one hour of event time."""

    begins: datetime
    posts: int


class TermCount(Struct, frozen=True, kw_only=True):
    """How many posts a term found first."""

    term: str
    posts: int


class Sample(Struct, frozen=True, kw_only=True):
    """A post that matches: hostile text, to be escaped by whoever renders it."""

    platform: str
    id: str
    posted_at: datetime
    term: str
    text: str
    url: str | None


class Preview(Struct, frozen=True, kw_only=True):
    """What an event would have matched among archived mentions, by its own terms."""

    event: str
    read: int
    """Archived posts that were looked at, the newest."""
    matched: int
    hours: tuple[Hour, ...]
    """Hours with a match, in order."""
    terms: tuple[TermCount, ...]
    """Most frequent first."""
    samples: tuple[Sample, ...]
    """The newest different texts, newest first."""


class SidesRow(Struct, frozen=True, kw_only=True):
    """Claims and denials of one platform or language since the race's start, reposts and copies included."""

    name: str
    claims: int
    denials: int


class ReachedRow(Struct, frozen=True, kw_only=True):
    """Seconds that either side took to so many posts since the narrative was first told; null if it did not yet."""

    posts: int
    claims_s: int | None
    denials_s: int | None


class RaceRow(Struct, frozen=True, kw_only=True):
    """Where a narrative's race stands; all but `holds` are readings."""

    claims: int
    """Original claims since the spike began; an author counts once."""
    denials: int
    untested: int
    """How many of both are by accounts younger than 30 days: counted, and not put to the test."""
    log_e: float | None
    """ln of the evidence that claims outrun denials; null if it is beyond all numbers."""
    threshold: float
    p0: float
    """The share of claims that an even race may show, given how the tagger errs."""
    posterior: float
    """Chance that the share of claims is above p0."""
    ratio: float
    """Claims for each denial."""
    denial_share: float
    """Share of denials on both sides, corrected for the tagger's errors."""
    lag_s: int | None
    """Seconds from the first claim to the first denial; null while no denial was seen."""
    holds: bool
    """Whether the finding holds now."""
    platforms: tuple[SidesRow, ...] = ()
    languages: tuple[SidesRow, ...] = ()
    reached: tuple[ReachedRow, ...] = ()
    coordinated: bool = False
    """Whether two signs or more of a coordinated burst are there."""
    signs: tuple[str, ...] = ()
    """Those there: few_authors, pasted, young, one_platform."""


class NarrativeRow(Struct, frozen=True, kw_only=True):
    """One assertion about an event."""

    id: str
    label: str
    """A short text of it: hostile, to be escaped by whoever renders it."""
    status: Status
    by: str = ""
    """Who set the status."""
    first_seen: datetime
    last_seen: datetime
    claims: int
    denials: int
    celebrations: int
    questions: int
    others: int
    race: RaceRow | None = None
    state: NarrativeState | None = None
    """Where it stands in its life; null where nobody claimed or denied it for long."""
    first_post: Cited | None = None
    first_denial: Cited | None = None
    """The first mention that contests it."""
    voices: tuple[str, ...] = ()
    """Registered voices that spoke of it."""
    platforms: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """As the tagger read them."""


class NarrativeList(Struct, frozen=True, kw_only=True):
    """The narratives of an event, those with most mentions first; the archive's newest million mentions are counted."""

    narratives: tuple[NarrativeRow, ...]
    total: int
    """How many there are, also beyond `limit`."""


class StatusAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A narrative's status: by whom, on what evidence."""

    status: Status
    by: By
    evidence: Said
    """What it rests on: a link, a name, a document."""


class StatusList(Struct, frozen=True, kw_only=True):
    """Every status that was set, the newest last."""

    statuses: tuple[StatusMark, ...]


class SilenceAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts that are not to be notified for a while; at least one of event, narrative and rule."""

    event: Word = ""
    narrative: Word = ""
    rule: Word = ""
    owner: By
    comment: Said
    """Why."""
    begins_at: Moment | None = None
    """From when on; left out, or past already: now."""
    expires_at: Moment
    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$(?!\n)", description="16 digits of 0-9 and a-f")] | None = None
    """Drawn by the asker: the same asked again under it makes no second silence."""


class SilenceList(Struct, frozen=True, kw_only=True):
    """Silences that have not expired, oldest first."""

    silences: tuple[Silence, ...]


class LabelAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An editor's tag for an archived mention, its text and its copies from here on."""

    event: Name
    platform: Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,32}$(?!\n)")]
    id: Annotated[str, Meta(min_length=1, max_length=256, pattern=NO_NUL)]
    tag: Tag
    by: By


class LabelList(Struct, frozen=True, kw_only=True):
    """Every label that was given, the newest last."""

    labels: tuple[Correction, ...]


class AnswerAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Was this alert useful?"""

    useful: bool
    by: Annotated[str, Meta(max_length=200, pattern=NO_NUL, description="who says so")] = ""
    comment: Annotated[str, Meta(max_length=2000, pattern=NO_NUL)] = ""


class AnswerList(Struct, frozen=True, kw_only=True):
    """The last answer about each alert, the newest last."""

    answers: tuple[Answer, ...]


Limit = Annotated[int, Meta(ge=1, le=10_000)]


class Newest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of the newest."""

    limit: Limit = 1000


class OfState(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts in one state, or all."""

    state: AlertState | None = None
    limit: Limit = 1000


class Most(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many rows at most."""

    limit: Limit = 50


class Replacing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether an event of the same name is replaced."""

    replace: bool = False


class Looking(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many archived mentions are looked at, from the newest backwards."""

    most: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000
