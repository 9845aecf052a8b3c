"""Brings what the outbox holds to the receivers: retries, deadlines, dead letters, quiet hours and digests.

One task per receiver, so that one that hangs holds nobody else up, and each at the pace that its channel takes. A
notification leaves at least once: if the process dies between a send and its mark, it leaves again under the same key.
Where the other side knows no keys, that an attempt begins is written down before it, so that one whose outcome nobody
knows is followed by a message that says so.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from monitor.alert.bucket import Bucket
from monitor.alert.calm import HOUR, Calm
from monitor.alert.outbox_port import OutboxPort
from monitor.alert.receivers.receiver import Reason, Receiver
from monitor.clock import Clock, first_of
from monitor.errors import DeliveryError
from monitor.records import Notification
from monitor.store.queue import Queued
from monitor.store.withdrawn import Attempted

_AT_ONCE = 50  # rows asked of the outbox
_LONGEST_PAUSE = timedelta(hours=1)
_WHENEVER = datetime.max.replace(tzinfo=UTC)


class Backoff(NamedTuple):
    """How long to wait after a failure: anything from zero to `first`, doubled at each, at most `longest`."""

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=5)

    def wait(self, attempts: int, rng: Random) -> float:
        """Seconds until the next attempt after `attempts` that failed before this one (full jitter)."""
        ceiling = min(self.longest.total_seconds(), self.first.total_seconds() * 2.0 ** min(attempts, 64))
        return rng.uniform(0.0, ceiling)


class Outcome(StrEnum):
    """What became of an attempt."""

    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"
    HELD = "held"
    """Back for a digest."""


class Attempt(NamedTuple):
    """One attempt, for metrics; `reason` is a word of `Reason`, or "" if it was sent."""

    receiver: str
    outcome: Outcome
    reason: str
    took: timedelta
    """Zero where nothing was sent."""
    repeat: bool = False
    """It was marked as a possible repeat."""


class Deliverer:
    """Serves every receiver from the outbox until it is told to stop."""

    def __init__(
        self,
        outbox: OutboxPort,
        receivers: Sequence[Receiver],
        clock: Clock,
        rng: Random,
        *,
        observe: Callable[[Attempt], None] = lambda _: None,
        backoff: Backoff = Backoff(),  # noqa: B008  a NamedTuple does not change
        grace: timedelta = timedelta(seconds=5),
        calm: Callable[[str], Calm | None] = lambda _: None,
    ) -> None:
        """`observe` hears of every attempt; `grace` is what a send in hand may still take after the stop.

        `calm`: receiver → when it is left in peace, as it is configured now.
        """
        self._outbox = outbox
        self._receivers = {receiver.name: receiver for receiver in receivers}
        self._clock = clock
        self._rng = rng
        self._observe = observe
        self._backoff = backoff
        self._grace = grace
        self._calm = calm
        self._new = {name: asyncio.Event() for name in self._receivers}
        self._buckets: dict[str, Bucket] = {}
        self._group: asyncio.TaskGroup | None = None
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._marks: dict[str, list[asyncio.Task[None]]] = {}
        """By receiver, on their way to the outbox: the next one is sent while the worker has a batch in hand."""
        self._stop = asyncio.Event()

    def wake(self) -> None:
        """Says that the outbox has new rows; to be called on the event loop, after the commit."""
        for new in self._new.values():
            new.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop` is set and the sends in hand have ended or used up their grace."""
        self._stop = stop
        await self._bury_unclaimed()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for receiver in self._receivers.values():
                    self._begin(receiver)
                await stop.wait()
        finally:
            with suppress(TimeoutError):  # a store that cannot be written holds up no end
                async with asyncio.timeout(self._grace.total_seconds()):
                    await self._marked(*self._marks)

    @property
    def receivers(self) -> list[Receiver]:
        """Those that are served."""
        return list(self._receivers.values())

    async def exchange(self, receivers: Sequence[Receiver], kept: Collection[str]) -> None:
        """Serves these receivers instead; those named in `kept` go on as they are, with the send they have in hand.

        Of the others a send in hand is broken off, and what they have taken is written down first.
        """
        ending = {name: self._serving.pop(name) for name in list(self._serving) if name not in kept}
        for task in ending.values():
            task.cancel()
        if ending:
            await asyncio.wait(ending.values())
            await self._marked(*ending)
        self._receivers = {one.name: self._receivers[one.name] if one.name in kept else one for one in receivers}
        self._new = {name: self._new.get(name) or asyncio.Event() for name in self._receivers}
        await self._bury_unclaimed()
        for name, receiver in self._receivers.items():
            if name not in self._serving:
                self._begin(receiver)

    def _begin(self, receiver: Receiver) -> None:
        if self._group is not None and not self._stop.is_set():
            self._buckets.pop(receiver.name, None)
            if receiver.pace is not None:
                self._buckets[receiver.name] = Bucket(receiver.pace, self._clock.monotonic())
            work = self._serve(receiver, self._stop)
            self._serving[receiver.name] = self._group.create_task(work, name=f"deliver to {receiver.name}")

    async def _bury_unclaimed(self) -> None:
        for lost in await self._outbox.unclaimed(list(self._receivers)):
            if lost.receiver in self._receivers:  # it came while the store was asked
                continue
            await self._bury(lost, Reason.NO_RECEIVER, "", None)

    async def _serve(self, receiver: Receiver, stop: asyncio.Event) -> None:
        new = self._new[receiver.name]
        await self._release(receiver.name)
        while not stop.is_set():
            new.clear()
            due = await self._outbox.due(receiver.name, self._clock.now(), _AT_ONCE)
            if not due.queued:
                await self._rest(new, due.next_at, stop)
            pause = timedelta()
            for queued in due.queued:
                if stop.is_set() or await self._calmed(receiver, queued.notification):
                    break
                pause = self._held(receiver) or await self._deliver(receiver, queued, stop)
                if pause:
                    break
            await self._marked(receiver.name)
            if pause:
                await first_of(self._clock.sleep(pause), stop.wait())

    async def _marked(self, *receivers: str) -> None:
        """Until the outbox knows all that the receivers have; an error of one is raised when all have ended."""
        marks = [mark for receiver in receivers for mark in self._marks.get(receiver, ())]
        if marks:
            await asyncio.wait(marks)  # which leaves them alone where it is cancelled
        for receiver in receivers:
            self._marks.pop(receiver, None)
        for mark in marks:
            mark.result()

    async def _rest(self, new: asyncio.Event, next_at: datetime | None, stop: asyncio.Event) -> None:
        """Until there is new work, or something is due, or the stop."""
        if next_at is None:
            await first_of(new.wait(), stop.wait())
        else:
            await first_of(new.wait(), stop.wait(), self._clock.sleep(next_at - self._clock.now()))

    async def _calmed(self, receiver: Receiver, note: Notification) -> bool:
        """Whether it is not this notification's turn: it is held back, or what was held back comes as one before it."""
        calm, now = self._calm(receiver.name), self._clock.now()
        if calm is None:
            return False
        await self._marked(receiver.name)
        sent = await self._outbox.sent_since(receiver.name, now - HOUR, edits=calm.edits)
        hold = calm.hold(note.alert, now, sent)
        if hold is None:
            return await self._outbox.gather(receiver.name, now, edits=calm.edits)
        await self._outbox.hold(note.key, hold.until, hold.why, hold.until - now)
        self._observe(Attempt(receiver.name, Outcome.HELD, hold.why, timedelta()))
        return True

    async def _release(self, receiver: str) -> None:
        """What was held back under other quiet hours, or another budget, waits no longer than those hold."""
        calm, now = self._calm(receiver), self._clock.now()
        if (
            calm is None
            or calm.holds(now, await self._outbox.sent_since(receiver, now - HOUR, edits=calm.edits)) is None
        ):
            await self._outbox.gather(receiver, _WHENEVER, edits=calm is not None and calm.edits)

    def _held(self, receiver: Receiver) -> timedelta:
        """How long its channel's pace holds the next one back."""
        bucket = self._buckets.get(receiver.name)
        return timedelta(seconds=bucket.take(self._clock.monotonic())) if bucket is not None else timedelta()

    async def _deliver(self, receiver: Receiver, queued: Queued, stop: asyncio.Event) -> timedelta:
        """One attempt; answers how long this receiver is to be left in peace."""
        note = queued.notification
        if self._clock.now() >= note.deadline:
            await self._bury(note, Reason.EXPIRED, f"after {queued.attempts} attempts", None)
            return timedelta()
        repeats = receiver.repeats(note)
        if not note.repeat and receiver.repeats(replace(note, earlier="")):  # where the card is gone it is posted anew
            await self._outbox.begun(note.key)
        begun = self._clock.monotonic()
        try:
            receipt = await self._send(receiver, note, stop)
        except DeliveryError as error:
            return await self._failed(queued, error, self._since(begun))
        marking = self._outbox.sent(note.key, receipt or "", Attempted(note.alert, self._clock.now()))
        self._marks.setdefault(receiver.name, []).append(asyncio.create_task(marking))
        self._observe(Attempt(receiver.name, Outcome.SENT, "", self._since(begun), repeats and note.repeat))
        return timedelta()

    async def _send(self, receiver: Receiver, note: Notification, stop: asyncio.Event) -> str | None:
        sending, *_ = await first_of(receiver.send(note), self._out_of_time(receiver.timeout, stop))
        if sending.cancelled():
            raise DeliveryError(Reason.TIMEOUT, retry=True, unknown=True)
        receipt: str | None = sending.result()
        return receipt

    async def _out_of_time(self, limit: timedelta, stop: asyncio.Event) -> None:
        await first_of(self._clock.sleep(limit), self._out_of_grace(stop))

    async def _out_of_grace(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await self._clock.sleep(self._grace)

    async def _failed(self, queued: Queued, error: DeliveryError, took: timedelta) -> timedelta:
        note, now = queued.notification, self._clock.now()
        if not error.retry:
            await self._bury(note, error.reason, str(error), took, unknown=error.unknown)
            return timedelta()
        left = (note.deadline - now).total_seconds()
        asked = error.retry_after or 0.0
        wait = max(asked, min(self._backoff.wait(queued.attempts, self._rng), left / 2))
        if wait >= left or left <= self._backoff.first.total_seconds():
            await self._bury(
                note, Reason.EXPIRED, f"after {queued.attempts + 1} attempts: {error}", took, unknown=error.unknown
            )
        else:
            unknown = error.unknown or note.repeat
            next_at = now + timedelta(seconds=wait)
            attempted = Attempted(note.alert, now)
            await self._outbox.failed(note.key, next_at, error.reason, str(error), unknown=unknown, attempted=attempted)
            self._observe(Attempt(note.receiver, Outcome.RETRY, error.reason, took))
        peace = max(asked, min(wait, self._backoff.first.total_seconds()))
        return timedelta(seconds=min(peace, _LONGEST_PAUSE.total_seconds()))

    async def _bury(
        self, note: Notification, reason: str, detail: str, took: timedelta | None, *, unknown: bool = False
    ) -> None:
        """Gives up, after an attempt that took so long, or (None) without another one."""
        attempted = Attempted(note.alert, self._clock.now()) if took is not None else None
        await self._outbox.dead(note.key, reason, detail, unknown=unknown or note.repeat, attempted=attempted)
        self._observe(Attempt(note.receiver, Outcome.DEAD, reason, took or timedelta()))

    def _since(self, begun: float) -> timedelta:
        return timedelta(seconds=self._clock.monotonic() - begun)
