"""What is established about a narrative: set by editors and registered voices, through marks in the stream."""

from monitor.marks import Status, StatusMark

SETTLED = frozenset({Status.CONFIRMED, Status.DENIED, Status.DEBUNKED})


class Statuses:
    """The last mark of every narrative that has one."""

    def __init__(self) -> None:
        self._marks: dict[tuple[str, str], StatusMark] = {}
        self._changed: dict[tuple[str, str], StatusMark] = {}

    def set(self, mark: StatusMark) -> bool:
        """Takes the next mark of the stream; False where what was set before stands against it."""
        if not mark.overturns(self._marks.get((mark.event, mark.narrative))):
            return False
        self._marks[mark.event, mark.narrative] = mark
        self._changed[mark.event, mark.narrative] = mark
        return True

    def of(self, event: str, narrative: str) -> Status:
        """The status of a narrative; unconfirmed until somebody says otherwise."""
        mark = self._marks.get((event, narrative))
        return mark.status if mark else Status.UNCONFIRMED

    def standing(self, event: str) -> list[StatusMark]:
        """The mark of each of the event's narratives that has one, also from before the event was removed."""
        return [mark for (name, _), mark in sorted(self._marks.items()) if name == event]

    def settled(self, event: str, narrative: str) -> bool:
        """Whether the narrative is confirmed, denied or debunked."""
        return self.of(event, narrative) in SETTLED

    def changed(self) -> list[StatusMark]:
        """The marks that were set since the last call."""
        marks = list(self._changed.values())
        self._changed.clear()
        return marks
