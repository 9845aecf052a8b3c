"""What is handed on one at a time: events, findings, alerts, notifications; frames.py has what goes by the thousand."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monitor.marks import AckMark, FactCheck, GapMark, Status, StatusMark

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

EVIDENCE_DELETED, GATHERED = "evidence_deleted", "gathered"
QUIET = frozenset({EVIDENCE_DELETED, GATHERED})
"""Changes that edit a card that stands and notify nobody: a post on it was deleted, a digest told of its last step."""
VOICE = "voice:"
"""Before the name of a registered voice, where a subject is no source."""


class Op(StrEnum):
    """What a post/1 document does to the post it names."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    COUNTS = "counts"


class Finding(Struct, frozen=True, kw_only=True):
    """The judge's answer at one tick: a rule began or ceased to hold, with a named reason and the numbers behind it."""

    at: datetime
    event: str
    narrative: str
    """The narrative's id, or "" for a finding about the whole event."""
    rule: str
    """`race`, `spike`, `volume`, `celebration` or `quiet`."""
    holds: bool
    reason: str
    """A word of a bounded set: `claims_outrun_denials`, `denials_overtook`, `above_baseline`, `calmed`, `quiet`, …"""
    numbers: dict[str, float]
    """What the reason rests on, e.g. originals per side, log_e, threshold, p0, baseline, score."""
    subject: str = ""
    """What it is about where that is neither event nor narrative: the source that is quiet, or `voice:` and a voice."""


class NarrativeState(StrEnum):
    """Where a narrative stands in its life; it is too small with fewer originals or authors than the rules ask for."""

    TOO_SMALL = "too-small"
    WATCH = "watch"
    RISING = "rising"
    VIRAL_UNCONFIRMED = "viral-unconfirmed"
    CONTESTED = "contested"
    SETTLED = "settled"
    FADED = "faded"


class Transition(Struct, frozen=True, kw_only=True):
    """A narrative passed from one state to another, with a named reason and the numbers behind it."""

    at: datetime
    event: str
    narrative: str
    before: NarrativeState
    state: NarrativeState
    reason: str
    """A word of a bounded set: `enough_originals`, `claims_come_fast`, `denials_keep_up`, `status_denied`, …"""
    numbers: dict[str, float]
    """Claims and denials of the last span, and originals in all."""


class Cited(Struct, frozen=True, kw_only=True):
    """A mention as a narrative names it."""

    platform: str
    id: str
    seen_at: datetime
    posted_at: datetime | None = None
    """When its author says it was posted; None of earlier versions."""
    author: str | None = None
    """None where there is none, or where the author deleted the post, or it is too old to keep."""
    voice: str | None = None
    """The event's registered voice that wrote it."""


class Quoted(Struct, frozen=True, kw_only=True):
    """The post whose text a narrative is called by."""

    platform: str
    id: str


class Narrative(Struct, frozen=True, kw_only=True):
    """One assertion about an event, as the mentions that repeat or contest it."""

    id: str
    event: str
    label: str
    """Its most central original, in one line; "" where there is none, or its author deleted it."""
    first_seen: datetime
    first_post: Cited | None = None
    first_denial: Cited | None = None
    """The mention that contests it and was posted first."""
    voices: tuple[str, ...] = ()
    """Registered voices that spoke of it, in order."""
    platforms: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """As the tagger read them, in order of their first mention."""
    merged_into: str = ""
    """The narrative that an editor merged it into."""
    label_of: Quoted | None = None


class AlertState(StrEnum):
    """As in Alertmanager; acknowledged comes from an editor."""

    PENDING = "pending"
    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


CHANGES = (
    "first_firing",
    "rule_joined",
    "state_changed",
    "doubled",
    "denials_overtook",
    "status_set",
    "feed_blind",
    "monitor_away",
    "reminder",
    "acknowledged",
    "resolved",
    "event_removed",
    *sorted(QUIET),
    "test",
)
"""Every reason for which the desk is told of an alert (docs/alerts.md)."""


class Evidence(Struct, frozen=True, kw_only=True):
    """A post shown on the card: hostile text, to be escaped by whoever renders it; `voice`: the registered one's."""

    platform: str
    id: str
    tag: str
    posted_at: datetime
    text: str
    url: str | None
    author: str | None
    cues: str | None = None
    """The words in it that speak for its tag; null where the lexicon knows none."""
    payload_sha256: str | None = None
    """SHA-256 (hex) of the document in which its source sent it; null where that is not known: recordings, say."""
    seen_at: datetime | None = None
    """When the monitor saw it; null of earlier versions."""
    voice: str | None = None


class Series(Struct, frozen=True, kw_only=True):
    """Counts per minute up to a step of an alert, as they stood then: what its chart shows."""

    begins: datetime
    """The first minute; the others follow without a gap, and the last is the one of the step."""
    claims: tuple[int, ...]
    denials: tuple[int, ...]
    celebrations: tuple[int, ...]
    spikes: tuple[datetime, ...] = ()
    """When a spike of the event began."""


class Because(Struct, frozen=True):
    """A finding's reason, and the numbers behind it as they were then."""

    reason: str
    numbers: dict[str, float]


class Alert(Struct, frozen=True, kw_only=True):
    """One step in the life of an alert, as it stands in `--alerts` and goes to receivers."""

    id: str
    """Hash of fingerprint and begin; the same for all steps of one alert."""
    fingerprint: str
    """Hash of event, narrative and rule: what the alert is about."""
    event: str
    narrative: str
    label: str
    """The narrative's one-line label; "" where the post that it quoted is deleted, and no other took its place."""
    proposition: str
    rule: str
    state: AlertState
    at: datetime
    """Event time of this step."""
    since: datetime
    """When the finding began to hold."""
    reason: str
    """What holds at this step: of one that fires on although its finding is gone, or that is over, how that ended."""
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
    checks: tuple[FactCheck, ...] = ()
    """What fact-checkers say of claims about the event, the newest first: evidence, not a status."""
    said: StatusMark | None = None
    """Who set the status, when, and on what evidence."""
    silenced: bool = False
    """Kept, but nobody is notified of this step."""
    subject: str = ""
    """What it is about where that is neither event nor narrative: the source that is quiet, or `voice:` and a voice."""
    narrative_state: NarrativeState | None = None
    """Where the narrative stands in its life; None where it is about none, or was written before this was known."""
    group: str = ""
    """Hash of event, narrative, subject, and when the first alert about them began: what shares one card."""
    also: tuple[str, ...] = ()
    """The other rules that fire and share the card."""
    change: str = ""
    """Why the desk is told of this step, a word of `CHANGES`; "" where it changes nothing that a card must say."""
    acknowledged: AckMark | None = None
    """Who took it on."""
    inhibited: str = ""
    """Why nobody is notified although no silence covers it: `story_settled`, or ""."""
    series: Series | None = None
    """Counts per minute of its narrative, or of the event; None of one that is pending, or where nobody spoke."""
    label_of: Quoted | None = None
    """The post that the label quotes; None where it quotes none."""
    fired: Because | None = None
    """What made it fire; None where that was not kept: earlier versions."""


class Answer(Struct, frozen=True, kw_only=True):
    """What somebody at the desk, `by` name, says of an alert: whether it was useful."""

    at: datetime
    alert: str
    """The alert's id."""
    useful: bool
    by: str = ""
    comment: str = ""


class Offered(Struct, frozen=True):
    """Something that people can do about an alert from its card."""

    action: str
    """A word of `monitor.alert.links.Action`."""
    url: str = ""
    """Where it is done; "" where the chat itself brings the answer."""
    value: str = ""
    """What the chat brings back then: the alert's id."""


class Gathered(Struct, frozen=True, kw_only=True):
    """What a digest tells of one card."""

    alert: Alert
    """The last step of what was held back, without evidence."""
    changes: tuple[str, ...]
    """Why the desk would have been told, in their order."""


class Notification(Struct, frozen=True, kw_only=True):
    """One message to one receiver: a row of the outbox."""

    key: str
    """Idempotency key: hash of alert id, state, step time and receiver; the same at every attempt."""
    receiver: str
    alert: Alert
    deadline: datetime
    """After this it is a dead letter."""
    earlier: str = ""
    """The receipt of the last step of the alert's group that the receiver has; "" if it has none, or a later one."""
    digest: tuple[Gathered, ...] = ()
    """What it tells of at once, where it is a digest of what was held back; `alert` is the last of them."""
    repeat: bool = False
    """An attempt before this one may have arrived: nobody knows."""
    actions: tuple[Offered, ...] = ()
    """Links for its card; made when it is sent, and kept nowhere."""
