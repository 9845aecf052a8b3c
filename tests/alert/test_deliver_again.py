"""Pace, receipts of earlier steps, and marks on what may have arrived before."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from monitor.alert.bucket import Pace
from monitor.alert.deliver import Deliverer
from monitor.errors import DeliveryError
from monitor.records import Notification
from monitor.store.store import Store
from tests.alert.test_deliver import LONG, SECOND, lost, queue, running
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.clock import ManualClock, settle
from tests.fakes.outbox import DirectOutbox
from tests.fakes.receiver import ScriptedReceiver


@pytest.fixture
def store() -> Iterator[Store]:
    with Store("sqlite://") as opened:
        yield opened


async def test_a_channel_is_told_at_its_own_pace(store: Store) -> None:
    queue(store, *(a_notification(alert=an_alert(id=f"a{number}")) for number in range(4)), a_notification("phone"))
    slow, quick = ScriptedReceiver(pace=Pace(per_minute=20)), ScriptedReceiver("phone")
    async with running(store, slow, quick) as desk:
        seen = []
        for _ in range(10):
            seen.append(len(slow.taken))
            await desk.clock.advance(SECOND)
        assert seen == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
        assert len(quick.taken) == 1


async def test_the_next_step_comes_with_the_receipt_of_the_one_before(store: Store) -> None:
    steps = [a_notification(alert=an_alert(at=AT + SECOND * number)) for number in range(3)]
    queue(store, *steps, a_notification(alert=an_alert(id="a2")))
    receiver = ScriptedReceiver()
    async with running(store, receiver):
        await settle()
        assert receiver.taken == [
            steps[0].key,
            a_notification(alert=an_alert(id="a2")).key,
            *(s.key for s in steps[1:]),
        ]
        assert receiver.earlier == ["", "", "receipt 1", "receipt 3"]


async def test_a_step_that_comes_after_a_later_one_edits_nothing(store: Store) -> None:
    first, later = a_notification(), a_notification(alert=an_alert(at=AT + SECOND))
    queue(store, a_notification(alert=an_alert(at=AT - SECOND)), first, later)
    refusal = DeliveryError("refused", retry=False)
    receiver = ScriptedReceiver("desk")
    async with running(store, receiver) as desk:
        await settle()
        assert receiver.earlier == ["", "receipt 1", "receipt 2"]
        queue(store, late := a_notification(alert=an_alert(at=AT + 2 * SECOND)))
        receiver.errors.append(refusal)
        desk.deliverer.wake()
        await settle()
        queue(store, a_notification(alert=an_alert(at=AT + 3 * SECOND)))
        desk.deliverer.wake()
        await settle()
        store.requeue(late.key, AT + LONG)
        desk.deliverer.wake()
        await settle()
        assert receiver.taken[-1] == late.key
        assert receiver.earlier[-2:] == ["receipt 3", ""]


async def test_an_attempt_of_which_nobody_knows_the_outcome_is_followed_by_a_marked_one(store: Store) -> None:
    queue(store)
    unknown, known = DeliveryError("timeout", retry=True, unknown=True), lost()
    receiver = ScriptedReceiver("desk", known, unknown, known, keyless=True)
    async with running(store, receiver) as desk:
        await desk.clock.advance(timedelta(minutes=2))
        assert receiver.marked == [False, False, True, True]
        assert [attempt.repeat for attempt in desk.attempts] == [False, False, False, True]


async def test_after_a_crash_in_an_attempt_the_next_one_is_marked(store: Store) -> None:
    queue(store)

    class Dying(ScriptedReceiver):
        async def send(self, notification: Notification) -> str | None:
            raise KeyError(notification)

    deliverer = Deliverer(DirectOutbox(store), [Dying(keyless=True)], ManualClock(AT), Random(1))
    with pytest.RaisesGroup(KeyError):
        await deliverer.run(asyncio.Event())
    receiver = ScriptedReceiver(keyless=True)
    async with running(store, receiver):
        assert receiver.marked == [True]


async def test_after_a_crash_in_an_edit_a_card_that_is_gone_is_posted_anew_with_a_mark(store: Store) -> None:
    class Editing(ScriptedReceiver):
        def repeats(self, notification: Notification) -> bool:
            return not notification.earlier

    class Dying(Editing):
        async def send(self, notification: Notification) -> str | None:
            raise KeyError(notification)

    queue(store, first := a_notification(), a_notification(alert=an_alert(at=AT + SECOND)))
    store.mark_sent(first.key, "a card that people deleted")
    with pytest.RaisesGroup(KeyError):
        await Deliverer(DirectOutbox(store), [Dying()], ManualClock(AT), Random(1)).run(asyncio.Event())
    receiver = Editing()
    async with running(store, receiver):
        assert receiver.marked == [True]
