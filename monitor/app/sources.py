"""The sources at work: one supervised task each, started, stopped and exchanged by name."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from random import Random

import polars as pl

from monitor import settings
from monitor.app import observe
from monitor.app.build import collector
from monitor.clock import Clock
from monitor.collect.refresh import MOST, Hot, Refresher, refreshing
from monitor.collect.supervise import Put, SourceState, supervise
from monitor.collect.terms import Events
from monitor.metrics import Metrics
from monitor.web.server import SourceHealth


class Sources:
    """Runs in a TaskGroup that it is given; every change of state shows in the metrics."""

    def __init__(
        self, tasks: asyncio.TaskGroup, put: Put, clock: Clock, chance: Random, metrics: Metrics, *, events: Events
    ) -> None:
        self._tasks = tasks
        self._put = put
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        self._events = events
        self._hot = Hot(clock)
        self._refreshing: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._states: dict[str, SourceState] = {}
        self._seen: dict[str, datetime] = {}

    def refill(self, recent: Callable[[int], pl.DataFrame]) -> None:
        """What was hot before the start is read again; `recent` gives so many of the last mentions (CLUSTERED)."""
        self._hot.refill(recent(MOST))

    def start(
        self,
        sources: Iterable[settings.Source],
        secrets: Mapping[str, settings.Secret],
        resume: Mapping[str, str],
    ) -> None:
        """Starts sources, each behind its resume point."""
        for source in sources:
            made = collector(source, secrets.get(source.name), self._clock, self._metrics, self._events)
            if isinstance(made, Refresher):
                stands = partial(self._stands, source.name)
                again = refreshing(made, self._hot, self._put, self._clock, stands=stands)
                self._refreshing[source.name] = self._tasks.create_task(again, name=f"refresh {source.name}")
            work = supervise(
                made,
                resume.get(source.name),
                self._put,
                self._note,
                clock=self._clock,
                chance=self._chance,
            )
            self._running[source.name] = self._tasks.create_task(work, name=f"source {source.name}")

    def _stands(self, name: str) -> bool:
        """Nothing is read again, nor paid for, while a source is refused."""
        return self._states.get(name) is not SourceState.REFUSED

    async def stop(self, names: Iterable[str]) -> None:
        """Ends sources and waits until they have ended."""
        names = list(names)
        ending = [self._running.pop(name) for name in names if name in self._running]
        ending += [self._refreshing.pop(name) for name in names if name in self._refreshing]
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    def refused(self) -> set[str]:
        """Those that were refused, and wait to be started anew."""
        return {name for name, state in self._states.items() if state is SourceState.REFUSED}

    def forget(self, names: Iterable[str]) -> None:
        """These sources are no longer configured."""
        for name in names:
            self._states.pop(name, None)
            self._seen.pop(name, None)

    async def stop_all(self) -> None:
        """Ends every source."""
        await self.stop(list(self._running))

    def seen(self, names: Iterable[str], at: datetime, mentions: pl.DataFrame) -> None:
        """Posts of these sources arrived, and these mentions (CLUSTERED) among them."""
        self._seen |= dict.fromkeys(names, at)
        self._hot.take(mentions)

    def health(self) -> tuple[SourceHealth, ...]:
        """How each is doing."""
        return tuple(
            SourceHealth(name=name, state=state.value, last_post_at=self._seen.get(name))
            for name, state in self._states.items()
        )

    def _note(self, name: str, state: SourceState) -> None:
        self._states[name] = state
        observe.source(self._metrics, name, state)
