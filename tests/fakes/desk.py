"""An office that only notes what it is asked to do, and alerts to do it to."""

import asyncio
from typing import Any

from monitor.alert.links import Links
from monitor.clock import Clock
from monitor.records import Alert
from monitor.watched import Duration
from monitor.web.acting import Acts
from monitor.web.bodies import AnswerAsked, SilenceAsked, StatusAsked
from monitor.web.refused import RefusedError  # noqa: TC001 -- read when the class is made
from tests.fakes.alerts import an_alert

KEY = b"0123456789abcdef0123456789abcdef"
LINKS = Links("https://monitor.example.org", KEY, Duration(days=2))


class FakeDesk:
    """Implements `monitor.web.acting.Doing`."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.refusals: list[RefusedError] = []
        """Raised first, one to a call."""
        self.noted: list[tuple[str, str, str]] = []
        self.alerts = {"a1": an_alert()}

        self.open = asyncio.Event()
        """Cleared, nothing is done yet."""
        self.open.set()

    def acts(self, clock: Clock) -> Acts:
        async def find(alert: str) -> Alert | None:
            return self.alerts.get(alert)

        return Acts(self, find, clock, lambda *note: self.noted.append(note))

    async def _do(self, *deed: object) -> None:
        await self.open.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        self.done.append(deed)

    async def acknowledge(self, alert: str, by: str, assignee: str = "", comment: str = "") -> None:
        await self._do("acknowledge", alert, by, assignee, comment)

    async def silence(self, asked: SilenceAsked) -> None:
        await self._do("silence", asked)

    async def set_status(self, event: str, narrative: str, asked: StatusAsked) -> None:
        await self._do("status", event, narrative, asked.status.value, asked.by, asked.evidence)

    async def answer(self, alert: str, asked: AnswerAsked) -> None:
        await self._do("answer", alert, asked.useful, asked.by, asked.comment)
