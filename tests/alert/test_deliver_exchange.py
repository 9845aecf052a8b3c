"""Receivers are exchanged while sends and marks are under way: what arrived stays known, what did not is sent."""

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from monitor.alert.deliver import Deliverer
from monitor.records import Notification
from monitor.store.store import Store
from monitor.store.withdrawn import Attempted
from tests.alert.test_deliver import queue
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.clock import ManualClock, settle
from tests.fakes.outbox import DirectOutbox
from tests.fakes.receiver import ScriptedReceiver

NOTES = [a_notification(alert=an_alert(id=f"a{number}", group=f"g{number}")) for number in range(5)]


@pytest.fixture
def store() -> Iterator[Store]:
    with Store("sqlite://") as opened:
        yield opened


class Slow(DirectOutbox):
    """An outbox whose marks wait while the worker thread has something else in hand."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.idle = asyncio.Event()

    async def sent(self, key: str, receipt: str, attempted: Attempted) -> None:
        await self.idle.wait()
        await super().sent(key, receipt, attempted)


@pytest.mark.parametrize("removed", [True, False], ids=["removed", "changed"])
async def test_what_a_receiver_has_stays_known_when_it_is_exchanged(store: Store, *, removed: bool) -> None:
    queue(store, *NOTES)
    outbox, before, after = Slow(store), ScriptedReceiver(), ScriptedReceiver()
    deliverer, stop = Deliverer(outbox, [before], ManualClock(AT), Random(7)), asyncio.Event()
    running = asyncio.create_task(deliverer.run(stop))
    while len(before.taken) < len(NOTES):
        await settle()
    await settle()
    exchanged = asyncio.create_task(deliverer.exchange([] if removed else [after], []))
    await settle()
    outbox.idle.set()
    await exchanged
    await settle()
    stop.set()
    await running
    assert after.taken == []
    assert store.dead_letters() == []
    assert store.due("desk", AT, 9) == ((), None)


async def test_a_send_in_hand_when_its_receiver_is_exchanged_is_made_again_and_marked(store: Store) -> None:
    queue(store, NOTES[0])
    before, after = ScriptedReceiver(keyless=True), ScriptedReceiver(keyless=True)
    before.open.clear()
    deliverer, stop = Deliverer(DirectOutbox(store), [before], ManualClock(AT), Random(7)), asyncio.Event()
    running = asyncio.create_task(deliverer.run(stop))
    await settle()
    await deliverer.exchange([after], [])
    await settle()
    stop.set()
    await running
    assert (before.attempts, before.taken, after.marked) == (1, [], [True])


@pytest.mark.parametrize("broken", ["mark", "send"])
async def test_what_arrived_is_known_although_something_after_it_is_broken(store: Store, broken: str) -> None:
    queue(store, *NOTES)

    class Breaking(DirectOutbox):
        async def sent(self, key: str, receipt: str, attempted: Attempted) -> None:
            if broken == "mark" and key == NOTES[0].key:
                raise KeyError(key)
            await settle()
            await super().sent(key, receipt, attempted)

    class Failing(ScriptedReceiver):
        async def send(self, notification: Notification) -> str | None:
            if broken == "send" and notification.key == NOTES[-1].key:
                raise KeyError(notification.key)
            return await super().send(notification)

    with pytest.RaisesGroup(KeyError):
        await Deliverer(Breaking(store), [Failing()], ManualClock(AT), Random(7)).run(asyncio.Event())
    lost = NOTES[0] if broken == "mark" else NOTES[-1]
    assert [one.notification.key for one in store.due("desk", AT, 9).queued] == [lost.key]
