"""Answers what the JSON API asks: changes travel as marks in the stream, answers come from beside it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from monitor.alert.export import Brief
from monitor.app import observe
from monitor.app.briefs import brief_of
from monitor.app.event_files import NOT_YET, EventFiles, unknown_event
from monitor.app.hands import Hands
from monitor.app.letters import Letters
from monitor.app.preview import preview
from monitor.app.rows import ended, is_asked, silence_id
from monitor.app.stories import Means, Stories, unknown_narrative
from monitor.errors import StoreError
from monitor.marks import AckMark, Correction, Mark, MergeMark, Silence, SplitMark, StatusMark
from monitor.records import AlertState, Answer
from monitor.settings.checks import ALERTING
from monitor.web import bodies, ruling_bodies
from monitor.web.check_bodies import CheckList
from monitor.web.refused import RefusedError, refuse

COMMITTED_WITHIN = 30.0
"""Seconds a change may take to be committed before its asker is told that it will be."""

T = TypeVar("T")
M = TypeVar("M", bound=Mark)


class DaemonOffice:
    """Implements `monitor.web.office.Office` for the daemon."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self.letters = Letters(hands)
        self._files = EventFiles(hands.configured, hands.reload, COMMITTED_WITHIN)
        self._previewing = asyncio.Lock()
        means = (hands.worker, hands.desk, hands.reader, hands.clock, self._read, self._scan, self._committed)
        self._stories = Stories(Means(*means))

    async def sources(self) -> bodies.SourceList:
        """How the sources are doing."""
        return bodies.SourceList(sources=tuple(self._hands.health()))

    async def gaps(self, limit: int) -> bodies.GapList:
        """When sources were blind."""
        return bodies.GapList(gaps=tuple(await self._read(lambda: self._hands.reader.gaps(limit))))

    async def checks(self, limit: int) -> CheckList:
        """What fact-checkers said last."""
        return CheckList(checks=tuple(await self._read(lambda: self._hands.reader.checks(limit))))

    async def alerts(self, state: AlertState | None, limit: int) -> bodies.AlertList:
        """The newest alerts, of one state if named."""
        return bodies.AlertList(alerts=tuple(await self._read(lambda: self._hands.reader.alerts(state, limit))))

    async def brief(self, alert: str, *, authors: bool) -> Brief:
        """What fired, and on what evidence."""
        return await self._read(lambda: brief_of(self._hands.reader, alert, self._hands.clock.now(), authors=authors))

    async def answers(self, limit: int) -> bodies.AnswerList:
        """Which alerts were useful."""
        return bodies.AnswerList(answers=tuple(await self._read(lambda: self._hands.reader.answers(limit))))

    async def answer(self, alert: str, asked: bodies.AnswerAsked) -> Answer:
        """Says whether an alert was useful; the last answer about it counts."""
        if not await self._read(lambda: self._hands.reader.has_alert(alert)):
            raise unknown_alert()
        now = self._hands.clock.now()
        answer = Answer(at=now, alert=alert, useful=asked.useful, by=asked.by, comment=asked.comment)
        try:
            async with asyncio.timeout(COMMITTED_WITHIN):
                await self._hands.worker.call(self._hands.desk.answer, answer)
        except TimeoutError:
            raise refuse(503, "store", "the store cannot be written now; answer again later", again=5) from None
        observe.answered(self._hands.metrics, answer)
        return answer

    async def acknowledge(self, alert: str, by: str, assignee: str = "", comment: str = "") -> AckMark:
        """Takes a firing alert on, with all that share its card; refused where none of them fires."""
        firing = await self._read(lambda: self._hands.reader.firing(alert))
        if firing is None and not await self._read(lambda: self._hands.reader.has_alert(alert)):
            raise unknown_alert()
        if firing is None:
            raise refuse(409, "not_firing", "the alert is over, or not firing yet; only what fires is acknowledged")
        mark = AckMark(at=self._hands.clock.now(), alert=firing, by=by, assignee=assignee, comment=comment)
        return await self._committed(mark)

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
            return await self._read(lambda: preview(event, self._hands.reader, most))

    async def add_event(self, toml: str, *, replace: bool) -> bodies.EventChange:
        """Watches an event from now on."""
        return await self._files.add(toml, replace=replace)

    async def remove_event(self, name: str) -> bodies.EventChange:
        """Watches it no more."""
        return await self._files.remove(name)

    async def narratives(self, event: str, limit: int) -> bodies.NarrativeList:
        """What is asserted about an event, with counts, statuses and races."""
        self._watched(event)
        return await self._stories.listed(event, limit)

    async def narrative(self, event: str, narrative: str) -> bodies.NarrativeRow:
        """One narrative."""
        self._watched(event)
        return await self._stories.show(event, narrative)

    async def suggestions(self, event: str, limit: int) -> ruling_bodies.SuggestionList:
        """Narratives that may be one."""
        self._watched(event)
        return await self._stories.suggestions(event, limit)

    async def merge(self, event: str, asked: ruling_bodies.MergeAsked) -> MergeMark:
        """Two narratives are one from now on."""
        self._watched(event)
        return await self._stories.merge(event, asked)

    async def split(self, event: str, asked: ruling_bodies.SplitAsked) -> SplitMark:
        """Parts what was one narrative."""
        self._watched(event)
        return await self._stories.split(event, asked)

    async def rulings(self, limit: int) -> ruling_bodies.RulingList:
        """Every merge and split of narratives."""
        return await self._stories.rulings(limit)

    async def statuses(self, limit: int) -> bodies.StatusList:
        """Every status that was set."""
        return bodies.StatusList(statuses=tuple(await self._read(lambda: self._hands.reader.statuses(limit))))

    async def set_status(self, event: str, narrative: str, asked: bodies.StatusAsked) -> StatusMark:
        """Sets a narrative's status; of one that is merged into another, that one's."""
        self._watched(event)
        await self._told_of(event, narrative)
        narrative = (await self._hands.worker.call(self._hands.desk.merged, event)).get(narrative, narrative)
        mark = StatusMark(
            at=self._hands.clock.now(),
            event=event,
            narrative=narrative,
            status=asked.status,
            by=asked.by,
            evidence=asked.evidence,
        )
        return await self._committed(mark)

    async def _told_of(self, event: str, narrative: str) -> None:
        """Refuses a narrative that the event does not have."""
        known = await self._hands.worker.call(self._hands.desk.labels, event, [narrative])
        if not known and not await self._scan(lambda: self._hands.reader.has_narrative(event, narrative)):
            raise unknown_narrative()

    async def silences(self) -> bodies.SilenceList:
        """Silences that have not expired."""
        now = self._hands.clock.now()
        return bodies.SilenceList(silences=tuple(await self._read(lambda: self._hands.reader.silences(now))))

    async def silence(self, asked: bodies.SilenceAsked) -> Silence:
        """Silences alerts; never all of them, never for ever."""
        now = self._hands.clock.now()
        begins = max(asked.begins_at or now, now)
        if not (asked.event or asked.narrative or asked.rule):
            raise refuse(400, "too_broad", "name an event, a narrative or a rule; everything cannot be silenced")
        if asked.rule not in {"", *ALERTING}:
            raise refuse(400, "unknown_rule", f"rule is one of {', '.join(ALERTING)}, or left out for all")
        if asked.event:
            self._watched(asked.event)
        if asked.narrative and not asked.event:
            raise refuse(400, "whose_narrative", "name the event that the narrative is about, too")
        if asked.narrative:
            await self._told_of(asked.event, asked.narrative)
        known = await self._known(asked)
        if known is not None:
            return known
        if asked.expires_at <= begins:
            raise refuse(400, "over_already", "expires_at must lie in the future and after begins_at")
        made = Silence(
            id=asked.id or silence_id(asked, begins),
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

    async def _known(self, asked: bodies.SilenceAsked) -> Silence | None:
        """The silence that was made when the same was asked before, under an id of the asker's."""
        name = asked.id
        known = None if name is None else await self._read(lambda: self._hands.reader.silence(name))
        if known is not None and not is_asked(known, asked):
            raise refuse(409, "id_taken", "another silence has this id; give each one of its own")
        return known

    async def expire(self, silence: str) -> Silence:
        """Ends a silence now."""
        now = self._hands.clock.now()
        found = {one.id: one for one in await self._read(lambda: self._hands.reader.silences(now))}
        if silence not in found:
            raise refuse(404, "unknown_silence", "no silence of this id is to come or goes on")
        return await self._committed(ended(found[silence], now))

    async def labels(self, limit: int) -> bodies.LabelList:
        """Every label that was given."""
        return bodies.LabelList(labels=tuple(await self._read(lambda: self._hands.reader.corrections(limit))))

    async def label(self, asked: bodies.LabelAsked) -> Correction:
        """Gives a mention another tag, and so its text and its copies from here on."""
        self._watched(asked.event)
        mention = await self._read(lambda: self._hands.reader.mention(asked.event, asked.platform, asked.id))
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
            raise refuse(503, "not_yet", NOT_YET) from None
        return mark

    async def _read(self, question: Callable[[], T]) -> T:
        """Asks the store beside its writer."""
        with _readable():
            return await self._hands.reader.ask(question)

    async def _scan(self, question: Callable[[], T]) -> T:
        """Asks what reads much of the archive, when no other such question is asked."""
        with _readable():
            return await self._hands.reader.scan(question)


def unknown_alert() -> RefusedError:
    """There is no alert of that id."""
    return refuse(404, "unknown_alert", "there is no alert of this id; list the alerts for theirs")


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise refuse(503, "store", "the store cannot be read now; the log says why", again=5) from None
