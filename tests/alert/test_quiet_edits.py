"""What is held back: cards that stand are brought up to date without a sound, and other hours release it."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC
from random import Random
from typing import Any

import pytest

from monitor.alert.calm import Calm
from monitor.alert.deliver import Deliverer
from monitor.records import EVIDENCE_DELETED, GATHERED, AlertState, Notification
from monitor.store.store import Commit, Store
from tests.alert.test_digest import MINUTE, MORNING, NIGHT, note, running
from tests.fakes.alerts import AT
from tests.fakes.clock import ManualClock, settle
from tests.fakes.mentions import none
from tests.fakes.outbox import DirectOutbox
from tests.fakes.receiver import ScriptedReceiver

EDITS = NIGHT._replace(edits=True)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store("sqlite://") as opened:
        yield opened


def standing(store: Store, *cards: str) -> None:
    """Cards that were posted before the night."""
    notes = [note(card, -60) for card in cards]
    store.commit(Commit(none(), outbox=notes))
    for one in notes:
        store.mark_sent(one.key, f"card {one.alert.group}", AT - 60 * MINUTE)


def seen(receiver: ScriptedReceiver) -> list[tuple[int, str, str]]:
    return [(len(one.digest), one.alert.change if not one.digest else "", one.earlier) for one in receiver.sent]


ENDS: dict[str, Any] = {"state": AlertState.RESOLVED, "change": "resolved"}


async def test_cards_that_stand_are_brought_up_to_date_after_the_digest(store: Store) -> None:
    standing(store, "a", "b")
    receiver = ScriptedReceiver()
    async with running(store, receiver, EDITS) as desk:
        await desk.tell(note("a"), note("b", **ENDS), note("c"), note("a", 5, **ENDS))
        await desk.clock.advance(MORNING + MINUTE)
    assert seen(receiver) == [(3, "", ""), (0, GATHERED, "card b"), (0, GATHERED, "card a")]
    assert {one.alert.state for one in receiver.sent[1:]} == {AlertState.RESOLVED}
    assert store.due("desk", AT + 2 * MORNING, 9) == ((), None)


async def test_where_cards_cannot_be_edited_the_digest_is_all(store: Store) -> None:
    standing(store, "a", "b")
    receiver = ScriptedReceiver()
    async with running(store, receiver) as desk:
        await desk.tell(note("a", **ENDS), note("b", **ENDS))
        await desk.clock.advance(MORNING + MINUTE)
    assert seen(receiver) == [(2, "", "")]


async def test_edits_that_notify_nobody_use_up_no_budget_and_do_not_wait_for_it(store: Store) -> None:
    standing(store, "a", "b")
    receiver = ScriptedReceiver()
    async with running(store, receiver, EDITS._replace(per_hour=2)) as desk:
        await desk.tell(note("a", **ENDS), note("b", **ENDS))
        await desk.clock.advance(MORNING + MINUTE)
        assert len(receiver.sent) == 3
        await desk.tell(note("c", 92, lasts=2 * MORNING))
        assert len(receiver.sent) == 4
        await desk.tell(note("d", 92, lasts=2 * MORNING), note("a", 93, change=EVIDENCE_DELETED, lasts=2 * MORNING))
        assert [one.alert.group for one in receiver.sent[4:]] == ["a"]


async def test_a_deletion_is_taken_off_a_card_at_night_and_what_is_held_is_told_all_the_same(store: Store) -> None:
    standing(store, "a")
    receiver = ScriptedReceiver()
    async with running(store, receiver, EDITS) as desk:
        await desk.tell(note("a", **ENDS))
        await desk.tell(note("a", 1, change=EVIDENCE_DELETED))
        assert seen(receiver) == [(0, EVIDENCE_DELETED, "card a")]
        await desk.clock.advance(MORNING)
    assert seen(receiver)[1:] == [(0, "resolved", "receipt 1")]


@pytest.mark.parametrize("calm", [None, Calm((), UTC, frozenset(), 9, edits=True)], ids=["no more", "no more hours"])
async def test_hours_that_a_reload_takes_away_hold_nothing_back(store: Store, calm: Calm | None) -> None:
    standing(store, "a")
    asked: list[Calm | None] = [NIGHT]
    receiver, clock, stop = ScriptedReceiver(), ManualClock(AT), asyncio.Event()
    deliverer = Deliverer(DirectOutbox(store), [receiver], clock, Random(7), calm=lambda _: asked[-1])
    task = asyncio.create_task(deliverer.run(stop))
    await tell(store, deliverer, [note("a", minutes) for minutes in (0, 1, 2)])
    assert receiver.sent == []
    asked.append(calm)
    await deliverer.exchange([receiver], [])
    await settle()
    assert [(one.alert.at, one.earlier) for one in receiver.sent] == [(AT + 2 * MINUTE, "card a")]
    stop.set()
    await task


async def tell(store: Store, deliverer: Deliverer, notes: Sequence[Notification]) -> None:
    store.commit(Commit(none(), outbox=notes))
    deliverer.wake()
    for _ in range(3):
        await settle()


async def test_what_is_held_back_is_not_on_its_way(store: Store) -> None:
    async with running(store, ScriptedReceiver()) as desk:
        await desk.tell(note("a"), note("b"))
        assert store.waiting() == 0
        assert store.due("desk", AT, 9).next_at == AT + MORNING
    store.commit(Commit(none(), outbox=[note("c")]))
    assert store.waiting() == 1
