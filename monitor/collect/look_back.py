"""What is still to be asked for of the past because an event was added: question by question, page by page.

It goes on where it was after a failure and, being part of a resume point, after a restart. What it brings and the
source brought otherwise too is one mention: the platform's id of a post is the same both ways.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monitor.clock import Clock
from monitor.collect.turns import called, pause
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

    Where the reach is nothing, none is asked. What fails is asked again ever more seldom, and all else waits for it but
    where the questions are `apart`.
    """

    def __init__(self, source: str, clock: Clock, reach: timedelta, pages: int, *, apart: bool = False) -> None:
        self._source = source
        self._clock = clock
        self._reach = reach
        self._pages = pages
        self._past: Past | None = None
        self._apart = apart
        self._failures: dict[str, tuple[int, float]] = {}
        """Question, or "" for all → how often it failed in a row, and until when it is left alone."""

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

        It stands first from then on, for `came` and `failed`.
        """
        first = next((one for one in self.past.owed if ready(one.question) and not self._rests(one.question)), None)
        if first is not None:
            self._past = Past(self.past.events, (first, *(one for one in self.past.owed if one is not first)))
        return first

    def _rests(self, question: str) -> bool:
        return any(self._failures.get(one, (0, 0.0))[1] > self._clock.monotonic() for one in ("", question))

    def came(self, token: str) -> None:
        """A page of what was due came; the question goes on at `token`, or has ended: for all events that owe it."""
        first, alike, rest = self._first()
        for one in ("", first.question):
            self._failures.pop(one, None)
        pages = first.pages + 1
        if token and pages < self._pages:
            rest = [*(replace(one, token=token, pages=pages) for one in alike), *rest]
        elif token:
            said = "source %s: looks back no further for %s than %d pages of one question"
            log.info(said, self._source, first.event, pages, extra={"source": self._source})
        self._past = Past(self.past.events, tuple(rest))

    def _first(self) -> tuple[Owed, list[Owed], list[Owed]]:
        """What was due, the same of all events that were added with it, and the rest."""
        first = self.past.owed[0]
        alike = [one for one in self.past.owed if one == replace(first, event=one.event)]
        return first, alike, [one for one in self.past.owed if one not in alike]

    def failed(self, error: SourceUnavailableError | SourceRefusedError, alike: str = "") -> None:
        """What was due did not come: it is asked again later.

        Where the platform refuses it, it is given up; where it refuses us, so is all that begins with `alike`.
        """
        first, _, rest = self._first()
        if isinstance(error, SourceRefusedError):
            said = "source %s: does not look back for new events by %s: %s"
            asked = called(first.question) if error.question else "any question"
            log.error(said, self._source, asked, error, extra={"source": self._source})
            kept = rest if error.question else [one for one in rest if not one.question.startswith(alike)]
            self._past = Past(self.past.events, tuple(kept))
            self._failures.pop(first.question, None)
            return
        what = first.question if self._apart and not error.whole else ""
        times = self._failures.get(what, (0, 0.0))[0] + 1
        wait = pause(error, _PAUSE, times).total_seconds()
        self._failures[what] = times, self._clock.monotonic() + wait
        said = "source %s: cannot look back, next try in %d s: %s"
        log.warning(said, self._source, wait, error, extra={"source": self._source})
