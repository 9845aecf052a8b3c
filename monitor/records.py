"""What is handed on one at a time: events, findings, alerts, notifications; frames.py has what goes by the thousand."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self

import msgspec
from msgspec import Meta, Struct

# `$` of Python stands before a last line break too: no pattern of ours does, in JSON Schema neither
Name = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)", description="lower-case words joined by hyphens")
]
Term = Annotated[str, Meta(min_length=1, max_length=200)]
Terms = tuple[Term, ...]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}$(?!\n)", description="an ISO 639 code, as in `en` or `fa`")]

REJECTIONS = (
    "not_json",
    "not_an_object",
    "wrong_type",
    "missing_field",
    "bad_time",
    "before_2005",
    "in_the_future",
    "over_size",
    "control_only",
    "unknown_op",
    "bad_id",
    "bad_platform",
)
"""Every reason for which a post is rejected; the label values of `monitor_posts_rejected_total`."""


class Duration(timedelta):
    """A length of time as an operator writes it: `90s`, `15m`, `3h`, `7d`."""

    _UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}  # noqa: RUF012

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `15m`; raises ValueError that says what is expected."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", text.strip())
        if not found:
            why = f"{text!r} is no length of time; write a number and a unit, as in 90s, 15m, 3h or 7d"
            raise ValueError(why)
        return cls(**{cls._UNITS[found[2]]: float(found[1])})


class Op(StrEnum):
    """What a post/1 document does to the post it names."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    COUNTS = "counts"


class Rules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an event's alerts fire; every number is a setting under `[rules]` of the event file."""

    alert_on: tuple[str, ...] = ("race",)
    """Which findings become alerts: `race`, `spike`."""
    alpha: Annotated[float, Meta(gt=0, lt=0.5)] = 0.05
    """The chance per event and rolling 30 days that a race alert fires although claims do not outrun denials."""
    minimum_originals: Annotated[int, Meta(ge=2)] = 10
    """A race needs this many original claims (an author counts once)."""
    minimum_authors: Annotated[int, Meta(ge=1)] = 8
    """… by this many distinct authors,"""
    minimum_platforms: Annotated[int, Meta(ge=1)] = 1
    """… on this many platforms."""
    warm_up: Duration = Duration(hours=3)
    """History an event needs before its baseline counts; until then: warming up, no alarm."""
    spike_ratio: Annotated[float, Meta(gt=1)] = 3.0
    """A spike stands at least this many times above its baseline,"""
    spike_score: Annotated[float, Meta(gt=0)] = 4.0
    """… and is this improbable under it (−log10 of the tail probability)."""
    for_: Duration = msgspec.field(name="for", default=Duration(minutes=2))
    """A finding must hold this long before its alert fires."""
    keep_firing: Duration = Duration(minutes=30)
    """A firing alert resolves only after its finding was gone this long."""
    quiet: Duration = Duration(hours=6)
    """A race ends when the event showed no spike for this long."""


class Event(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A watched happening in the world: one file under `config/events/`."""

    name: Name
    proposition: Annotated[str, Meta(min_length=3, max_length=500)]
    """The assertion that is being watched, in one sentence."""
    any: Annotated[Terms, Meta(min_length=1)]
    """Terms or phrases one of which makes a post a mention; `["*"]` takes every post."""
    all: Terms = ()
    """Terms that must all occur as well."""
    none: Terms = ()
    """Terms that rule a post out."""
    wordings: Terms = ()
    """The proposition in other words and languages."""
    languages: tuple[Language, ...] = ()
    """Languages (ISO 639) whose attached prefixes and suffixes the terms may carry."""
    people: dict[Term, Terms] = {}
    """People of the event: a name, and its spellings."""
    places: dict[Term, Terms] = {}
    """Places of the event; a post that names a place and a person matches without an `any` term."""
    starts_at: datetime | None = None
    """Posts with an earlier event time are no mentions."""
    ends_at: datetime | None = None
    """Posts with an event time at or after this are no mentions."""
    receivers: tuple[Name, ...] = ()
    """Receivers that are told of this event's alerts; none named means all."""
    rules: Rules = Rules()
    """When its alerts fire."""


class Exchange(Struct, frozen=True, kw_only=True):
    """From the batch that was closed at a time on, these events are watched and no others."""

    at: datetime
    events: tuple[Event, ...]


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
    evidence: str = ""


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


class GapMark(Struct, frozen=True, kw_only=True):
    """A source saw nothing between two times and could not make up for it: its silence is no zero."""

    source: str
    begins: datetime
    ends: datetime
    why: str
    goes_on: bool = False
    """It was noted while it lasted: when it will have ended is not known."""

    def continues(self, before: "GapMark") -> bool:
        """Whether this is the same outage as the last gap of the source before it, which was noted while it lasted."""
        return (self.source, self.why, self.begins) == (before.source, before.why, before.ends)


Mark = StatusMark | GapMark | Silence | Correction
"""What reaches the stages in the stream, beside posts."""


class Finding(Struct, frozen=True, kw_only=True):
    """The judge's answer at one tick: a rule began or ceased to hold, with a named reason and the numbers behind it."""

    at: datetime
    event: str
    narrative: str
    """The narrative's id, or "" for a finding about the whole event."""
    rule: str
    """`race` or `spike`."""
    holds: bool
    reason: str
    """A word of a bounded set: `claims_outrun_denials`, `denials_overtook`, `above_baseline`, `calmed`, `quiet`, …"""
    numbers: dict[str, float]
    """What the reason rests on, e.g. originals per side, log_e, threshold, p0, baseline, score."""


class Narrative(Struct, frozen=True, kw_only=True):
    """One assertion about an event, as the mentions that repeat or contest it."""

    id: str
    event: str
    label: str
    first_seen: datetime


class AlertState(StrEnum):
    """As in Alertmanager; acknowledged comes from an editor."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Evidence(Struct, frozen=True, kw_only=True):
    """A post shown on the card: hostile text, to be escaped by whoever renders it."""

    platform: str
    id: str
    tag: str
    posted_at: datetime
    text: str
    url: str | None
    author: str | None


class Alert(Struct, frozen=True, kw_only=True):
    """One step in the life of an alert, as it stands in `--alerts` and goes to receivers."""

    id: str
    """Hash of fingerprint and begin; the same for all steps of one alert."""
    fingerprint: str
    """Hash of event, narrative and rule: what the alert is about."""
    event: str
    narrative: str
    label: str
    """The narrative's one-line label."""
    proposition: str
    rule: str
    state: AlertState
    at: datetime
    """Event time of this step."""
    since: datetime
    """When the finding began to hold."""
    reason: str
    status: Status
    claims: int
    denials: int
    celebrations: int
    questions: int
    authors: int
    numbers: dict[str, float]
    evidence: tuple[Evidence, ...] = ()
    blind: tuple[GapMark, ...] = ()
    """Gaps of sources that touch the alert's time, the last hundred: counts are a floor."""
    silenced: bool = False
    """Kept, but nobody is notified of this step."""


class Notification(Struct, frozen=True, kw_only=True):
    """One message to one receiver: a row of the outbox."""

    key: str
    """Idempotency key: hash of alert id, state, step time and receiver; the same at every attempt."""
    receiver: str
    alert: Alert
    deadline: datetime
    """After this it is a dead letter."""
