"""What people ask and say of narratives: which there are, which may be one, and which are one or are not."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from monitor.app.desk import Desk
from monitor.app.rows import by_narrative, narrative_row
from monitor.clock import Clock
from monitor.cluster.narratives import narrative_id
from monitor.marks import MergeMark, Ruling, SplitMark, StatusMark, standing
from monitor.records import Narrative
from monitor.store.lookups import NarrativeCount
from monitor.store.reader import Reader
from monitor.store.worker import StoreWorker
from monitor.web import bodies, ruling_bodies
from monitor.web.refused import RefusedError, refuse


class Means(NamedTuple):
    """What answers and changes come from."""

    worker: StoreWorker
    desk: Desk
    reader: Reader
    clock: Clock
    read: Callable[[Callable[[], Any]], Awaitable[Any]]
    """Asks the store beside its writer."""
    scan: Callable[[Callable[[], Any]], Awaitable[Any]]
    """The same for what reads much of it."""
    commit: Callable[[Any], Awaitable[Any]]
    """Gives a mark back once it is committed."""


class Stories:
    """The part of the office that knows narratives; who asks has made sure that the event is watched."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def listed(self, event: str, limit: int) -> bodies.NarrativeList:
        """The narratives of an event, those with most mentions first; a merged one is counted where it belongs."""
        tallied, last = await self._tallied(event)
        most = sorted(tallied, key=lambda name: (-sum(one.mentions for one in tallied[name]), name))[:limit]
        rows = await self._rows(event, {name: tallied[name] for name in most}, last)
        return bodies.NarrativeList(narratives=tuple(rows), total=len(tallied))

    async def show(self, event: str, narrative: str) -> bodies.NarrativeRow:
        """One narrative."""
        tallied, last = await self._tallied(event)
        merged = await self._means.worker.call(self._means.desk.merged, event)
        name = merged.get(narrative, narrative)
        if name not in tallied:
            raise unknown_narrative()
        return (await self._rows(event, {name: tallied[name]}, last))[0]

    async def suggestions(self, event: str, limit: int) -> ruling_bodies.SuggestionList:
        """Pairs of narratives that may be one."""
        pairs = (await self._means.worker.call(self._means.desk.suggested, event))[:limit]
        names = [name for one, two, _ in pairs for name in (one, two)]
        labels = await self._means.worker.call(self._means.desk.labels, event, names)
        made = (
            ruling_bodies.Suggestion(
                narrative=one, into=two, likeness=score, label=labels.get(one, ""), into_label=labels.get(two, "")
            )
            for one, two, score in pairs
        )
        return ruling_bodies.SuggestionList(suggestions=tuple(made))

    async def merge(self, event: str, asked: ruling_bodies.MergeAsked) -> MergeMark:
        """Two narratives are one from now on."""
        known = await self._known(event, [asked.narrative, asked.into])
        if len(known) < len({asked.narrative, asked.into}):
            raise unknown_narrative()
        merged = await self._means.worker.call(self._means.desk.merged, event)
        one, into = (merged.get(name, name) for name in (asked.narrative, asked.into))
        if asked.narrative == asked.into:
            raise refuse(400, "itself", "name two narratives; one cannot be merged into itself")
        if one == into and merged.get(asked.narrative) != asked.into:
            raise refuse(400, "one_already", f"both belong to {one} already; split first to merge them otherwise")
        if one != into and one == narrative_id(event, ""):
            raise refuse(400, "main", "the main narrative is merged into no other; merge the other into it")
        mark = MergeMark(
            at=self._means.clock.now(), event=event, narrative=asked.narrative, into=asked.into, by=asked.by
        )
        committed: MergeMark = await self._means.commit(mark)
        return committed

    async def split(self, event: str, asked: ruling_bodies.SplitAsked) -> SplitMark:
        """A merged narrative is its own again; or a mention, with what answers it, leaves its narrative."""
        says: tuple[int, ...] = ()
        if asked.id:
            reader = self._means.reader
            mention = await self._means.read(lambda: reader.mention(event, asked.platform, asked.id))
            if mention.is_empty():
                why = "the archive has no such mention of the event, or its author deleted it"
                raise refuse(404, "unknown_mention", why)
            says = (await self._means.worker.call(self._means.desk.says, mention))[0]
        if asked.id and not await self._known(event, [asked.narrative]):
            raise unknown_narrative()
        merged = await self._means.worker.call(self._means.desk.merged, event)
        if not asked.id and asked.narrative not in merged:
            raise refuse(
                404, "not_merged", "the narrative is merged into no other; name the mention that is to leave it"
            )
        mark = SplitMark(
            at=self._means.clock.now(),
            event=event,
            narrative=asked.narrative,
            by=asked.by,
            platform=asked.platform,
            id=asked.id,
            says=says,
        )
        parted: SplitMark = await self._means.commit(mark)
        return parted

    async def rulings(self, limit: int) -> ruling_bodies.RulingList:
        """What editors merged and split."""
        reader = self._means.reader
        found: list[Ruling] = await self._means.read(lambda: reader.rulings(limit))
        return ruling_bodies.RulingList(
            merges=tuple(one for one in found if isinstance(one, MergeMark)),
            splits=tuple(one for one in found if isinstance(one, SplitMark)),
        )

    async def _tallied(self, event: str) -> tuple[dict[str, list[NarrativeCount]], dict[str, StatusMark]]:
        """The counts and the statuses of an event's narratives, those of a merged one under what it belongs to."""
        reader = self._means.reader
        counts: list[NarrativeCount] = await self._means.scan(lambda: reader.narratives(event))
        statuses: list[StatusMark] = await self._means.read(lambda: reader.statuses_of(event))
        merged: Mapping[str, str] = await self._means.worker.call(self._means.desk.merged, event)
        tallied = by_narrative(one._replace(narrative=merged.get(one.narrative, one.narrative)) for one in counts)
        return tallied, {name: mark for (_, name), mark in standing(statuses).items()}

    async def _rows(
        self, event: str, tallied: Mapping[str, list[NarrativeCount]], last: Mapping[str, StatusMark]
    ) -> list[bodies.NarrativeRow]:
        known = await self._known(event, list(tallied))
        labels = await self._means.worker.call(self._means.desk.labels, event, list(tallied))
        races = {one.narrative: one for one in await self._means.worker.call(self._means.desk.races, event)}
        states = await self._means.worker.call(self._means.desk.states, event)
        rows = (
            narrative_row(name, counts, labels.get(name, ""), last.get(name), races.get(name), state=states.get(name))
            for name, counts in tallied.items()
        )
        return [_described(row, known.get(row.id)) for row in rows]

    async def _known(self, event: str, narratives: list[str]) -> dict[str, Narrative]:
        return await self._means.worker.call(self._means.desk.narratives, event, narratives)


def unknown_narrative() -> RefusedError:
    """The event has none of that id."""
    return refuse(404, "unknown_narrative", "the event has no such narrative; list its narratives for their ids")


def _described(row: bodies.NarrativeRow, known: Narrative | None) -> bodies.NarrativeRow:
    """With what the cluster stage knows of it."""
    if known is None:
        return row
    return msgspec.structs.replace(
        row,
        first_post=known.first_post,
        first_denial=known.first_denial,
        voices=known.voices,
        platforms=known.platforms,
        languages=known.languages,
    )
