"""What is handed on one at a time: events, findings, alerts, notifications; frames.py has what goes by the thousand."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monitor.marks import GapMark, Status, StatusMark

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
    said: StatusMark | None = None
    """Who set the status, when, and on what evidence."""
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
    earlier: str = ""
    """The receipt of the last step of this alert that the receiver has; "" if it has none, or has a later step."""
    repeat: bool = False
    """An attempt before this one may have arrived: nobody knows."""
