"""What is established about a narrative: set by editors and registered voices, through marks in the stream."""

from collections.abc import Iterable

import msgspec

from monitor.marks import MergeMark, Status, StatusMark

SETTLED = frozenset({Status.CONFIRMED, Status.DENIED, Status.DEBUNKED})
MOST = 10_000
"""Narratives of an event whose status is remembered; that which was set longest ago gives way."""


class Statuses:
    """The last mark of every narrative that has one."""

    def __init__(self) -> None:
        self._marks: dict[str, dict[str, StatusMark]] = {}
        """Event → narrative → mark, in the order in which they were set."""
        self._changed: dict[tuple[str, str], StatusMark | None] = {}

    def set(self, mark: StatusMark) -> bool:
        """Takes the next mark of the stream; False where what was set before stands against it."""
        own = self._marks.setdefault(mark.event, {})
        if not mark.overturns(own.get(mark.narrative)):
            return False
        own.pop(mark.narrative, None)
        own[mark.narrative] = mark
        self._changed[mark.event, mark.narrative] = mark
        if len(own) > MOST:
            oldest = next(iter(own))
            del own[oldest]
            self._changed[mark.event, oldest] = None
        return True

    def mark(self, event: str, narrative: str) -> StatusMark | None:
        """The mark that stands."""
        return self._marks.get(event, {}).get(narrative)

    def of(self, event: str, narrative: str) -> Status:
        """The status of a narrative; unconfirmed until somebody says otherwise."""
        mark = self.mark(event, narrative)
        return mark.status if mark else Status.UNCONFIRMED

    def standing(self, event: str) -> list[StatusMark]:
        """The mark of each of the event's narratives that has one, also from before the event was removed."""
        return [mark for _, mark in sorted(self._marks.get(event, {}).items())]

    def settled(self, event: str, narrative: str) -> bool:
        """Whether the narrative is confirmed, denied or debunked."""
        return self.of(event, narrative) in SETTLED

    def restore(self, marks: Iterable[StatusMark]) -> None:
        """Takes up what was set before, in any order."""
        for mark in sorted(marks, key=lambda mark: (mark.at, mark.narrative)):
            self._marks.setdefault(mark.event, {})[mark.narrative] = mark

    def changed(self) -> dict[tuple[str, str], StatusMark | None]:
        """Event and narrative → the mark that was set since the last call; None: it is forgotten."""
        marks = self._changed
        self._changed = {}
        return marks

    def followed(self, marks: Iterable[tuple[int, StatusMark | MergeMark]]) -> list[tuple[int, StatusMark | MergeMark]]:
        """Marks in order of time, and with each merge what was established of the narrative: it holds of the other."""
        found: list[tuple[int, StatusMark | MergeMark]] = []
        now: dict[tuple[str, str], StatusMark | None] = {}
        for at, mark in marks:
            found.append((at, mark))
            before = now.get((mark.event, mark.narrative), self.mark(mark.event, mark.narrative))
            if isinstance(mark, StatusMark):
                now[mark.event, mark.narrative] = mark if mark.overturns(before) else before
            elif before is not None and before.status in SETTLED:
                other = msgspec.structs.replace(before, narrative=mark.into, at=mark.at)
                found.append((at, other))
                standing = now.get((mark.event, mark.into), self.mark(mark.event, mark.into))
                now[mark.event, mark.into] = other if other.overturns(standing) else standing
        return found
