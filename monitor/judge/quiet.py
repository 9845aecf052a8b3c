"""Which sources and registered voices of an event have gone quiet: nothing for much longer than they usually pause.

A source or voice is heard in slots of five minutes, each known at its end. Its usual silence is the longest one of the
last seven whole days, so a source that sleeps at night may, and a voice that speaks once a day; it needs two such days.
A known gap is no silence: the clock starts anew at its end; of a voice, that of a source through which it was heard.
While a part of a source is blind its silence is not judged either, but what is usual is learnt as ever.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from monitor.records import VOICE, Finding
from monitor.watched import Event, Rules

SLOT = 300
"""Seconds in a slot."""
DAY = 86_400
DAYS = 7
GONE = 7 * DAY
"""Seconds of silence after which a source or voice is none of the event's any more."""
FEWEST_DAYS = 2
"""Whole days a source must have been heard on before its silence means anything."""


class Gap(NamedTuple):
    """A source saw nothing between two times (seconds); `known` is the second from which that is known."""

    known: int
    since: float
    until: float
    source: str = ""
    partial: bool = False
    """Only a part of the source saw nothing: what is counted goes on, while silence says nothing."""


class _Source(msgspec.Struct, array_like=True):
    """One source or voice; times in seconds."""

    day: int
    """The day of its last slot,"""
    heard: int
    """… the end of that, or of a later gap."""
    longest: int = 0
    """Silence so far on this day."""
    whole: bool = False
    """It was heard before this day began."""
    days: list[int] = msgspec.field(default_factory=list)
    """The longest silence of each of the last whole days."""
    quiet: int | None = None
    """Since when the finding holds."""
    waiting: list[int] = msgspec.field(default_factory=list)
    """Slots that are not over yet."""
    through: dict[str, int] = msgspec.field(default_factory=dict)
    """Of a voice: the sources through which it was heard, and the first slot of each."""
    excused: int = 0
    """The end of the last time in which a part of it was blind."""

    @property
    def silent_since(self) -> int:
        """From when on its silence counts; what is usual is measured from `heard`."""
        return max(self.heard, self.excused)

    def need(self, rules: Rules) -> int | None:
        """Seconds of silence that are too many, whole slots; None where that is not known."""
        if len(self.days) < FEWEST_DAYS:
            return None
        least = max(rules.silent_times * max(self.days), rules.silent_least.total_seconds())
        return -(-round(least) // SLOT) * SLOT


class Sources:
    """The sources and registered voices of one event."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._sources: dict[str, _Source] = {}
        self.changed = False

    def follow(self, event: Event) -> None:
        """The event is described anew: its rules hold from now on."""
        self._event = event

    def run(self, span: tuple[int, int], heard: Iterable[tuple[str, int, str]], gaps: Iterable[Gap]) -> list[Finding]:
        """Findings in the seconds after `span[0]` up to `span[1]`.

        `heard`: a source, or a voice after VOICE; the begin of a slot; the source through which.
        """
        begin, end = span
        for name, slot, through in heard:
            source = self._sources.setdefault(name, _Source(slot // DAY, slot))
            if slot + SLOT > begin and slot != (source.waiting[-1] if source.waiting else None):
                source.waiting.append(slot)
                self.changed = True
            if name != through and through not in source.through:
                source.through[through] = slot
                self.changed = True
        findings = self._unregistered(begin)
        for gap in sorted(gaps):
            for name in [name for name, source in self._sources.items() if self._blinded(name, source, gap)]:
                findings += self._until(name, begin, gap.known)
                if name in self._sources:
                    self._excuse(self._sources[name], gap)
        for name in sorted(self._sources):
            findings += self._until(name, begin, end)
        return findings

    def _unregistered(self, begin: int) -> list[Finding]:
        """Forgets voices that are not registered any more; one that was quiet is not from now on."""
        registered = {VOICE + voice.name for voice in self._event.voices}
        gone = [name for name in self._sources if name.startswith(VOICE) and name not in registered]
        self.changed |= bool(gone)
        sources = {name: self._sources.pop(name) for name in sorted(gone)}
        quiet = {name: source for name, source in sources.items() if source.quiet is not None}
        return [self._ends(name, source, begin + 1, "voice_removed") for name, source in quiet.items()]

    @staticmethod
    def _blinded(name: str, source: _Source, gap: Gap) -> bool:
        """Whether a gap may have hidden what it said."""
        first = source.through.get(gap.source)
        return name == gap.source or (first is not None and first + SLOT <= gap.known)

    def _excuse(self, source: _Source, gap: Gap) -> None:
        """The silence of a known gap is none."""
        over = -(-int(gap.until) // SLOT) * SLOT
        if gap.partial:
            source.excused = max(source.excused, over)
        else:
            source.heard = max(source.heard, over)
        self.changed = True

    def _until(self, name: str, begin: int, end: int) -> list[Finding]:
        source = self._sources[name]
        findings: list[Finding] = []
        over = sorted(slot for slot in source.waiting if slot + SLOT <= end)
        source.waiting = [slot for slot in source.waiting if slot + SLOT > end]
        self.changed |= bool(over)
        least = self._event.rules.silent_least.total_seconds()
        for slot in over:
            if slot - source.heard >= least:
                findings += self._silence(name, source, begin, slot)
            if source.quiet is not None:
                again = "voice_heard_again" if name.startswith(VOICE) else "heard_again"
                findings.append(self._ends(name, source, slot + SLOT, again))
                source.quiet = None
            self._hear(source, slot)
        findings += self._silence(name, source, begin, end)
        gone = source.silent_since + GONE + (source.need(self._event.rules) or 0)
        if gone <= end and not source.waiting:
            del self._sources[name]
            self.changed = True
            findings += [self._ends(name, source, max(gone, begin + 1), "gone")] if source.quiet is not None else []
        return findings

    def _silence(self, name: str, source: _Source, begin: int, until: int) -> list[Finding]:
        """The finding that begins where a source was silent for too long by a second."""
        need = source.need(self._event.rules)
        if source.quiet is not None or need is None or source.silent_since + need > until:
            return []
        source.quiet = max(source.silent_since + need, begin + 1)
        self.changed = True
        reason = "voice_silent" if name.startswith(VOICE) else "source_silent"
        return [self._finding(name, source, source.quiet, reason, holds=True)]

    @staticmethod
    def _hear(source: _Source, slot: int) -> None:
        """Takes a slot in: the silence before it belongs to its day."""
        day = slot // DAY
        if day > source.day:
            between = [slot - source.heard] * min(day - source.day - 1, DAYS)
            source.days = [*source.days, *([source.longest] if source.whole else []), *between][-DAYS:]
            source.day, source.longest, source.whole = day, 0, True
        source.longest = max(source.longest, slot - source.heard)
        source.heard = max(source.heard, slot + SLOT)

    def _ends(self, name: str, source: _Source, at: int, reason: str) -> Finding:
        return self._finding(name, source, at, reason, holds=False)

    def _finding(self, name: str, source: _Source, at: int, reason: str, *, holds: bool) -> Finding:
        usual = max(source.days, default=0)
        return Finding(
            at=datetime.fromtimestamp(at, UTC),
            event=self._event.name,
            narrative="",
            rule="quiet",
            holds=holds,
            reason=reason,
            numbers={
                "silent_minutes": round((at - source.silent_since) / 60, 4),
                "usual_minutes": round(usual / 60, 4),
            },
            subject=name,
        )

    def save(self) -> bytes:
        """The state as one row."""
        self.changed = False
        return msgspec.msgpack.encode(self._sources)

    def restore(self, rows: Mapping[str, bytes], key: str) -> None:
        """Takes up the row of `save`."""
        if rows.get(key):
            self._sources = msgspec.msgpack.decode(rows[key], type=dict[str, _Source])
