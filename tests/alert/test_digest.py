"""Quiet hours and the hourly budget: nothing is lost, and what was held back comes as one message."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from monitor.alert.calm import Calm, Span
from monitor.alert.card import plain
from monitor.alert.deliver import Attempt, Deliverer, Outcome
from monitor.alert.digest import digest_card
from monitor.errors import DeliveryError
from monitor.records import AlertState, Gathered, Notification
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.clock import ManualClock, settle
from tests.fakes.mentions import none
from tests.fakes.outbox import DirectOutbox
from tests.fakes.receiver import ScriptedReceiver

NIGHT = Calm((Span.parse("14:00-16:00"),), UTC, frozenset({"race"}), None)
"""AT is half an hour after its begin."""
MORNING = timedelta(minutes=90)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store("sqlite://") as opened:
        yield opened


class Running:
    """A deliverer at work, its clock, and what it reported."""

    def __init__(self, store: Store, receiver: ScriptedReceiver, calm: Calm, now: datetime) -> None:
        self.store = store
        self.clock = ManualClock(now)
        self.attempts: list[Attempt] = []
        self.deliverer = Deliverer(
            DirectOutbox(store),
            [receiver],
            self.clock,
            Random(7),
            observe=self.attempts.append,
            calm=lambda _: calm,
        )

    async def tell(self, *notes: Notification) -> None:
        self.store.commit(Commit(none(), outbox=notes))
        self.deliverer.wake()
        await settle()

    def held(self) -> list[str]:
        return [one.reason for one in self.attempts if one.outcome is Outcome.HELD]


@asynccontextmanager
async def running(
    store: Store, receiver: ScriptedReceiver, calm: Calm = NIGHT, now: datetime = AT
) -> AsyncIterator[Running]:
    made, stop = Running(store, receiver, calm, now), asyncio.Event()
    task = asyncio.create_task(made.deliverer.run(stop))
    await settle()
    try:
        yield made
    finally:
        stop.set()
        await settle()
        await made.clock.advance(MINUTE)
        await task


def note(card: str, minutes: float = 0, *, lasts: timedelta = timedelta(hours=1), **fields: Any) -> Notification:  # noqa: ANN401
    plain_: dict[str, Any] = {"id": f"{card}-volume", "group": card, "rule": "volume", "change": "doubled"}
    return a_notification(alert=an_alert(**plain_ | fields, at=AT + minutes * MINUTE), lasts=lasts)


async def test_what_changes_in_quiet_hours_comes_as_one_digest_at_their_end(store: Store) -> None:
    receiver = ScriptedReceiver()
    async with running(store, receiver) as desk:
        await desk.tell(note("a", change="first_firing"), note("b"))
        await desk.tell(note("a", 10, state=AlertState.RESOLVED, change="resolved"))
        await desk.clock.advance(MORNING - MINUTE)
        assert receiver.sent == []
        await desk.clock.advance(MINUTE)
        (digest,) = receiver.sent
        assert [(one.alert.group, one.changes) for one in digest.digest] == [
            ("a", ("first_firing", "resolved")),
            ("b", ("doubled",)),
        ]
        assert digest.digest[0].alert.state is AlertState.RESOLVED
        assert desk.held() == ["quiet_hours"] * 3
        assert store.due("desk", AT + timedelta(days=9), 9) == ((), None)
        assert store.dead_letters() == []


async def test_of_a_single_card_only_the_last_step_comes_and_as_itself(store: Store) -> None:
    receiver = ScriptedReceiver()
    async with running(store, receiver) as desk:
        await desk.tell(*(note("a", minutes) for minutes in (0, 5, 9)))
        await desk.clock.advance(MORNING)
        assert [(one.digest, one.alert.at) for one in receiver.sent] == [((), AT + 9 * MINUTE)]
        assert store.due("desk", AT + timedelta(days=9), 9) == ((), None)


async def test_what_is_urgent_goes_out_in_quiet_hours_past_what_is_held(store: Store) -> None:
    receiver = ScriptedReceiver()
    async with running(store, receiver) as desk:
        await desk.tell(note("a"), note("b"))
        await desk.tell(note("a", 1, id="a-race", rule="race", change="rule_joined"))
        await desk.tell(note("c"))
        assert [one.alert.rule for one in receiver.sent] == ["race"]
        await desk.clock.advance(MORNING)
        assert [[line.alert.group for line in one.digest] for one in receiver.sent] == [[], ["b", "c"]]


async def test_what_was_held_is_not_told_after_a_later_step_of_its_card_that_was_urgent(store: Store) -> None:
    receiver = ScriptedReceiver()
    async with running(store, receiver) as desk:
        await desk.tell(note("a", change="first_firing"))
        await desk.tell(note("a", 1, id="a-race", rule="race", change="rule_joined"))
        await desk.clock.advance(MORNING)
        assert [one.alert.rule for one in receiver.sent] == ["race"]
        assert store.due("desk", AT + timedelta(days=9), 9) == ((), None)


async def test_what_is_held_after_an_urgent_step_of_its_card_edits_that(store: Store) -> None:
    receiver = ScriptedReceiver()
    async with running(store, receiver) as desk:
        await desk.tell(note("a", 1, id="a-race", rule="race", change="first_firing"))
        await desk.tell(note("a", 9, state=AlertState.RESOLVED, change="resolved"))
        await desk.clock.advance(MORNING)
        assert [one.earlier for one in receiver.sent] == ["", "receipt 1"]


async def test_a_deadline_does_not_run_while_it_is_held(store: Store) -> None:
    receiver = ScriptedReceiver("desk", *(DeliveryError("unreachable", retry=True) for _ in range(3)))
    async with running(store, receiver) as desk:
        await desk.tell(note("a", lasts=10 * MINUTE), note("b", lasts=10 * MINUTE))
        await desk.clock.advance(MORNING + 9 * MINUTE)
        assert store.dead_letters() == []
        assert len(receiver.sent) == 1


async def test_a_digest_that_is_never_taken_is_one_dead_letter(store: Store) -> None:
    receiver = ScriptedReceiver("desk", DeliveryError("refused", retry=False))
    async with running(store, receiver) as desk:
        await desk.tell(note("a"), note("b"))
        await desk.clock.advance(MORNING)
    (letter,) = store.dead_letters()
    assert [one.alert.group for one in letter.notification.digest] == ["a", "b"]
    assert store.requeue(letter.notification.key, AT + timedelta(hours=9))
    async with running(store, receiver, now=AT + MORNING):
        assert [one.key for one in receiver.sent] == [letter.notification.key]


async def test_a_restart_in_quiet_hours_loses_nothing_and_sends_nothing_twice(tmp_path: Path) -> None:
    receiver = ScriptedReceiver()
    url = f"sqlite:///{tmp_path}/m.sqlite"
    for number in range(4):
        with Store(url) as store:
            async with running(store, receiver, now=AT + number * 10 * MINUTE) as desk:
                await desk.tell(note("a", number), note(f"c{number}", number))
    with Store(url) as store:
        async with running(store, receiver, now=AT + MORNING):
            assert [one.alert.group for one in receiver.sent[0].digest] == ["a", "c0", "c1", "c2", "c3"]
        async with running(store, receiver, now=AT + 2 * MORNING):
            assert len(receiver.sent) == 1


async def test_beyond_the_hourly_budget_it_degrades_to_a_digest(store: Store) -> None:
    receiver = ScriptedReceiver()
    budget = Calm((), UTC, frozenset(), 3)
    async with running(store, receiver, budget) as desk:
        for number in range(60):
            await desk.tell(note(f"c{number}", number))
            await desk.clock.advance(MINUTE - timedelta(seconds=1))
        assert [one.alert.group for one in receiver.sent] == ["c0", "c1", "c2"]
        assert desk.held() == ["hourly_budget"] * 57
        await desk.clock.advance(2 * MINUTE)
        assert [len(one.digest) for one in receiver.sent] == [0, 0, 0, 57]
        await desk.clock.advance(timedelta(hours=1))
        assert store.due("desk", AT + timedelta(days=9), 9) == ((), None)


async def test_the_budget_is_remembered_over_a_restart(store: Store) -> None:
    receiver = ScriptedReceiver()
    budget = Calm((), UTC, frozenset(), 1)
    async with running(store, receiver, budget) as desk:
        await desk.tell(note("a"))
    async with running(store, receiver, budget, AT + 30 * MINUTE) as desk:
        await desk.tell(note("b"))
        assert len(receiver.sent) == 1
        await desk.clock.advance(30 * MINUTE)
        assert len(receiver.sent) == 2


async def test_a_card_goes_on_where_it_was_before_the_digest(store: Store) -> None:
    receiver = ScriptedReceiver()
    async with running(store, receiver, now=AT - timedelta(hours=1)) as desk:
        await desk.tell(note("a"))
        await desk.clock.advance(timedelta(hours=1))
        await desk.tell(note("a", 1), note("b", 1))
        await desk.clock.advance(MORNING)
        await desk.tell(note("a", 99, lasts=MORNING * 2), note("b", 99, lasts=MORNING * 2))
        assert [len(one.digest) for one in receiver.sent] == [0, 2, 0, 0]
        assert [bool(one.earlier) for one in receiver.sent] == [False, False, True, False]


def test_a_digest_says_of_each_card_what_changed_and_shows_no_posts() -> None:
    first = an_alert(label="the valley has fallen @all \x1b[31m", status="unconfirmed")
    other = an_alert(id="a2", label="seventeen dead", claims=7, denials=0, state=AlertState.RESOLVED)
    told = [
        Gathered(alert=first, changes=("first_firing", "doubled")),
        Gathered(alert=other, changes=("resolved",)),
    ]
    lines = plain(digest_card(told, UTC)).splitlines()
    assert lines[0] == "DIGEST · 2 changed while nothing was sent · fall"
    assert "it fires, claims are at least twice as many" in lines[1]
    assert "41 claims, 3 denials; alert a1" in lines[1]
    assert "seventeen dead" in lines[2]
    assert len(lines) == 4
    assert not any("\x1b" in line or "@all" in line for line in lines)
