"""A source that is polled, part by part: asks, hands on what is news, and remembers how far each part was read.

Where it can look back for an event that is added, it does so while none of its parts is due, and now and then.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.look_back import Owed, Past
from monitor.collect.news import Found, Known, News, framed
from monitor.collect.polled_past import Behind, Further, Look, nothing
from monitor.collect.turns import Turns, called
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark, part_of
from monitor.metrics import Metrics

PIECE = timedelta(minutes=10)
"""How often it is noted that a part is still blind; a replay of an archive goes by it, too."""
_BETWEEN = 5
"""So many turns of parts that are due come between two looks back, which otherwise wait until none is."""
BLIND = "it cannot be read"
"""Why a part is blind; the log says more, in words of others."""

Arrival = Payload | GapMark | Contact
_WHOLE = ""
"""Stands for the source itself in a resume point: no part is called so."""


class Read(NamedTuple):
    """What one request of a part brought."""

    answer: bytes
    """As it came; its payload if there is news in it."""
    documents: Sequence[Found]
    """All the posts in it."""
    gone: Sequence[str] = ()
    """Posts that are known and were deleted."""
    mark: str | None = None
    """Where to go on from, in the part's own words; None: as before."""
    lost: str = ""
    """Why posts since the last turn may be lost, if they may."""
    wait: timedelta | None = None
    """How long the part need not be asked again."""


class Place(Struct, omit_defaults=True):
    """How far a part was read."""

    known: str = ""
    """The posts it last brought, as `Known.saved` says."""
    mark: str = ""
    """Where it goes on, in its own words."""
    read_at: datetime | None = None
    """When its last turn ended."""
    blind: datetime | None = None
    """Since when it cannot be read, where that is to be noted or was."""
    past: Past | None = None
    """Of the source itself: what it still has to look back for."""


class Outage(Struct):
    """A part fails."""

    since: datetime
    noted: datetime | None = None
    """Up to when it was noted, and `since` where it is to be; None where it may be a hiccup."""

    def due(self, now: datetime) -> bool:
        """Whether it is to be noted, or again."""
        return self.noted is not None and (now - self.noted >= PIECE or self.noted == self.since < now)


class Part:
    """A part at work."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.known = Known(place.known)
        self.mark = place.mark
        self.read_at = place.read_at
        self.outage = Outage(place.blind, place.blind) if place.blind is not None else None

    @property
    def place(self) -> Place:
        """For the resume point."""
        return Place(self.known.saved(), self.mark, self.read_at, self.blind)

    @property
    def blind(self) -> datetime | None:
        """Since when it cannot be read, where that is to be noted or was."""
        return self.outage.since if self.outage is not None and self.outage.noted is not None else None

    @property
    def first(self) -> bool:
        """Whether it was never read."""
        return self.read_at is None


Means = TypeVar("Means")
Ask = Callable[[Part], AsyncIterator[Read]]


class Polling:
    """The parts of one source, over all its connections.

    `apart`: a part that is refused is no reason to stop the others; otherwise the source stops with it, unless only
    what was asked of the part is refused. `behind`: what it still has to look back for.
    """

    def __init__(
        self,
        source: str,
        clock: Clock,
        every: timedelta,
        metrics: Metrics,
        *,
        apart: bool = False,
        behind: Behind | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._apart = apart
        self._behind = behind
        self._turns = Turns(source, clock, every, metrics.source_failing.labels(source).set)
        self._parts: dict[str, Part] = {}
        self._places: dict[str, Place] = {}
        """As the last resume point has them."""
        self._over: list[GapMark] = []
        """Outages that are over, and not told yet."""

    async def payloads(
        self,
        since: str | None,
        parts: Callable[[], Sequence[str]],
        means: AbstractAsyncContextManager[Means],
        ask: Callable[[Means, Part], AsyncIterator[Read]],
        look: Callable[[Means, Owed], Awaitable[Further]] | None = None,
    ) -> AsyncIterator[Arrival]:
        """As `arrivals`, with the `means` by which a part is asked, which are open meanwhile."""
        async with means as opened:
            arrivals = self.arrivals(since, parts, partial(ask, opened), partial(look, opened) if look else nothing)
            async with aclosing(arrivals):  # type: ignore[type-var]
                async for arrival in arrivals:
                    yield arrival

    async def arrivals(
        self, since: str | None, parts: Callable[[], Sequence[str]], ask: Ask, look: Look = nothing
    ) -> AsyncIterator[Arrival]:
        """What the parts say, for ever; `ask` reads one of them, `look` a page of its past.

        A resume point that is not understood is none.
        """
        if not self._parts:
            self._places = places(since)
            self._take_up(parts())
        turns = 0
        while True:
            if self._turns.resting(parts()):
                yield Contact(rests=True)
            name = await self._turns.next(parts, lambda: self._owed(parts()) is not None)
            self._keep(parts())
            turns += 1
            if name is None or turns > _BETWEEN:
                turns = 0
                if (arrival := await self._looked_back(parts(), look)) is not None:
                    yield arrival
            if name is None:
                for told in self._gaps():
                    yield told
                yield Contact(rests=True)
                continue
            part = self._parts.setdefault(name, Part(name, self._places.get(name, Place())))
            async with aclosing(self._turn(part, ask)) as turn:  # type: ignore[type-var]
                async for arrival in turn:
                    yield arrival

    async def _turn(self, part: Part, ask: Ask) -> AsyncIterator[Arrival]:
        wait: timedelta | None = None
        try:
            async with aclosing(ask(part)) as reads:  # type: ignore[type-var]
                async for read in reads:
                    for arrival in self._told(part, read):
                        yield arrival
                    self._learn(part, read)
                    wait = read.wait
        except (SourceUnavailableError, SourceRefusedError) as error:
            if isinstance(error, SourceRefusedError) and not (self._apart or error.question):
                raise
            part.outage = part.outage or Outage(self._clock.now())
            if self._turns.failed(part.name, error):
                part.outage.noted = part.outage.noted or part.outage.since
            return
        part.read_at = self._clock.now()
        self._turns.done(part.name, wait)
        self._end(part.name, part.blind)
        part.outage = None
        for told in self._gaps():
            yield told

    def _end(self, part: str, blind: datetime | None) -> None:
        """The outage of a part is over, if there was one."""
        if blind is not None:
            self._over.append(self._gap(part, blind, self._clock.now()))

    def _gaps(self) -> Iterator[Arrival]:
        """Outages that are over, and those that go on, noted now and then; between them the resume point, if it moves.

        So an outage is in it before it is noted and until its end is: after a restart none stays open.
        """
        now = self._clock.now()
        yield from self._over
        if self._over or any(part.blind != self._places.get(part.name, Place()).blind for part in self._parts.values()):
            yield Payload(self._source, framed(News(), b""), self._saved({}))
        self._over = []
        for part in self._parts.values():
            if part.outage is not None and part.outage.due(now):
                part.outage.noted = now
                yield self._gap(part.name, part.outage.since, now, goes_on=True)

    def _gap(self, part: str, begins: datetime, ends: datetime, *, goes_on: bool = False) -> GapMark:
        return GapMark(source=part_of(self._source, called(part)), begins=begins, ends=ends, why=BLIND, goes_on=goes_on)

    def _keep(self, there: Sequence[str]) -> None:
        """Nothing is remembered of parts that are gone, but that their outage is over."""
        blind = {name: place.blind for name, place in self._places.items()}
        blind |= {name: part.blind for name, part in self._parts.items()}
        for name in (name for name in blind if name not in there):
            self._end(name, blind[name])
        self._parts = {name: part for name, part in self._parts.items() if name in there}
        self._places = {name: place for name, place in self._places.items() if name in there}

    def _take_up(self, there: Sequence[str]) -> None:
        past = self._places.pop(_WHOLE, Place()).past
        if self._behind is not None:
            self._behind.take_up(past, there)

    def _owed(self, there: Sequence[str]) -> Owed | None:
        """What can be read back now; not of a part that cannot be read at all."""
        return self._behind.due(there, self._turns.failing) if self._behind is not None else None

    async def _looked_back(self, there: Sequence[str], look: Look) -> Arrival | None:
        """A page of the past, if one is due and comes; the resume point moves on, with news in it or without."""
        behind, owed = self._behind, self._owed(there)
        if behind is None or owed is None or (found := await behind.turn(owed, look)) is None:
            return None
        news, answer = found
        return Payload(self._source, framed(news, answer), self._saved({}), max(1, news.posts))

    def _told(self, part: Part, read: Read) -> list[Arrival]:
        told: list[Arrival] = []
        if read.lost and part.read_at is not None:
            why = f"{called(part.name)}: {read.lost}"
            told.append(GapMark(source=self._source, begins=part.read_at, ends=self._clock.now(), why=why))
        news = part.known.news(part.name, read.documents, read.gone)
        if news:
            resume = self._resume(part, read)
            told.append(Payload(self._source, framed(news, read.answer), resume, news.posts))
        return told or [Contact()]

    def _learn(self, part: Part, read: Read) -> None:
        part.known.learn(read.documents, read.gone)
        part.mark = part.mark if read.mark is None else read.mark

    def _resume(self, coming: Part, read: Read) -> str:
        """The resume point behind an answer that is not learnt yet: its turn has not ended, others may be to come."""
        mark = coming.mark if read.mark is None else read.mark
        read_at = coming.read_at or self._clock.now()
        saved = Place(coming.known.saved(read.documents), mark, read_at, coming.place.blind)
        return self._saved({coming.name: saved})

    def _saved(self, coming: dict[str, Place]) -> str:
        """The resume point behind what was learnt and what is `coming`."""
        self._places |= {name: part.place for name, part in self._parts.items()}
        whole = {_WHOLE: Place(past=self._behind.past)} if self._behind is not None else {}
        return msgspec.json.encode(self._places | coming | whole).decode()


def places(since: str | None) -> dict[str, Place]:
    """Part → how far it was read; nothing of a resume point that is not understood."""
    if since is None:
        return {}
    try:
        return msgspec.json.decode(since, type=dict[str, Place])
    except msgspec.MsgspecError:
        return {}
