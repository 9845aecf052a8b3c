"""Receivers that keep a connection of their own and are told more than alerts: the daemon runs them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from random import Random

from monitor.alert.receivers.alertmanager import Alertmanager, Standing
from monitor.alert.receivers.mqtt import Mqtt
from monitor.alert.receivers.mqtt_link import Happened, Watched
from monitor.alert.receivers.receiver import Receiver
from monitor.clock import Clock
from monitor.metrics import Metrics
from monitor.records import Finding
from monitor.web.server import Health

Outlet = Mqtt | Alertmanager
"""What has more to do than to send."""


class Outlets:
    """Runs in a TaskGroup that it is given; `health` says how the daemon is, `standing` what a receiver has."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        *,
        metrics: Metrics,
        health: Callable[[], Health],
        standing: Standing,
        clock: Clock,
        chance: Random,
    ) -> None:
        self._tasks = tasks
        self._metrics = metrics
        self._health = health
        self._standing = standing
        self._clock = clock
        self._chance = chance
        self._running: dict[Outlet, asyncio.Event] = {}
        self._tasks_of: dict[asyncio.Task[None], Outlet] = {}

    def follow(self, receivers: Iterable[Receiver]) -> None:
        """Runs those of these receivers that keep a connection, and no others; to be called at every change."""
        wanted = [one for one in receivers if isinstance(one, Outlet)]
        for gone in [one for one in self._running if one not in wanted]:
            self._running.pop(gone).set()
        before = set(self._tasks_of)
        for new in [one for one in wanted if one not in self._running]:
            stop = self._running[new] = asyncio.Event()
            task = self._tasks.create_task(self._run(new, stop, before), name=f"keep receiver {new.name} connected")
            self._tasks_of[task] = new
            task.add_done_callback(self._tasks_of.pop)

    def stop(self) -> None:
        """They end once the sends in hand have ended."""
        self.follow(())

    def tell(self, findings: Sequence[Finding]) -> None:
        """What the judge found in a batch."""
        for one in self._running:
            if isinstance(one, Mqtt):
                one.tell(findings)

    async def _run(self, one: Outlet, stop: asyncio.Event, before: Iterable[asyncio.Task[None]]) -> None:
        """Once those that it replaces have taken leave: theirs must not be the last word."""
        ending = {task for task in before if self._tasks_of.get(task) not in self._running}
        if ending:
            await asyncio.wait(ending)
        if isinstance(one, Alertmanager):
            await one.run(stop, self._standing)
            return
        note = self._noting(one.name)
        await one.run(stop, watched=self._watched, note=note, clock=self._clock, chance=self._chance)

    def _watched(self) -> Watched:
        health = self._health()
        return Watched(health.store, {source.name: source.state for source in health.sources})

    def _noting(self, name: str) -> Callable[[Happened], None]:
        connected = self._metrics.receiver_connected.labels(name)
        connected.set(0)
        for reason in (Happened.FULL, Happened.REFUSED):
            self._metrics.findings_dropped.labels(name, reason.value)

        def note(happened: Happened) -> None:
            if happened in {Happened.FULL, Happened.REFUSED}:
                self._metrics.findings_dropped.labels(name, happened.value).inc()
            else:
                connected.set(happened is Happened.CONNECTED)

        return note
