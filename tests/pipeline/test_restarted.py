"""A monitor that did not run for a while: what is usual stays what it was, and coming back is no spike."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import polars as pl
import pytest

from monitor.app.walk import REMEMBERED, Walk
from monitor.frames import Batch
from monitor.marks import AWAY, GapMark
from monitor.records import Alert, AlertState
from monitor.store.store import Commit, Store
from monitor.watched import Duration, Event, Rules
from tests.fakes.postgres import server_proved
from tests.fakes.stream import BEGIN, posts
from tests.fakes.tagger import WordTagger

EVENT = Event(
    name="bank",
    proposition="The bank of Kabul fails",
    any=("bank",),
    rules=Rules(alert_on=("spike", "quiet"), for_=Duration(0), keep_firing=Duration(minutes=5)),
)
HOUR = 3600
STOPS, STARTS, ENDS = 4 * HOUR + 17, 16 * HOUR + 17, 19 * HOUR
FLOOD = range(18 * HOUR, 18 * HOUR + 600)
STEP = 600


class Said(NamedTuple):
    """What is said when, and when the monitor sees it."""

    at: float
    seen: float


def chatter(seed: int) -> list[float]:
    """Two posts a minute."""
    chance = random.Random(seed)
    at, said = 0.0, list[float]()
    while at < ENDS:
        said.append(at)
        at += chance.expovariate(1 / 30)
    return said


def walked(said: Sequence[Said], url: str = "sqlite://", *, restarts: bool) -> list[Alert]:
    """Alerts of a walk that looks every STEP seconds, stopped from STOPS to STARTS if it restarts."""
    rows: list[dict[str, Any]] = [
        {"at": one.at, "text": f"the bank {number * 7919 % 1_000_003}", "id": f"p{number}"}
        for number, one in enumerate(said)
    ]
    seen = {f"p{number}": BEGIN + timedelta(seconds=one.seen) for number, one in enumerate(said)}
    frame = posts(*rows).with_columns(pl.col("id").replace_strict(seen).cast(pl.Datetime("us", "UTC")).alias("seen_at"))
    frame = frame.sort("seen_at", "platform", "id")
    walk, alerts, upto = Walk([EVENT], WordTagger()), list[Alert](), BEGIN  # type: ignore[arg-type]
    with Store(url) as store:
        for second in range(STEP, ENDS + STEP, STEP):
            now = BEGIN + timedelta(seconds=second)
            marks: tuple[GapMark, ...] = ()
            if restarts and STOPS < second < STARTS:
                continue
            if restarts and second - STEP < STARTS <= second:
                walk = Walk([EVENT], WordTagger())  # type: ignore[arg-type]
                walk.restore(store.load_state(), store.remembered(REMEMBERED))
                marks = (GapMark(source="s", begins=upto, ends=BEGIN + timedelta(seconds=STARTS), why=AWAY),)
            part = frame.filter(pl.col("seen_at").is_between(upto, now, closed="right"))
            made, upto = walk(Batch(part, now, marks)), now
            alerts += made.alerts
            store.commit(Commit(made.mentions, state=made.state, alerts=made.alerts, gaps=list(marks)))
    return [alert for alert in alerts if alert.state is AlertState.FIRING]


def missed(said: Sequence[float]) -> list[Said]:
    """What was said while it did not run never comes."""
    return [Said(at, at) for at in said if not STOPS < at < STARTS]


def made_good(said: Sequence[float]) -> list[Said]:
    """What was said while it did not run comes at once."""
    return [Said(at, STARTS + at % 1 if STOPS < at < STARTS else at) for at in said]


@server_proved
@pytest.mark.parametrize("after", [missed, made_good])
def test_a_restart_is_no_spike(place: str, after: Any) -> None:  # noqa: ANN401
    assert not walked(after(chatter(3)), place, restarts=True)


@server_proved
@pytest.mark.parametrize("after", [missed, made_good])
def test_a_spike_after_a_restart_is_told_as_soon_as_without_one(place: str, after: Any) -> None:  # noqa: ANN401
    said = sorted([*chatter(5), *(second + 0.5 for second in FLOOD)])
    straight = walked([Said(at, at) for at in said], restarts=False)
    again = walked(after(said), place, restarts=True)
    assert [alert.at for alert in straight] == [alert.at for alert in again]
    assert straight
