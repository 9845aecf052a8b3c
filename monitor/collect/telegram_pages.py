"""What a channel says when it is asked, whichever way Telegram is read."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from monitor.collect.news import Document
from monitor.collect.telegram_page import number


class Page(NamedTuple):
    """Messages of a channel that follow each other, but for those that were deleted."""

    body: bytes
    documents: Sequence[Document]
    """The oldest first."""
    whole: bool
    """Every message on it was read."""
    edited: Sequence[Document] = ()
    """Messages that Telegram says were edited meanwhile; they are in the body too."""
    gone: Sequence[str] = ()
    """Messages that Telegram says were deleted meanwhile."""
    others: Sequence[int] = ()
    """The numbers of what is on it and no message, as a pin is."""

    @property
    def first(self) -> int:
        """The lowest number on it, 0 where it has none."""
        return min(self._numbers(), default=0)

    @property
    def last(self) -> int:
        """The highest number on it, 0 where it has none."""
        return max(self._numbers(), default=0)

    def _numbers(self) -> list[int]:
        return [*self.others, *(number(one["id"]) for one in self.documents)]

    def lacks(self, name: str) -> bool:
        """Whether this message would be on it, as the newest page of its channel, were it not deleted."""
        return self.whole and 0 < self.first <= number(name) and all(one["id"] != name for one in self.documents)


class Pages(Protocol):
    """Reads channels."""

    async def page(self, channel: str, after: int | None = None, before: int | None = None) -> Page:
        """The newest messages, or those right after a number, or right before one (0: the newest, as history).

        Raises SourceUnavailableError, and SourceRefusedError where the channel is not to be had.
        """
        ...


Opens = Callable[[], AbstractAsyncContextManager[Pages]]
"""Pages, as long as the context lasts."""
