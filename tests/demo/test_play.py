"""A story through the real walk, store, outbox, webhook receiver and chat."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from monitor.alert.message import card_text
from monitor.demo.play import LEAST_STEP, MOST_POSTS, MOST_STEP, Outcome, batches, step_of, write
from monitor.demo.score import claim_peak
from monitor.demo.summary import lead
from monitor.records import AlertState
from tests.demo.plays import ENDS, a_play, a_script, a_walk, played
from tests.fakes.clock import ManualClock, settle
from tests.fakes.stream import BEGIN


class Seen(NamedTuple):
    """A whole play, its archive, and what the board showed after each step: messages, card, whether a race fired."""

    outcome: Outcome
    archive: Path
    steps: list[tuple[int, str, bool]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    archive = tmp_path_factory.mktemp("demo") / "demo.sqlite"
    steps: list[tuple[int, str, bool]] = []
    outcome = asyncio.run(
        played(archive, watch=lambda board: steps.append((board.messages, board.card, board.fired("race") is not None)))
    )
    return Seen(outcome, archive, steps)


def ask(archive: Path, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(archive)) as connection:
        return connection.execute(question).fetchall()


def test_the_chat_has_every_notification_the_outbox_says_was_sent_once(whole: Seen) -> None:
    rows = ask(whole.archive, "SELECT key, state FROM outbox")
    assert [state for _, state in rows] == ["sent"] * whole.outcome.queued
    assert sorted(message.key for message in whole.outcome.chat.messages) == sorted(key for key, _ in rows)
    assert whole.outcome.queued == 3
    assert whole.outcome.chat.refused == 0


def test_the_chat_is_told_when_an_alert_fires_and_resolves_but_not_while_it_is_pending(whole: Seen) -> None:
    told = [alert for alert in whole.outcome.board.alerts if alert.state is not AlertState.PENDING]
    assert [(alert.state, alert.change) for alert in told] == [
        (AlertState.FIRING, "first_firing"),
        (AlertState.FIRING, "doubled"),
        (AlertState.RESOLVED, "resolved"),
    ]
    assert [message.text for message in whole.outcome.chat.messages] == [card_text(alert) for alert in told]


def test_the_alerts_are_those_of_the_walk_alone_at_another_step(whole: Seen) -> None:
    walk = a_walk()
    alerts = [alert for batch in batches(a_script(), timedelta(minutes=37)) for alert in walk(batch).alerts]
    assert whole.outcome.board.alerts == alerts


async def test_a_second_run_repeats_the_first(whole: Seen, tmp_path: Path) -> None:
    again = await played(tmp_path / "demo.sqlite")
    assert again.chat.messages == whole.outcome.chat.messages
    assert again.board.totals() == whole.outcome.board.totals()


def test_everything_of_the_script_is_walked_and_archived(whole: Seen) -> None:
    assert whole.outcome.finished
    assert whole.outcome.board.posts == whole.outcome.script.posts.height
    assert ask(whole.archive, "SELECT count(*) FROM mentions") == [(whole.outcome.board.mentions,)]


def test_the_card_on_the_board_is_the_text_that_arrived(whole: Seen) -> None:
    messages = whole.outcome.chat.messages
    assert whole.steps[0][:2] == (0, "")
    assert whole.steps[-1][:2] == (len(messages), messages[-1].text)


def test_the_card_has_arrived_when_an_alert_is_first_shown(whole: Seen) -> None:
    first = next(step for step in whole.steps if step[2])
    assert first[1] == whole.outcome.chat.messages[first[0] - 1].text
    assert first[0] == whole.steps[whole.steps.index(first) - 1][0] + 2, "it fired and claims doubled in this step"


async def test_a_stop_ends_the_play_between_two_steps(tmp_path: Path) -> None:
    stop = asyncio.Event()
    outcome = await played(tmp_path / "demo.sqlite", watch=lambda _: stop.set(), stop=stop)
    assert not outcome.finished
    assert outcome.board.now == BEGIN + MOST_STEP


async def test_a_step_is_played_when_its_time_has_come(tmp_path: Path) -> None:
    clock, stop = ManualClock(), asyncio.Event()
    seen: list[timedelta] = []
    play = a_play(speed=14_400, clock=clock)
    running = asyncio.create_task(
        played(tmp_path / "demo.sqlite", play, lambda board: seen.append(board.now - BEGIN), stop)
    )
    while not clock.slept:
        await settle()
    assert seen == []
    await clock.advance(clock.slept[0])
    while len(clock.slept) < 2:
        await settle()
    assert seen == [timedelta(hours=1)]
    assert clock.slept[:2] == [timedelta(milliseconds=250)] * 2
    stop.set()
    await clock.advance(clock.slept[-1])
    assert not (await running).finished


def test_a_scenario_is_taken_in_as_documents_without_losing_a_post_or_its_truth() -> None:
    script = write("panjshir", seed=3, posts=1500)
    assert script.event.name == "fall-of-panjshir"
    assert script.posts.height == script.truth.height > 1000
    assert script.posts.join(script.truth, on=["platform", "id"], how="anti").is_empty()
    assert script.posts.equals(script.posts.sort("seen_at", "platform", "id"))
    assert script.posts["seen_at"].sort().equals(script.truth["seen_at"].sort())
    assert script.begins <= script.posts["seen_at"][0]


def test_an_unknown_scenario_is_an_error() -> None:
    with pytest.raises(KeyError, match="no scenario 'nowhere'"):
        write("nowhere", seed=1)


def test_the_batches_of_a_script_hold_every_post_once_before_their_end() -> None:
    script = a_script()
    parts = list(batches(script, timedelta(minutes=7)))
    assert sum(part.posts.height for part in parts) == script.posts.height
    assert parts[-1].upto == ENDS
    assert all((part.posts["seen_at"] < part.upto).all() for part in parts)


def test_a_batch_of_a_busy_hour_is_cut_short() -> None:
    script = write("panjshir", seed=3, posts=12_000)
    parts = list(batches(script, MOST_STEP))
    assert sum(part.posts.height for part in parts) == script.posts.height
    assert max(part.posts.height for part in parts) < MOST_POSTS + 50
    assert all((part.posts["seen_at"] < part.upto).all() for part in parts)
    assert all(first.upto < second.upto for first, second in pairwise(parts))


@pytest.mark.parametrize(
    ("speed", "step"), [(1, LEAST_STEP), (240, timedelta(minutes=1)), (10**6, MOST_STEP), (None, MOST_STEP)]
)
def test_a_step_is_a_quarter_of_a_second_on_the_wall_within_bounds(speed: float | None, step: timedelta) -> None:
    assert step_of(speed) == step


def test_the_lead_is_told_in_minutes_before_the_claims_peak(whole: Seen) -> None:
    fired = whole.outcome.board.fired("race")
    peak = claim_peak(whole.outcome.script.truth)
    assert fired is not None
    assert peak is not None
    minutes = round((peak - fired.at) / timedelta(minutes=1))
    side = "before" if minutes >= 0 else "after"
    assert f"fired at {fired.at:%d %b %H:%M} UTC, {abs(minutes)} minutes {side} the claim's peak" in lead(whole.outcome)
