"""The long-running process: sources, worker thread, delivery and web in one TaskGroup."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack, closing
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple, Self

from aiohttp import ClientSession

from monitor import settings
from monitor.alert.deliver import Deliverer
from monitor.alert.worker_outbox import WorkerOutbox
from monitor.app import observe
from monitor.app.actions import acting
from monitor.app.batches import Batches
from monitor.app.build import calm_of, receivers
from monitor.app.desk import Desk
from monitor.app.door import door, let_in
from monitor.app.hands import Hands
from monitor.app.office import DaemonOffice
from monitor.app.outlets import Outlets
from monitor.app.parts import Committed, Taken
from monitor.app.reload import Changes, applicable, changes
from monitor.app.retention import retaining
from monitor.app.service import ServiceReports
from monitor.app.sizes import measuring
from monitor.app.sources import Sources
from monitor.app.version import installed_version
from monitor.app.walked import Prepared
from monitor.clock import Clock
from monitor.errors import SettingsError
from monitor.marks import AWAY, GapMark
from monitor.pipeline import Intake, drive
from monitor.settings.checks import ALERTING
from monitor.store.in_hand import InHand
from monitor.store.reader import Reader
from monitor.store.sole import sole
from monitor.store.store import Store
from monitor.store.worker import StoreWorker
from monitor.watched import Event
from monitor.web.server import Health, serving

BRIDGED = timedelta(minutes=1)
"""A pause between two runs up to which sources make good for it in time: their posts still count."""
CHANGED = "the source's settings were changed"
"""Why a source was blind while it was exchanged."""

log = logging.getLogger(__name__)


class _Run(NamedTuple):
    """What is there only while it runs."""

    session: ClientSession
    deliverer: Deliverer
    sources: Sources
    outlets: Outlets


class Daemon:
    """A configuration at work."""

    def __init__(
        self,
        configured: settings.Settings,
        clock: Clock,
        chance: Random,
        *,
        reread: Callable[[], settings.Settings] | None = None,
    ) -> None:
        """Opens the store and goes on where it left off; raises SettingsError and StoreError.

        `reread` reads the configuration anew for `reload`; it runs in a thread and may raise SettingsError.
        """
        self._reread = reread or (lambda: configured)
        self._settings = configured
        self._clock = clock
        self._chance = chance
        self._registry, self._metrics = observe.begun(configured)
        with ExitStack() as opened:
            opened.enter_context(closing(sole(configured.store_url.reveal())))
            self._store = opened.enter_context(Store(configured.store_url.reveal()))
            in_hand = opened.enter_context(closing(InHand(Path(configured.monitor.pipeline.in_hand))))
            self._desk = Desk(configured, self._store, in_hand, clock, self._metrics)
            self._opened = opened.pop_all()
        self._metrics.clock.set_function(lambda: clock.now().timestamp())
        limits = configured.monitor.pipeline
        self._intake = Intake(posts=limits.batch_posts, interval=limits.batch_interval, most_posts=limits.queue_posts)
        self._metrics.waiting.set_function(self._intake.waiting)
        self._metrics.tasks.set_function(lambda: len(asyncio.all_tasks()))
        self._pool = ThreadPoolExecutor(1, "worker")
        self._service = ServiceReports(configured.service, clock)
        self._worker = StoreWorker(
            self._pool,
            clock,
            chance,
            lambda why: self._metrics.store_up.set(not why),
            still=self._service.alive,
        )
        self._reader = self._opened.enter_context(Reader(configured.store_url.reveal()))
        self._ingest = door(configured, self._intake, self._reader, clock, self._metrics)
        self._batches = Batches(self._worker, self._desk, self._metrics, self._told)
        self._reloading = asyncio.Lock()
        self._run: _Run | None = None
        self._started = asyncio.Event()
        self._stopping = False

    def __enter__(self) -> Self:
        """Is itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the store."""
        self._pool.shutdown()
        self._opened.close()
        self._service.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop`: then what came so far is committed, sources end, and sends in hand get their grace."""
        resume = self._store.resume_points()
        await self._note_downtime()
        done = asyncio.Event()
        async with ClientSession() as session, self._serving(session), asyncio.TaskGroup() as tasks:
            deliverer = self._deliverer(session)
            tasks.create_task(deliverer.run(done), name="deliver")
            tasks.create_task(retaining(self._hands(), self._store, self._batches.between, done), name="retention")
            url = self._settings.store_url.reveal()
            tasks.create_task(measuring(self._hands(), url, done), name="size of the store")
            work = drive(self._intake.batches(self._clock), self._batches.work)
            batches = tasks.create_task(work, name="batches")
            sources = Sources(tasks, self._intake.put, self._clock, self._chance, self._metrics, events=self._watched)
            outlets = Outlets(
                tasks,
                metrics=self._metrics,
                health=self._health,
                standing=lambda name: self._worker.call(self._store.standing, name),
                clock=self._clock,
                chance=self._chance,
            )
            outlets.follow(deliverer.receivers)
            self._run = _Run(session, deliverer, sources, outlets)
            watched = self._settings.monitor.sources
            sources.refill(self._store.recent_mentions)
            sources.start(watched, self._settings.source_secrets, resume)
            log.info("watching %d events from %d sources", len(self._settings.events), len(watched))
            self._started.set()
            self._service.ready()
            self._service.status(f"watching {len(self._settings.events)} events from {len(watched)} sources")
            await stop.wait()
            self._service.stopping()
            self._worker.give_up()
            async with self._reloading:
                self._stopping = True
            self._intake.close()
            await batches  # the sources are still there: what is committed now is acknowledged to them
            await sources.stop_all()
            done.set()
            outlets.stop()
        log.info("stopped")

    async def reload(self) -> tuple[str, ...]:
        """Reads the configuration anew and goes on under it; every mistake if it is not good, and then nothing changes.

        All that can fail comes first, then one exchange between two batches. One reload at a time, none before all has
        started.
        """
        await self._started.wait()
        async with self._reloading:
            if self._stopping:
                return ("the monitor is stopping; the configuration is read at its next start",)
            self._service.reloading()
            try:
                new = applicable(self._settings, read := await asyncio.to_thread(self._reread))
                prepared = await self._worker.call(self._desk.prepared, new)
            except SettingsError as error:
                self._metrics.reloads.labels("refused").inc()
                self._metrics.reloaded.set(0)
                log.error("reload refused, the old configuration goes on: %s", "; ".join(error.mistakes))  # noqa: TRY400 -- expected
                self._service.ready()
                return error.mistakes
            differs = changes(self._settings, read)
            await self._exchange(new, prepared, differs)
            self._metrics.reloads.labels("applied").inc()
            self._metrics.reloaded.set(1)
            self._metrics.reloaded_at.set(self._clock.now().timestamp())
            self._service.ready()
            log.info("reloaded: %s", differs)
            return ()

    async def _exchange(self, new: settings.Settings, prepared: Prepared, differs: Changes) -> None:
        """From one configuration to the next, while posts go on coming in."""
        running = self._run
        if running is None:
            return
        again = {*differs.sources.changed, *running.sources.refused()} - {*differs.sources.removed}
        ending = [*differs.sources.removed, *again]
        stopped_at = self._clock.now()
        self._ingest.pause(ending)
        await running.sources.stop(ending)
        if ending:
            await self._intake.flushed()
        async with self._batches.between:
            resume = await self._worker.call(self._desk.reconfigure, new, prepared)
            self._settings = new
        let_in(self._ingest, new)
        running.sources.forget(differs.sources.removed)
        self._metrics.forget(differs.sources.removed, differs.events.removed, differs.receivers.removed)
        self._metrics.expect(differs.sources.added, differs.events.added, differs.receivers.added, ALERTING)
        starting = {*differs.sources.added, *again}
        running.sources.start(
            [source for source in new.monitor.sources if source.name in starting], new.source_secrets, resume
        )
        for name in differs.sources.changed:
            gap = GapMark(source=name, begins=stopped_at, ends=self._clock.now(), why=CHANGED)
            await self._intake.put(gap)
        fresh = {*differs.receivers.added, *differs.receivers.changed}
        kept = [one.name for one in new.monitor.receivers if one.name not in fresh]
        await running.deliverer.exchange(receivers(new, running.session, self._clock), kept)
        running.outlets.follow(running.deliverer.receivers)

    async def _note_downtime(self) -> None:
        """Nothing was seen since the last run: that is a gap of every source, not a quiet time."""
        now = self._clock.now()
        if self._desk.upto is not None and self._desk.upto + BRIDGED < now:
            for source in self._settings.monitor.sources:
                await self._intake.put(GapMark(source=source.name, begins=self._desk.upto, ends=now, why=AWAY))

    def _told(self, taken: Taken, committed: Committed) -> None:  # noqa: ARG002 -- what others are told of a batch
        """What the world outside is told of a batch."""
        self._service.alive()
        if self._run is not None:
            sources = taken.batch.posts["source"].unique()
            self._run.sources.seen(sources, taken.batch.upto, taken.walked.mentions)
            self._run.outlets.tell(taken.walked.judged.findings)
            if taken.commit.outbox:
                self._run.deliverer.wake()

    def _serving(self, session: ClientSession) -> AbstractAsyncContextManager[int]:
        """Health and metrics while the daemon runs."""
        web, token = self._settings.monitor.web, self._settings.web_token
        office = DaemonOffice(hands := self._hands())
        return serving(
            web.host,
            web.port,
            health=self._health,
            registry=self._registry,
            token=token.reveal() if token else None,
            clock=self._clock,
            ingest=self._ingest,
            office=office,
            signed=acting(hands, office, session),
            version=installed_version(),
        )

    def _hands(self) -> Hands:
        """What the JSON API works with."""
        return Hands(
            configured=lambda: self._settings,
            health=lambda: self._run.sources.health() if self._run is not None else (),
            intake=self._intake,
            worker=self._worker,
            desk=self._desk,
            reader=self._reader,
            clock=self._clock,
            reload=self.reload,
            metrics=self._metrics,
            wake=lambda: self._run.deliverer.wake() if self._run is not None else None,
        )

    def _health(self) -> Health:
        return Health(
            ready=self._run is not None and not self._worker.failing,
            at=self._clock.now(),
            store=self._worker.failing or "good",
            sources=self._run.sources.health() if self._run is not None else (),
        )

    def _watched(self) -> tuple[Event, ...]:
        """The events that are watched now."""
        return self._settings.events

    def _deliverer(self, session: ClientSession) -> Deliverer:
        return Deliverer(
            WorkerOutbox(self._store, self._worker),
            receivers(self._settings, session, self._clock),
            self._clock,
            self._chance,
            observe=lambda made: observe.attempt(self._metrics, made),
            calm=lambda name: calm_of(self._settings.monitor.receivers, name),
        )
