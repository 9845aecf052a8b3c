"""Plays a scenario through the real walk, store, outbox and webhook receiver, at a pace, to a chat of its own."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import polars as pl
from aiohttp import ClientSession

from monitor.alert.deliver import Deliverer
from monitor.alert.outbox import notifications
from monitor.alert.receivers.webhook import Webhook, WebhookSettings
from monitor.alert.worker_outbox import WorkerOutbox
from monitor.app import Walk
from monitor.clock import Clock
from monitor.collect.post1 import decode
from monitor.demo import scenario, story
from monitor.demo.board import Board, Step
from monitor.demo.chat import Chat
from monitor.demo.recording import write_ndjson
from monitor.demo.score import Score
from monitor.frames import ORDER, Batch
from monitor.records import AlertState
from monitor.settings import load_event
from monitor.store.store import Commit, Store
from monitor.store.worker import StoreWorker
from monitor.watched import Event

EVENTS = Path(__file__).parents[2] / "config" / "demo" / "events"
CHAT = "newsroom-chat"
"""The receiver's name."""
LASTS = timedelta(hours=1)
PATIENCE = timedelta(seconds=10)
"""How long the story waits for the chat after an alert."""
WHOLE_STORY = timedelta(minutes=2)
"""What a story takes unless a speed is given."""
FRAME = timedelta(milliseconds=250)
"""A step of the story takes this long on the wall,"""
LEAST_STEP = timedelta(seconds=1)
MOST_STEP = timedelta(hours=1)
"""… and is this long where nothing holds it back,"""
MOST_POSTS = 1_000
"""… or shorter, to hold about so many posts."""


class Script(NamedTuple):
    """A scenario as it will be played."""

    event: Event
    posts: pl.DataFrame
    """POSTS, in ORDER."""
    truth: pl.DataFrame
    """platform, id, seen_at and the TRUTH columns."""
    begins: datetime
    ends: datetime


class Outcome(NamedTuple):
    """What came of it."""

    script: Script
    board: Board
    score: Score
    chat: Chat
    queued: int
    """Notifications put into the outbox."""
    steps: int
    busy: float
    """Seconds of walking and archiving them."""
    finished: bool
    """False where it was stopped before the story's end."""


def write(name: str, seed: int, posts: int | None = None) -> Script:
    """Generates a scenario and takes it in as post/1 documents, like any other source; KeyError for an unknown name."""
    frame = scenario.generate(name, seed, posts)
    plan = story.load(name)
    with tempfile.TemporaryDirectory(prefix="monitor-demo-") as folder:
        path = Path(folder) / "posts.ndjson"
        write_ndjson(frame, path)
        decoded = decode(path.read_bytes(), "demo")
    truth = frame.select("platform", "id", "seen_at", *scenario.TRUTH)
    ends = plan.begins + timedelta(hours=plan.hours)
    event = load_event(EVENTS / f"{plan.event}.toml")
    return Script(event, decoded.posts.sort(ORDER), truth, plan.begins, ends)


def batches(script: Script, step: timedelta) -> Iterator[Batch]:
    """The story in steps of seen time; the last one holds what was seen after its end."""
    seen = script.posts["seen_at"]
    at, row = script.begins, 0
    while at < script.ends:
        at = min(script.begins + ((at - script.begins) // step + 1) * step, script.ends)
        if row + MOST_POSTS < len(seen):
            at = min(at, seen[row + MOST_POSTS].replace(microsecond=0) + LEAST_STEP)
        end = len(seen) if at == script.ends else int(seen.search_sorted(at))
        posts, row = script.posts[row:end], end
        yield Batch(posts, max([at, *(posts["seen_at"].tail(1) + LEAST_STEP)]) if at == script.ends else at)


def step_of(speed: float | None) -> timedelta:
    """How much of the story one batch holds at `speed` times real time; None is as fast as it goes."""
    return MOST_STEP if speed is None else min(max(speed * FRAME, LEAST_STEP), MOST_STEP)


class Taken(NamedTuple):
    """What the worker thread hands back."""

    step: Step
    queued: int
    """Notifications put into the outbox."""
    took: float
    """Seconds of work."""


class Desk:
    """The walk and the store behind it; `take` runs on the worker thread."""

    def __init__(self, event: Event, walk: Walk, store: Store, clock: Clock) -> None:
        self._event = event
        self._walk = walk
        self._store = store
        self._clock = clock
        self._known: set[str] = set()

    def take(self, batch: Batch) -> Taken:
        """Walks a batch and commits all it left in one transaction."""
        began = self._clock.monotonic()
        walked = self._walk(batch)
        told = [alert for alert in walked.alerts if alert.state is not AlertState.PENDING and not alert.silenced]
        rows = [row for alert in told for row in notifications(alert, {CHAT: LASTS}, self._clock.now())]
        self._store.commit(Commit(mentions=walked.mentions, state=walked.state, alerts=walked.alerts, outbox=rows))
        took = self._clock.monotonic() - began
        new = set(walked.mentions["narrative"].drop_nulls().unique()) - self._known
        self._known |= new
        labels = {name: self._walk.label(self._event.name, name) for name in new}
        return Taken(Step(batch.posts, walked, self._walk.races(self._event.name), labels), len(rows), took)


class Play:
    """One performance of a script."""

    def __init__(self, script: Script, walk: Walk, *, speed: float | None, clock: Clock) -> None:
        """`walk` has seen nothing yet; `speed`: times real time, None as fast as it goes."""
        self.script = script
        self.board = Board(script.event.proposition, script.begins, script.ends)
        self.score = Score(script.truth)
        self._walk = walk
        self._speed = speed
        self._clock = clock
        self._queued = 0
        self._steps = 0
        self._busy = 0.0

    async def run(self, archive: Path, watch: Callable[[Board], None], stop: asyncio.Event) -> Outcome:
        """Plays to the end, or until `stop`; tells `watch` after every step. `archive` is a new SQLite file."""
        word = secrets.token_hex(16)
        ending = asyncio.Event()
        with Store(f"sqlite:///{archive}") as store, ThreadPoolExecutor(1, "worker") as worker:
            desk = Desk(self.script.event, self._walk, store, self._clock)
            async with Chat(word) as chat, ClientSession() as session, asyncio.TaskGroup() as tasks:
                settings = WebhookSettings(name=CHAT, url=chat.url)
                webhook = Webhook(settings, word.encode(), session, self._clock)
                outbox = WorkerOutbox(store, StoreWorker(worker, self._clock, Random(0)))
                deliverer = Deliverer(outbox, [webhook], self._clock, Random(0))
                tasks.create_task(deliverer.run(ending), name="deliver")
                async for batch in self._paced():
                    taken = await asyncio.get_running_loop().run_in_executor(worker, desk.take, batch)
                    self._take(taken)
                    if taken.queued:
                        deliverer.wake()
                        await chat.has(self._queued, within=PATIENCE)
                    self.board.show([message.text for message in chat.messages])
                    watch(self.board)
                    if stop.is_set():
                        break
                ending.set()
        finished = self.board.now >= self.script.ends
        return Outcome(self.script, self.board, self.score, chat, self._queued, self._steps, self._busy, finished)

    def _take(self, taken: Taken) -> None:
        self.board.add(taken.step)
        self.score.add(taken.step.walked.mentions)
        self._queued += taken.queued
        self._steps += 1
        self._busy += taken.took

    async def _paced(self) -> AsyncIterator[Batch]:
        """Each step of the story when its time has come."""
        began = self._clock.monotonic()
        for batch in batches(self.script, step_of(self._speed)):
            if self._speed is not None:
                ahead = (batch.upto - self.script.begins).total_seconds() / self._speed
                await self._clock.sleep(timedelta(seconds=max(0.0, ahead - self._clock.monotonic() + began)))
            yield batch
