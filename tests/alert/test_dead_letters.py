"""A dead letter knows whether an attempt of it may have arrived, and is marked when it is sent again only then."""

from collections.abc import Iterator

import pytest

from monitor.errors import DeliveryError
from monitor.store.store import Store
from tests.alert.test_deliver import LONG, queue, running
from tests.fakes.alerts import AT, a_notification
from tests.fakes.receiver import ScriptedReceiver

REFUSED = DeliveryError("refused", retry=False, detail="HTTP 404")
LOST = DeliveryError("timeout", retry=True, unknown=True)
BUSY = DeliveryError("busy", retry=True, retry_after=10**9)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store("sqlite://") as opened:
        yield opened


@pytest.mark.parametrize(
    ("errors", "unknown"),
    [
        ((REFUSED,), False),
        ((LOST, REFUSED), True),
        ((BUSY,), False),
        ((DeliveryError("server_error", retry=True, retry_after=10**9, unknown=True),), True),
        ((LOST, BUSY), True),
    ],
    ids=["refused", "lost, then refused", "expired", "expired and unknown", "lost, then expired"],
)
async def test_it_is_marked_when_it_is_sent_again_where_an_attempt_may_have_arrived(
    store: Store, errors: tuple[DeliveryError, ...], *, unknown: bool
) -> None:
    queue(store)
    receiver = ScriptedReceiver("desk", *errors, keyless=True)
    async with running(store, receiver) as desk:
        await desk.clock.advance(LONG / 10)
        (letter,) = store.dead_letters()
        assert (letter.notification.repeat, letter.attempts) == (unknown, receiver.attempts)
        assert store.requeue(a_notification().key, AT + 3 * LONG)
        desk.deliverer.wake()
        await desk.clock.advance(LONG)  # a receiver that asked for patience is left in peace
        assert receiver.marked[-1] is unknown
        assert receiver.taken == [a_notification().key]
        assert desk.attempts[-1].repeat is unknown


async def test_one_whose_deadline_passed_while_it_waited_keeps_what_was_known(store: Store) -> None:
    queue(store, a_notification(lasts=LONG / 1000))
    store.mark_begun(a_notification().key)
    async with running(store, ScriptedReceiver(keyless=True)) as desk:
        await desk.clock.advance(LONG / 10)
        assert desk.outcomes() == ["sent"]
    queue(store, late := a_notification("phone", lasts=-LONG))
    store.mark_begun(late.key)
    async with running(store, ScriptedReceiver("phone", keyless=True)):
        assert [one.notification.repeat for one in store.dead_letters()] == [True]
