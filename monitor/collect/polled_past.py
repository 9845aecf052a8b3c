"""What the parts of a polled source said before an event was added: each is read back once for it, page by page.

What is read so came already, or was there before, but was of no event then: it is told again, as new.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec

from monitor.clock import Clock
from monitor.collect.claims import posted
from monitor.collect.look_back import LookBack, Owed, Past
from monitor.collect.news import Document, News
from monitor.collect.terms import Events
from monitor.errors import SourceRefusedError, SourceUnavailableError


class Further(NamedTuple):
    """A page of what a part said before."""

    answer: bytes
    """As it came."""
    documents: Sequence[Document]
    """All the posts in it, with a `created_at` each."""
    token: str = ""
    """Where the part goes on, in its own words; empty at its end, or where all that follows is too old."""


Look = Callable[[Owed], Awaitable[Further]]
"""Reads the next page of what is owed, whose question is the name of a part."""


async def nothing(owed: Owed) -> Further:  # noqa: ARG001 -- a Look
    """The Look of a source that has no past."""
    return Further(b"", ())


class Behind:
    """Looks back for one source, a page at a time; its parts are its questions."""

    def __init__(self, source: str, clock: Clock, reach: timedelta, pages: int, events: Events) -> None:
        self._clock = clock
        self._events = events
        self._back = LookBack(source, clock, reach, pages, apart=True)

    @property
    def past(self) -> Past:
        """For the resume point."""
        return self._back.past

    def take_up(self, past: Past | None, there: Sequence[str]) -> None:
        """Goes on from a resume point, of the parts that are still there."""
        kept = past and msgspec.structs.replace(past, owed=tuple(one for one in past.owed if one.question in there))
        self._back.take_up(kept, self._events())

    def due(self, there: Sequence[str], failing: Callable[[str], bool]) -> Owed | None:
        """What can be read now, but for parts that are `failing`; an event that was not watched before is owed all."""
        self._back.notice(self._events(), lambda _: there)
        return self._back.due(lambda part: not failing(part))

    async def turn(self, owed: Owed, look: Look) -> tuple[News, bytes] | None:
        """One page of what is due: what of it is told, and the answer; None where it did not come.

        A part that does not answer makes room for the others. One that is refused is given up alone: its next turn says
        whether it is to be had at all.
        """
        try:
            page = await look(owed)
        except SourceUnavailableError as error:
            self._back.failed(error)
            return None
        except SourceRefusedError as error:
            self._back.failed(SourceRefusedError(str(error), question=True))
            return None
        self._back.came(page.token)
        now = self._clock.now()
        fresh = tuple(one["id"] for one in page.documents if posted(one["created_at"], now) >= owed.since)
        return News(owed.question, fresh), page.answer
