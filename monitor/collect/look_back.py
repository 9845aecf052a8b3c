"""What is still to be asked for of the past because an event was added: question by question, page by page.

It goes on where it was after a failure and, being part of a resume point, after a restart. What it brings and the
source brought otherwise too is one mention: the platform's id of a post is the same both ways.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.clock import Clock
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.watched import Event

_PAUSE = timedelta(minutes=1)

log = logging.getLogger(__name__)


class Owed(Struct, frozen=True, omit_defaults=True):
    """A question that is not answered to its end."""

    event: str
    """The event that it is asked for."""
    question: str
    """In the platform's own words."""
    since: datetime
    until: datetime
    """When the event was added: what came later comes anyway."""
    token: str = ""
    """Where it goes on, in the platform's own words."""
    pages: int = 0
    """How many were read."""


class Past(Struct, frozen=True, omit_defaults=True):
    """As it stands in a resume point."""

    events: tuple[str, ...] = ()
    """Events that are known: nothing more is asked for than what is owed."""
    owed: tuple[Owed, ...] = ()


class LookBack:
    """The questions that one source owes the events; as many pages of each as are set, of so much of the past.

    Where the reach is nothing, none is asked.
    """

    def __init__(self, source: str, clock: Clock, reach: timedelta, pages: int) -> None:
        self._source = source
        self._clock = clock
        self._reach = reach
        self._pages = pages
        self._past: Past | None = None
        self._waits = 0.0

    def take_up(self, past: Past | None, events: Sequence[Event]) -> None:
        """Goes on from a resume point, once; where it says nothing, the events that are watched now are known."""
        if self._past is None:
            self._past = past if past is not None else Past(tuple(event.name for event in events))

    def notice(self, events: Sequence[Event], ask: Callable[[Event], Iterable[str]]) -> None:
        """These are watched now: what is new is asked for by the questions of `ask`, what is gone no more."""
        events_known, owed = self.past.events, self.past.owed
        names = tuple(event.name for event in events)
        if names == events_known:
            return
        now = self._clock.now()
        kept = [one for one in owed if one.event in names]
        for event in events:
            if event.name not in events_known:
                kept += [
                    Owed(event.name, question, now - self._reach, now)
                    for question in (ask(event) if self._reach else ())
                ]
        self._past = Past(names, tuple(kept))

    @property
    def past(self) -> Past:
        """For the resume point."""
        return self._past if self._past is not None else Past()

    def due(self, ready: Callable[[str], bool] = lambda _: True) -> Owed | None:
        """What is asked next, of the questions that are `ready`; None where nothing is, or not yet after a failure.

        It stands first from then on, for `came`, `failed` and `last`.
        """
        first = next((one for one in self.past.owed if ready(one.question)), None)
        if first is None or self._waits > self._clock.monotonic():
            return None
        rest = tuple(one for one in self.past.owed if one is not first)
        self._past = Past(self.past.events, (first, *rest))
        return first

    def came(self, token: str) -> None:
        """A page of what was due came; the question goes on at `token`, or has ended."""
        first, *rest = self.past.owed
        more = Owed(first.event, first.question, first.since, first.until, token, first.pages + 1)
        if token and more.pages < self._pages:
            rest = [more, *rest]
        elif token:
            said = "source %s: looks back no further for %s than %d pages of one question"
            log.info(said, self._source, first.event, more.pages, extra={"source": self._source})
        self._past = Past(self.past.events, tuple(rest))

    def last(self) -> None:
        """What was due is asked behind all the others."""
        first, *others = self.past.owed
        self._past = Past(self.past.events, (*others, first))

    def failed(self, error: SourceUnavailableError | SourceRefusedError, alike: str = "") -> None:
        """What was due did not come: it is asked again later.

        Where the platform refuses it, it is given up; where it refuses us, so is all that begins with `alike`.
        """
        if isinstance(error, SourceRefusedError):
            said = "source %s: does not look back for new events by %s: %s"
            asked = self.past.owed[0].question if error.question else "any question"
            log.error(said, self._source, asked, error, extra={"source": self._source})
            rest = self.past.owed[1:]
            kept = rest if error.question else tuple(one for one in rest if not one.question.startswith(alike))
            self._past = Past(self.past.events, kept)
            return
        wait = max(_PAUSE.total_seconds(), error.retry_after or 0.0)
        self._waits = self._clock.monotonic() + wait
        said = "source %s: cannot look back, next try in %d s: %s"
        log.warning(said, self._source, wait, error, extra={"source": self._source})
