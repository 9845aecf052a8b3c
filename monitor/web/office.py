"""What the JSON API asks of the monitor; `monitor.app.office` answers.

Every method raises RefusedError where the answer is no. What changes something returns after the commit.
"""

from typing import Protocol

from monitor.alert.export import Brief
from monitor.marks import AckMark, Correction, MergeMark, Silence, SplitMark, StatusMark
from monitor.records import AlertState, Answer
from monitor.web.bodies import (
    AlertList,
    AnswerAsked,
    AnswerList,
    EventChange,
    EventFile,
    EventList,
    GapList,
    LabelAsked,
    LabelList,
    NarrativeList,
    NarrativeRow,
    Preview,
    SilenceAsked,
    SilenceList,
    SourceList,
    StatusAsked,
    StatusList,
)
from monitor.web.check_bodies import CheckList
from monitor.web.letters import LetterOffice
from monitor.web.ruling_bodies import MergeAsked, RulingList, SplitAsked, SuggestionList


class Office(Protocol):
    """The monitor as people see and change it."""

    @property
    def letters(self) -> LetterOffice:
        """What could not be delivered."""
        ...

    async def sources(self) -> SourceList:
        """How the sources are doing."""
        ...

    async def checks(self, limit: int) -> CheckList:
        """What fact-checkers said last."""
        ...

    async def gaps(self, limit: int) -> GapList:
        """When sources were blind."""
        ...

    async def alerts(self, state: AlertState | None, limit: int) -> AlertList:
        """The newest alerts, of one state if named."""
        ...

    async def brief(self, alert: str, *, authors: bool) -> Brief:
        """What fired, and on what evidence."""
        ...

    async def answers(self, limit: int) -> AnswerList:
        """Which alerts were useful."""
        ...

    async def answer(self, alert: str, asked: AnswerAsked) -> Answer:
        """Says whether an alert was useful."""
        ...

    async def acknowledge(self, alert: str, by: str, assignee: str = "", comment: str = "") -> AckMark:
        """Takes a firing alert on, with all that share its card."""
        ...

    async def events(self) -> EventList:
        """The watched events."""
        ...

    async def event(self, name: str) -> EventFile:
        """One event's file."""
        ...

    async def preview(self, toml: str, most: int) -> Preview:
        """What an event file would match in the archive."""
        ...

    async def add_event(self, toml: str, *, replace: bool) -> EventChange:
        """Watches an event from now on."""
        ...

    async def remove_event(self, name: str) -> EventChange:
        """Watches it no more."""
        ...

    async def narratives(self, event: str, limit: int) -> NarrativeList:
        """What is asserted about an event."""
        ...

    async def narrative(self, event: str, narrative: str) -> NarrativeRow:
        """One narrative."""
        ...

    async def suggestions(self, event: str, limit: int) -> SuggestionList:
        """Narratives that may be one."""
        ...

    async def merge(self, event: str, asked: MergeAsked) -> MergeMark:
        """Two narratives are one from now on."""
        ...

    async def split(self, event: str, asked: SplitAsked) -> SplitMark:
        """Parts what was one narrative."""
        ...

    async def rulings(self, limit: int) -> RulingList:
        """Every merge and split of narratives."""
        ...

    async def statuses(self, limit: int) -> StatusList:
        """Every status that was set."""
        ...

    async def set_status(self, event: str, narrative: str, asked: StatusAsked) -> StatusMark:
        """Sets a narrative's status."""
        ...

    async def silences(self) -> SilenceList:
        """Silences that have not expired."""
        ...

    async def silence(self, asked: SilenceAsked) -> Silence:
        """Silences alerts."""
        ...

    async def expire(self, silence: str) -> Silence:
        """Ends a silence now."""
        ...

    async def labels(self, limit: int) -> LabelList:
        """Every label that was given."""
        ...

    async def label(self, asked: LabelAsked) -> Correction:
        """Gives a mention another tag."""
        ...
