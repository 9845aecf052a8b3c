"""What people do from a card, however it reached us: the same calls on the office as the JSON API makes."""

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, assert_never

from monitor.alert import words
from monitor.alert.harmless import harmless
from monitor.alert.links import ANSWERS, SILENCES, STATUSES, Action
from monitor.clock import Clock
from monitor.records import Alert
from monitor.web.bodies import AnswerAsked, SilenceAsked, StatusAsked
from monitor.web.refused import RefusedError, refuse

LONGEST_NAME = 200
LONGEST_WORDS = 2000
_SHOWN = 80

log = logging.getLogger(__name__)

Find = Callable[[str], Awaitable[Alert | None]]
"""The last step of an alert by its id. Raises RefusedError where the store cannot be read."""
Note = Callable[[str, str, str], None]
"""Hears of every deed: action, `link` or `slack`, and `done` or why not."""


class Doing(Protocol):
    """What is asked of the office (`monitor.web.office.Office`)."""

    async def acknowledge(self, alert: str, by: str, assignee: str = "", comment: str = "") -> object:
        """Takes a firing alert on."""
        ...

    async def silence(self, asked: SilenceAsked) -> object:
        """Silences alerts."""
        ...

    async def set_status(self, event: str, narrative: str, asked: StatusAsked) -> object:
        """Sets a narrative's status."""
        ...

    async def answer(self, alert: str, asked: AnswerAsked) -> object:
        """Says whether an alert was useful."""
        ...


class Deed(NamedTuple):
    """What somebody wants done."""

    action: Action
    alert: str
    """Its id."""
    by: str
    """Who, as they say, or as the chat names them."""
    via: str
    """`link` or `slack`."""
    receiver: str
    """Where the card stood."""
    said: str = ""
    """Why, or what a status rests on."""
    assignee: str = ""
    """Who looks after an acknowledged alert; "" for whoever acknowledged it."""


class Acts:
    """Does it, logs who did, and counts it."""

    def __init__(self, office: Doing, find: Find, clock: Clock, note: Note) -> None:
        self._office = office
        self._find = find
        self._clock = clock
        self._note = note

    async def alert(self, alert: str) -> Alert:
        """The alert of an id; raises RefusedError if there is none."""
        found = await self._find(alert)
        if found is None:
            raise refuse(404, "unknown_alert", words.PAGE["unknown_alert"])
        return found

    async def do(self, deed: Deed) -> str:
        """What was done, in a sentence; raises RefusedError where it was not."""
        fields = {"alert": deed.alert, "receiver": deed.receiver}
        try:
            await self._done(deed, await self.alert(deed.alert))
        except RefusedError as error:
            self._note(deed.action.value, deed.via, error.body.error)
            log.info("alert %s: %s by %s was refused: %s", *_logged(deed), error.body.error, extra=fields)
            raise
        self._note(deed.action.value, deed.via, "done")
        log.info("alert %s: %s by %s, from a card at %s", *_logged(deed), deed.receiver, extra=fields)
        return words.DONE[deed.action.value].format(by=harmless(deed.by, _SHOWN))

    async def _done(self, deed: Deed, alert: Alert) -> None:
        by, said = worded(deed.by, LONGEST_NAME), worded(deed.said, LONGEST_WORDS)
        if not by:
            raise refuse(400, "who", words.PAGE["who_needed"])
        match deed.action:
            case Action.ACKNOWLEDGE:
                await self._office.acknowledge(alert.id, by, worded(deed.assignee, LONGEST_NAME), said)
            case Action.SILENCE_30M | Action.SILENCE_2H:
                await self._office.silence(self._silence(deed.action, alert, by, said))
            case Action.CONFIRM | Action.DEBUNK:
                if not said:
                    raise refuse(400, "evidence", words.PAGE["evidence_needed"])
                asked = StatusAsked(status=STATUSES[deed.action], by=by, evidence=said)
                await self._office.set_status(alert.event, alert.narrative, asked)
            case Action.USEFUL | Action.NOT_USEFUL:
                asked_answer = AnswerAsked(useful=ANSWERS[deed.action], by=by, comment=said)
                await self._office.answer(alert.id, asked_answer)
            case _:
                assert_never(deed.action)

    def _silence(self, action: Action, alert: Alert, by: str, said: str) -> SilenceAsked:
        """Of the alert's narrative; of its rule where it is about none."""
        return SilenceAsked(
            event=alert.event,
            narrative=alert.narrative,
            rule="" if alert.narrative else alert.rule,
            owner=by,
            comment=said or words.PAGE["from_card"].format(alert=alert.id),
            expires_at=self._clock.now() + SILENCES[action],
        )


def worded(text: str, most: int) -> str:
    """What somebody typed, without space around it; raises RefusedError where it is too long or cannot be kept."""
    stripped = text.strip()
    if len(stripped) > most or "\0" in stripped:
        raise refuse(400, "too_long", words.PAGE["too_long"].format(most=most))
    return stripped


def _logged(deed: Deed) -> tuple[str, str, str]:
    return harmless(deed.alert, _SHOWN), deed.action.value, harmless(deed.by, _SHOWN)
