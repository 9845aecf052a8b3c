"""Things that count once: a request that comes again within a window is known again."""

from datetime import datetime, timedelta

MOST = 10_000


class Once:
    """Remembers words for `window`; beyond `MOST` the oldest are forgotten."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._taken: dict[str, datetime] = {}

    def take(self, word: str, now: datetime) -> bool:
        """Whether the word is new; it is not from here on."""
        for old in [one for one, at in self._taken.items() if at + self._window < now]:
            del self._taken[old]
        if word in self._taken:
            return False
        if len(self._taken) >= MOST:
            del self._taken[next(iter(self._taken))]
        self._taken[word] = now
        return True

    def give_back(self, word: str) -> None:
        """It did not come to anything: it is new again."""
        self._taken.pop(word, None)
