"""Answers what the JSON API asks: changes travel as marks in the stream, answers come from beside it."""

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec
import xxhash

from monitor import settings
from monitor.app.desk import Desk
from monitor.app.event_files import EventFiles, Reload, unknown_event
from monitor.app.preview import preview
from monitor.clock import Clock
from monitor.errors import StoreError
from monitor.judge.rules import RaceReading
from monitor.pipeline import Intake
from monitor.records import AlertState, Correction, Mark, Silence, Status, StatusMark
from monitor.store.lookups import NarrativeCount
from monitor.store.reader import Reader
from monitor.store.worker import StoreWorker
from monitor.web import bodies
from monitor.web.pages import SourceHealth
from monitor.web.refused import refuse

COMMITTED_WITHIN = 30.0
"""Seconds a change may take to be committed before its asker is told that it will be."""

T = TypeVar("T")
M = TypeVar("M", bound=Mark)


class Hands(NamedTuple):
    """What the office works with."""

    configured: Callable[[], settings.Settings]
    health: Callable[[], Sequence[SourceHealth]]
    intake: Intake
    worker: StoreWorker
    desk: Desk
    reader: Reader
    clock: Clock
    reload: Reload


class DaemonOffice:
    """Implements `monitor.web.office.Office` for the daemon."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._files = EventFiles(hands.configured, hands.reload)
        self._previewing = asyncio.Lock()

    async def sources(self) -> bodies.SourceList:
        """How the sources are doing."""
        return bodies.SourceList(sources=tuple(self._hands.health()))

    async def gaps(self, limit: int) -> bodies.GapList:
        """When sources were blind."""
        return bodies.GapList(gaps=tuple((await _read(self._hands.reader.gaps))[-limit:]))

    async def alerts(self, state: AlertState | None, limit: int) -> bodies.AlertList:
        """The newest alerts, of one state if named."""
        return bodies.AlertList(alerts=tuple(await _read(lambda: self._hands.reader.alerts(state, limit))))

    async def events(self) -> bodies.EventList:
        """The watched events."""
        files = await self._files.names()
        rows = [
            bodies.EventRow(
                name=event.name, proposition=event.proposition, file=files.get(event.name, ""), terms=len(event.any)
            )
            for event in self._hands.configured().events
        ]
        return bodies.EventList(events=tuple(rows))

    async def event(self, name: str) -> bodies.EventFile:
        """One event's file."""
        return await self._files.show(name)

    async def preview(self, toml: str, most: int) -> bodies.Preview:
        """What an event file would match in the archive; one at a time."""
        event = self._files.parse(toml)
        if self._previewing.locked():
            raise refuse(429, "previewing", "another preview is running; come again", again=5)
        async with self._previewing:
            return await _read(lambda: preview(event, self._hands.reader, most))

    async def add_event(self, toml: str, *, replace: bool) -> bodies.EventChange:
        """Watches an event from now on."""
        return await self._files.add(toml, replace=replace)

    async def remove_event(self, name: str) -> bodies.EventChange:
        """Watches it no more."""
        return await self._files.remove(name)

    async def narratives(self, event: str, limit: int) -> bodies.NarrativeList:
        """What is asserted about an event, with counts, statuses and races."""
        self._watched(event)
        counts = await _read(lambda: self._hands.reader.narratives(event))
        statuses = await _read(self._hands.reader.statuses)
        tallied: dict[str, list[NarrativeCount]] = {}
        for one in counts:
            tallied.setdefault(one.narrative, []).append(one)
        most = sorted(tallied, key=lambda name: (-sum(one.mentions for one in tallied[name]), name))[:limit]
        labels = await self._hands.worker.call(self._hands.desk.labels, event, most)
        races = {one.narrative: one for one in await self._hands.worker.call(self._hands.desk.races, event)}
        last = {mark.narrative: mark for mark in statuses if mark.event == event}
        rows = [_row(name, tallied[name], labels.get(name, ""), last.get(name), races.get(name)) for name in most]
        return bodies.NarrativeList(narratives=tuple(rows), total=len(tallied))

    async def statuses(self, limit: int) -> bodies.StatusList:
        """Every status that was set."""
        return bodies.StatusList(statuses=tuple((await _read(self._hands.reader.statuses))[-limit:]))

    async def set_status(self, event: str, narrative: str, asked: bodies.StatusAsked) -> StatusMark:
        """Sets a narrative's status."""
        self._watched(event)
        known = await self._hands.worker.call(self._hands.desk.labels, event, [narrative])
        if not known and not await _read(lambda: self._hands.reader.has_narrative(event, narrative)):
            raise refuse(404, "unknown_narrative", "the event has no such narrative; list its narratives for their ids")
        mark = StatusMark(
            at=self._hands.clock.now(),
            event=event,
            narrative=narrative,
            status=asked.status,
            by=asked.by,
            evidence=asked.evidence,
        )
        return await self._committed(mark)

    async def silences(self) -> bodies.SilenceList:
        """Silences that have not expired."""
        now = self._hands.clock.now()
        return bodies.SilenceList(silences=tuple(await _read(lambda: self._hands.reader.silences(now))))

    async def silence(self, asked: bodies.SilenceAsked) -> Silence:
        """Silences alerts; never all of them, never for ever."""
        now = self._hands.clock.now()
        begins = asked.begins_at or now
        if not (asked.event or asked.narrative or asked.rule):
            raise refuse(400, "too_broad", "name an event, a narrative or a rule; everything cannot be silenced")
        if asked.event:
            self._watched(asked.event)
        if asked.expires_at <= max(begins, now):
            raise refuse(400, "over_already", "expires_at must lie in the future and after begins_at")
        made = Silence(
            id=_identity(asked, begins),
            event=asked.event,
            narrative=asked.narrative,
            rule=asked.rule,
            owner=asked.owner,
            comment=asked.comment,
            begins_at=begins,
            expires_at=asked.expires_at,
            at=now,
        )
        return await self._committed(made)

    async def expire(self, silence: str) -> Silence:
        """Ends a silence now."""
        now = self._hands.clock.now()
        found = {one.id: one for one in await _read(lambda: self._hands.reader.silences(now))}
        if silence not in found:
            raise refuse(404, "unknown_silence", "no silence of this id is to come or goes on")
        return await self._committed(_ended(found[silence], now))

    async def labels(self, limit: int) -> bodies.LabelList:
        """Every label that was given."""
        return bodies.LabelList(labels=tuple((await _read(self._hands.reader.corrections))[-limit:]))

    async def label(self, asked: bodies.LabelAsked) -> Correction:
        """Gives a mention another tag, and so its text and its copies from here on."""
        self._watched(asked.event)
        mention = await _read(lambda: self._hands.reader.mention(asked.event, asked.platform, asked.id))
        if mention.is_empty():
            why = "the archive has no such mention of the event, or its author deleted it"
            raise refuse(404, "unknown_mention", why)
        reads = await self._hands.worker.call(self._hands.desk.reads, mention)
        mark = Correction(
            at=self._hands.clock.now(),
            event=asked.event,
            platform=asked.platform,
            id=asked.id,
            tag=asked.tag.value,
            by=asked.by,
            reads=reads[0],
        )
        return await self._committed(mark)

    def _watched(self, event: str) -> None:
        if event not in {one.name for one in self._hands.configured().events}:
            raise unknown_event()

    async def _committed(self, mark: M) -> M:
        """The mark, once it is committed."""
        if self._hands.intake.closed:
            raise refuse(503, "stopping", "the monitor is stopping; nothing was changed")
        try:
            async with asyncio.timeout(COMMITTED_WITHIN):
                await self._hands.intake.submit(mark)
        except TimeoutError:
            why = "taken, but the store cannot write it yet; it takes effect when the store works again"
            raise refuse(503, "not_yet", why) from None
        return mark


async def _read(question: Callable[[], T]) -> T:
    """Asks the store beside its writer, in a thread."""
    try:
        return await asyncio.to_thread(question)
    except StoreError:
        raise refuse(503, "store", "the store cannot be read now; the log says why", again=5) from None


def _row(
    name: str, counts: Sequence[NarrativeCount], label: str, status: StatusMark | None, race: RaceReading | None
) -> bodies.NarrativeRow:
    per_tag = {one.tag: one.mentions for one in counts}
    return bodies.NarrativeRow(
        id=name,
        label=label,
        status=status.status if status else Status.UNCONFIRMED,
        by=status.by if status else "",
        first_seen=min(one.first_seen for one in counts),
        last_seen=max(one.last_seen for one in counts),
        claims=per_tag.get("claim", 0),
        denials=per_tag.get("denial", 0),
        celebrations=per_tag.get("celebration", 0),
        questions=per_tag.get("question", 0),
        others=per_tag.get("other", 0),
        race=_race(race) if race else None,
    )


def _race(reading: RaceReading) -> bodies.RaceRow:
    return bodies.RaceRow(
        claims=reading.claims,
        denials=reading.denials,
        log_e=reading.log_e if math.isfinite(reading.log_e) else None,
        threshold=reading.threshold,
        holds=reading.holds,
    )


def _identity(asked: bodies.SilenceAsked, begins: datetime) -> str:
    """A silence's id: a hash of what it covers, whose it is and when it begins."""
    parts = (asked.event, asked.narrative, asked.rule, asked.owner, asked.comment, begins.isoformat())
    return xxhash.xxh3_64_hexdigest("\0".join(parts).encode())


def _ended(silence: Silence, now: datetime) -> Silence:
    return msgspec.structs.replace(silence, begins_at=min(silence.begins_at, now), expires_at=now, at=now)
