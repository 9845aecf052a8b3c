"""What the worker thread works on, and what it hands back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.app.walked import Walked
from monitor.arrivals import Payload, Settled
from monitor.frames import Batch
from monitor.judge.readings import RaceReading
from monitor.marks import Mark
from monitor.store.store import Commit


class Part(NamedTuple):
    """What is walked and committed at once, in the order in which it arrived."""

    payloads: list[Payload]
    marks: Sequence[Mark]
    closed_at: datetime
    digests: dict[str, int]
    """Of the payloads, with the points that speak against them."""
    resume: dict[str, str]
    """Source → where it goes on after this part."""
    quarantined: list[Payload]
    """Payloads that were set aside instead of being walked."""

    suspect: bool = False
    """These are suspects: nothing else joins them."""


class Taken(NamedTuple):
    """What the worker thread hands back of one batch."""

    part: Part
    batch: Batch
    walked: Walked
    commit: Commit
    settled: Sequence[Settled]
    """One per payload."""
    watermarks: Mapping[str, datetime]
    """Source → event time up to which it is complete."""
    races: Mapping[str, list[RaceReading]]
    """Event → where its races stand."""
    took: Mapping[str, float]
    """Seconds per step: decode and the stages of the walk."""


class Committed(NamedTuple):
    """What is known once a batch is committed."""

    latencies: Sequence[tuple[str, timedelta]]
    """Source and time from arrival to commit, one per payload."""
    seconds: float
    """What the transaction took."""
