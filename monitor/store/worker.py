"""The store for the event loop: every call runs on the worker thread, again and again while the store cannot be used.

A disk that is full, a file that is read-only for a while, a server that restarts: the call waits, the channel from the
sources fills, and the sources wait with it. Nothing was acknowledged, so nothing is lost.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import timedelta
from random import Random
from typing import ParamSpec, TypeVar

from monitor.clock import Clock
from monitor.errors import StoreError

FIRST_PAUSE = timedelta(milliseconds=250)
LONGEST_PAUSE = timedelta(seconds=5)

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


class StoreWorker:
    """Runs calls one at a time, in the order they are asked for; `note` hears whether the store can be used."""

    def __init__(
        self,
        worker: Executor,
        clock: Clock,
        chance: Random,
        note: Callable[[str], None] = lambda _: None,
        *,
        still: Callable[[], None] = lambda: None,
    ) -> None:
        """`note` is handed "" when the store works again, else why it does not.

        `still` is called at every try that the store failed: the thread is not stuck, it waits.
        """
        self._worker = worker
        self._clock = clock
        self._chance = chance
        self._note = note
        self._still = still
        self._failing = ""
        self._last_try = False

    @property
    def failing(self) -> str:
        """Why the store cannot be used now; "" if it can."""
        return self._failing

    def give_up(self) -> None:
        """From now on a call is tried once: the process is to stop."""
        self._last_try = True

    async def call(self, method: Callable[P, T], *args: P.args, **_: P.kwargs) -> T:
        """Runs a call until it succeeds. Raises StoreError where waiting does not help."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            try:
                result = await loop.run_in_executor(self._worker, method, *args)
            except StoreError as error:
                if not error.passes or self._last_try:
                    raise
                failures += 1
                self._told(str(error))
                self._still()
                longest = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(failures, 8)))
                await self._clock.sleep(longest * self._chance.uniform(0.5, 1.0))
            else:
                self._told("")
                return result

    def _told(self, why: str) -> None:
        if why and why != self._failing:
            log.error("the store cannot be used, sources wait: %s", why)
        elif not why and self._failing:
            log.warning("the store can be used again")
        if why != self._failing:
            self._failing = why
            self._note(why)
