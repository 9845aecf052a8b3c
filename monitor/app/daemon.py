"""The long-running process: sources, worker thread, delivery and web in one TaskGroup."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from importlib.metadata import PackageNotFoundError, version
from random import Random
from typing import TYPE_CHECKING, Self

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from monitor import settings
from monitor.alert.deliver import Deliverer
from monitor.alert.worker_outbox import WorkerOutbox
from monitor.app import observe
from monitor.app.build import collector, receiver
from monitor.app.desk import Desk, Taken
from monitor.clock import Clock
from monitor.collect.supervise import SourceState, supervise
from monitor.metrics import Metrics
from monitor.pipeline import Intake, drive
from monitor.store.store import Store
from monitor.web.server import Health, SourceHealth, serving

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger(__name__)


class Daemon:
    """One configuration at work."""

    def __init__(self, configured: settings.Settings, clock: Clock, chance: Random) -> None:
        """Opens the store and goes on where it left off; raises SettingsError and StoreError."""
        self._settings = configured
        self._clock = clock
        self._chance = chance
        self._store = Store(configured.store_url.reveal())
        self._desk = Desk(configured, self._store, clock)
        self._ready = False
        self._states: dict[str, SourceState] = {}
        self._seen: dict[str, datetime] = {}
        self._registry = CollectorRegistry()
        self._metrics = Metrics(self._registry, version=_version())
        self._metrics.expect(
            [source.name for source in configured.monitor.sources],
            [event.name for event in configured.events],
            [one.name for one in configured.monitor.receivers],
        )

    def __enter__(self) -> Self:
        """Is itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the store."""
        self._store.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop`: then sources end, the batch in hand is committed, and sends in hand get their grace."""
        limits = self._settings.monitor.pipeline
        intake = Intake(posts=limits.batch_posts, interval=limits.batch_interval, payloads=limits.queue)
        resume = self._store.resume_points()
        done = asyncio.Event()
        with ThreadPoolExecutor(1, "worker") as worker:
            async with ClientSession() as session, self._serving(), asyncio.TaskGroup() as tasks:
                deliverer = self._deliverer(session, worker)
                tasks.create_task(deliverer.run(done), name="deliver")
                work = drive(intake.batches(self._clock), self._desk.take, self._after(deliverer, intake), worker)
                batches = tasks.create_task(work, name="batches")
                sources = [
                    tasks.create_task(
                        supervise(
                            collector(source, self._clock),
                            resume.get(source.name),
                            intake.put,
                            self._note,
                            clock=self._clock,
                            chance=self._chance,
                        ),
                        name=f"source {source.name}",
                    )
                    for source in self._settings.monitor.sources
                ]
                self._ready = True
                log.info("watching %d events from %d sources", len(self._settings.events), len(sources))
                await stop.wait()
                for task in sources:
                    task.cancel()
                await intake.close()
                await batches
                done.set()
        log.info("stopped")

    def _serving(self) -> AbstractAsyncContextManager[int]:
        """Health and metrics while the daemon runs."""
        web, token = self._settings.monitor.web, self._settings.web_token
        word = token.reveal() if token else None
        return serving(web.host, web.port, health=self._health, registry=self._registry, token=word)

    def _health(self) -> Health:
        sources = tuple(
            SourceHealth(name=name, state=state.value, last_post_at=self._seen.get(name))
            for name, state in self._states.items()
        )
        return Health(ready=self._ready, at=self._clock.now(), sources=sources)

    def _note(self, name: str, state: SourceState) -> None:
        """A source's state, for health and metrics."""
        self._states[name] = state
        observe.source(self._metrics, name, state)

    def _deliverer(self, session: ClientSession, worker: ThreadPoolExecutor) -> Deliverer:
        secrets = self._settings.receiver_secrets
        receivers = [
            receiver(one, secrets.get(one.name), session, self._clock) for one in self._settings.monitor.receivers
        ]
        return Deliverer(
            WorkerOutbox(self._store, worker),
            receivers,
            self._clock,
            self._chance,
            observe=lambda made: observe.attempt(self._metrics, made),
        )

    def _after(self, deliverer: Deliverer, intake: Intake) -> Callable[[Taken], None]:
        def after(taken: Taken) -> None:
            observe.batch(self._metrics, taken)
            self._seen |= dict.fromkeys(taken.batch.posts["source"].unique(), taken.batch.upto)
            for event in self._settings.events:
                observe.race(self._metrics, event.name, self._desk.races(event.name))
            self._metrics.waiting.set(intake.waiting())
            if taken.queued:
                deliverer.wake()

        return after


def _version() -> str:
    try:
        return version("virality-monitor")
    except PackageNotFoundError:
        return "not installed"
