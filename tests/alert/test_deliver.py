import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import pytest

from monitor.alert.deliver import Attempt, Backoff, Deliverer
from monitor.errors import DeliveryError
from monitor.records import AlertState, Notification
from monitor.store.store import Commit, Store
from monitor.store.withdrawn import Attempted
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.clock import ManualClock, settle
from tests.fakes.mentions import clustered, none
from tests.fakes.outbox import DirectOutbox
from tests.fakes.receiver import ScriptedReceiver

SECOND = timedelta(seconds=1)
LONG = timedelta(hours=2)


def lost(retry_after: float | None = None) -> DeliveryError:
    return DeliveryError("unreachable", retry=True, retry_after=retry_after)


class Desk:
    """A running deliverer, its clock, its store and what it reported."""

    def __init__(self, store: Store, *receivers: ScriptedReceiver) -> None:
        self.clock = ManualClock(AT)
        self.stop = asyncio.Event()
        self.attempts: list[Attempt] = []
        self.deliverer = Deliverer(DirectOutbox(store), receivers, self.clock, Random(7), observe=self.attempts.append)

    def outcomes(self) -> list[str]:
        return [attempt.outcome.value for attempt in self.attempts]


@pytest.fixture
def store() -> Iterator[Store]:
    with Store("sqlite://") as opened:
        yield opened


@asynccontextmanager
async def running(store: Store, *receivers: ScriptedReceiver) -> AsyncIterator[Desk]:
    desk = Desk(store, *receivers)
    task = asyncio.create_task(desk.deliverer.run(desk.stop))
    await settle()
    try:
        yield desk
    finally:
        desk.stop.set()
        await settle()
        await desk.clock.advance(timedelta(minutes=1))
        await task


def queue(store: Store, *notes: Notification) -> None:
    store.commit(Commit(none(), outbox=notes or [a_notification()]))


async def test_what_is_queued_leaves_at_once_and_only_once(store: Store) -> None:
    queue(store)
    desk_receiver = ScriptedReceiver()
    async with running(store, desk_receiver) as desk:
        assert desk_receiver.taken == [a_notification().key]
        desk.deliverer.wake()
        await desk.clock.advance(LONG)
        assert desk_receiver.attempts == 1
        assert desk.outcomes() == ["sent"]
    async with running(store, desk_receiver):
        assert desk_receiver.attempts == 1


async def test_new_work_is_sent_when_the_deliverer_is_told_of_it(store: Store) -> None:
    receiver = ScriptedReceiver()
    async with running(store, receiver) as desk:
        queue(store)
        await settle()
        assert receiver.taken == []
        desk.deliverer.wake()
        await settle()
        assert len(receiver.taken) == 1


async def test_a_crash_between_send_and_mark_sends_again_under_the_same_key(store: Store) -> None:
    queue(store)
    receiver = ScriptedReceiver()
    receiver_again = ScriptedReceiver()

    class Dying(DirectOutbox):
        async def sent(self, key: str, receipt: str, attempted: Attempted) -> None:
            raise sqlite3.OperationalError(key, receipt, attempted.at)

    deliverer = Deliverer(Dying(store), [receiver], ManualClock(AT), Random(1))
    with pytest.RaisesGroup(sqlite3.OperationalError):
        await deliverer.run(asyncio.Event())
    async with running(store, receiver_again):
        assert receiver.taken == receiver_again.taken == [a_notification().key]


async def test_what_is_deleted_while_it_is_sent_is_taken_off_the_card_next(store: Store) -> None:
    store.commit(Commit(clustered({"id": "0", "platform": "x"}), alerts=[an_alert()], outbox=[a_notification()]))
    receiver = ScriptedReceiver()
    receiver.open.clear()
    async with running(store, receiver) as desk:
        deleted = clustered({"op": "delete", "id": "0", "platform": "x", "event": "fall"})
        store.commit(Commit(deleted, until={"desk": AT + LONG}))
        receiver.open.set()
        await desk.clock.advance(SECOND)
        first, edit = receiver.sent
        assert first.alert.evidence[0].text
        assert (edit.alert.evidence[0].text, edit.earlier) == ("", "receipt 1")


async def test_a_failure_is_tried_again_with_growing_random_waits_until_it_is_taken(store: Store) -> None:
    queue(store)
    receiver = ScriptedReceiver("desk", *(lost() for _ in range(5)))
    async with running(store, receiver) as desk:
        assert desk.outcomes() == ["retry"]
        await desk.clock.advance(timedelta(minutes=2))
        assert desk.outcomes() == ["retry"] * 5 + ["sent"]
        assert {attempt.reason for attempt in desk.attempts} == {"unreachable", ""}


async def test_what_the_receiver_asks_to_wait_is_waited_by_everything_for_it(store: Store) -> None:
    queue(store, a_notification(), a_notification(alert=an_alert(id="a2")))
    receiver = ScriptedReceiver("desk", lost(retry_after=600))
    async with running(store, receiver) as desk:
        desk.deliverer.wake()
        await desk.clock.advance(timedelta(seconds=599))
        assert receiver.attempts == 1
        await desk.clock.advance(SECOND)
        assert len(receiver.taken) == 2


async def test_a_wait_beyond_the_deadline_is_a_dead_letter_at_once(store: Store) -> None:
    queue(store, a_notification(lasts=timedelta(minutes=5)))
    async with running(store, ScriptedReceiver("desk", lost(retry_after=10**9))) as desk:
        assert desk.outcomes() == ["dead"]
        assert desk.attempts[0].reason == "expired"


async def test_what_fails_until_its_deadline_becomes_a_dead_letter_that_says_why(store: Store) -> None:
    queue(store, a_notification(lasts=timedelta(minutes=10)))
    receiver = ScriptedReceiver("desk", *(lost() for _ in range(1000)))
    async with running(store, receiver) as desk:
        await desk.clock.advance(timedelta(minutes=10))
        (letter,) = store.dead_letters()
        assert letter.reason == "expired"
        assert "unreachable" in letter.detail
        assert desk.outcomes() == ["retry"] * (receiver.attempts - 1) + ["dead"]
        assert 5 < receiver.attempts < 100


async def test_what_is_past_its_deadline_is_not_sent(store: Store) -> None:
    queue(store, a_notification(lasts=timedelta(0)))
    receiver = ScriptedReceiver()
    async with running(store, receiver) as desk:
        assert receiver.attempts == 0
        assert [(a.outcome.value, a.reason) for a in desk.attempts] == [("dead", "expired")]


async def test_a_refusal_is_a_dead_letter_at_once_and_the_next_step_goes_on(store: Store) -> None:
    queue(store, a_notification(), a_notification(alert=an_alert(state=AlertState.RESOLVED)))
    receiver = ScriptedReceiver("desk", DeliveryError("refused", retry=False, detail="HTTP 404"))
    async with running(store, receiver) as desk:
        assert desk.outcomes() == ["dead", "sent"]
        assert [(letter.reason, letter.detail) for letter in store.dead_letters()] == [("refused", "refused: HTTP 404")]


async def test_a_dead_letter_queued_anew_is_sent(store: Store) -> None:
    queue(store)
    async with running(store, ScriptedReceiver("desk", DeliveryError("refused", retry=False))) as desk:
        assert store.requeue(a_notification().key, AT + LONG)
        desk.deliverer.wake()
        await settle()
        assert desk.outcomes() == ["dead", "sent"]


async def test_a_receiver_that_hangs_delays_no_other(store: Store) -> None:
    queue(store, a_notification("desk"), a_notification("phone"))
    hanging, other = ScriptedReceiver("desk"), ScriptedReceiver("phone")
    hanging.open.clear()
    async with running(store, hanging, other) as desk:
        assert len(other.taken) == 1
        assert desk.outcomes() == ["sent"]
        await desk.clock.advance(timedelta(seconds=10))
        assert [(a.outcome.value, a.reason, a.took) for a in desk.attempts[1:]] == [
            ("retry", "timeout", timedelta(seconds=10))
        ]
        hanging.open.set()
        await desk.clock.advance(timedelta(minutes=1))
        assert len(hanging.taken) == 1


async def test_a_notification_to_a_receiver_that_is_gone_is_a_dead_letter(store: Store) -> None:
    queue(store, a_notification("gone"))
    async with running(store, ScriptedReceiver("desk")) as desk:
        assert [(a.receiver, a.reason) for a in desk.attempts] == [("gone", "no_receiver")]


async def test_the_stop_lets_the_send_in_hand_end_and_begins_no_other(store: Store) -> None:
    queue(store, a_notification(), a_notification(alert=an_alert(id="a2")))
    receiver = ScriptedReceiver()
    receiver.open.clear()
    desk = Desk(store, receiver)
    task = asyncio.create_task(desk.deliverer.run(desk.stop))
    await settle()
    desk.stop.set()
    await desk.clock.advance(timedelta(seconds=4))
    assert not task.done()
    receiver.open.set()
    await settle()
    await asyncio.wait_for(task, 1)
    assert len(receiver.taken) == 1
    assert len(store.due("desk", AT, 10).queued) == 1


async def test_the_stop_waits_no_longer_than_the_grace_and_the_rest_stays_queued(store: Store) -> None:
    queue(store)
    receiver = ScriptedReceiver()
    receiver.open.clear()
    desk = Desk(store, receiver)
    task = asyncio.create_task(desk.deliverer.run(desk.stop))
    await settle()
    desk.stop.set()
    await settle()
    await desk.clock.advance(timedelta(seconds=5))
    await asyncio.wait_for(task, 1)
    assert receiver.taken == []
    assert len(store.due("desk", AT + LONG, 10).queued) == 1


async def test_a_bug_in_a_receiver_is_not_swallowed(store: Store) -> None:
    queue(store)

    class Broken(ScriptedReceiver):
        async def send(self, notification: object) -> str | None:
            raise KeyError(notification)

    deliverer = Deliverer(DirectOutbox(store), [Broken()], ManualClock(AT), Random(1))
    with pytest.RaisesGroup(KeyError):
        await deliverer.run(asyncio.Event())
    assert len(store.due("desk", AT, 10).queued) == 1


def test_waits_double_are_bounded_and_start_anywhere_from_zero() -> None:
    rng, backoff = Random(3), Backoff(first=SECOND, longest=timedelta(seconds=60))
    most = [max(backoff.wait(attempts, rng) for _ in range(500)) for attempts in (0, 1, 3, 10, 10_000)]
    for seen, ceiling in zip(most, (1, 2, 8, 60, 60), strict=True):
        assert 0.9 * ceiling < seen <= ceiling
    assert min(backoff.wait(10, rng) for _ in range(500)) < 1
