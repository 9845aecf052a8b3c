"""The life of one alert: pending while its finding is young, firing, resolved when the finding is gone for good."""

import hashlib
from datetime import datetime

from msgspec import Struct

from monitor.records import Alert, AlertState, Because, Finding
from monitor.watched import Rules

COUNTS = ("claims", "denials", "celebrations", "questions", "authors")
FINAL = frozenset({"status_set", "denials_overtook"})
"""Reasons for which an alert resolves at once; for others it waits whether its finding comes back."""


class Live(Struct, array_like=True):
    """An alert that is pending or firing."""

    event: str
    narrative: str
    rule: str
    since: datetime
    """When its finding began to hold."""
    reason: str
    numbers: dict[str, float]
    counts: list[int]
    """In the order of COUNTS, as of `counted`."""
    counted: datetime
    firing: bool = False
    gone: datetime | None = None
    """When its finding ceased to hold."""
    silenced_until: datetime | None = None
    """Firing, and so far nobody was told."""
    subject: str = ""
    """The source it is about, if it is about one."""
    told: int = 0
    """Claims when the desk was last told of its group."""
    fired: Because | None = None
    """What its finding was when it began to hold; None of one that an earlier version began."""

    @property
    def fingerprint(self) -> str:
        """What the alert is about."""
        return digest(*named(self.event, self.narrative, self.rule, self.subject))

    @property
    def id(self) -> str:
        """This alert among all with its fingerprint."""
        return digest(self.fingerprint, self.since.isoformat())

    def due(self, rules: Rules) -> datetime | None:
        """When time alone takes it a step further; None if only a finding can."""
        if not self.firing:
            return self.since + rules.for_
        times = [time for time in (self.silenced_until,) if time is not None]
        if self.gone is not None:
            times.append(self.gone + rules.keep_firing)
        return min(times, default=None)


def on_card(alert: Alert) -> AlertState:
    """How the alert's card stands after this step: it is not over while another rule fires on it."""
    if alert.state is not AlertState.RESOLVED or not alert.also:
        return alert.state
    return AlertState.FIRING if alert.acknowledged is None else AlertState.ACKNOWLEDGED


def begin(finding: Finding) -> Live:
    """A pending alert for a finding that holds."""
    return Live(
        event=finding.event,
        narrative=finding.narrative,
        rule=finding.rule,
        since=finding.at,
        reason=finding.reason,
        numbers=finding.numbers,
        counts=[int(finding.numbers.get(name, 0)) for name in COUNTS],
        counted=finding.at,
        subject=finding.subject,
        fired=Because(finding.reason, finding.numbers),
    )


def named(event: str, narrative: str, rule: str, subject: str) -> tuple[str, ...]:
    """What names an alert; one that is about no subject is named as it always was."""
    return (event, narrative, rule, subject) if subject else (event, narrative, rule)


def digest(*parts: str) -> str:
    """Sixteen hexadecimal digits that name these parts."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).hexdigest()
