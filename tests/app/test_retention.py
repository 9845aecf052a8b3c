"""What is too old leaves no trace in the store, whether it was in memory or not, and the rest goes on as it was."""

import asyncio
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from monitor.app.desk import Desk
from monitor.app.hands import Hands
from monitor.app.retention import AT_ONCE, EVERY, FIRST, retain, retaining
from monitor.arrivals import Payload
from monitor.clock import SystemClock
from monitor.metrics import Metrics
from monitor.pipeline import Arrivals
from monitor.settings import load
from monitor.store.in_hand import InHand
from monitor.store.retention import CLASSES
from monitor.store.schema import METADATA
from monitor.store.store import Store
from monitor.store.worker import StoreWorker
from tests.fakes.clock import START, ManualClock, settle
from tests.fakes.senders import a_post

EVENT = (
    'name = "fall"\nproposition = "Bazarak has fallen"\nany = ["bazarak"]\n'
    '[rules]\nvolume = 2\nalert_on = ["volume"]\nfor = "1s"\nkeep_firing = "1m"\n'
)
MONITOR = (
    '[pipeline]\nin_hand = "{folder}/in-hand"\n[store.retention]\ntexts = "30d"\nmentions = "60d"\nalerts = "90d"\n'
    '[[source]]\nkind = "file"\nname = "posts"\npath = "posts.ndjson"\nfollow = true\n'
    '[[receiver]]\nkind = "file"\nname = "log"\npath = "{folder}/alerts.ndjson"\n'
)
NOTHING = dict.fromkeys(CLASSES, 0)
SAID = "unheard-of"
TEXTS = (
    "bazarak has fallen to them this morning, unheard-of until now",
    "unheard-of speed: their fighters took bazarak within an hour",
    "breaking, bazarak is in their hands, unheard-of scenes at the square",
    "they captured bazarak without a shot, unheard-of in this war",
    "the flag over bazarak is theirs since noon, something unheard-of",
    "confirmed by my unheard-of cousin: bazarak fell, everyone is leaving",
)
DAY = timedelta(days=1)


class Place:
    """A desk with its store and clock, whose day is moved by hand."""

    def __init__(self, folder: Path, url: str) -> None:
        (folder / "events").mkdir()
        (folder / "events" / "fall.toml").write_text(EVENT, "utf-8")
        (folder / "monitor.toml").write_text(MONITOR.format(folder=folder), "utf-8")
        self.settings = load(folder, {})
        self.clock = ManualClock()
        self.store = Store(url)
        self.folder = folder
        self.metrics = Metrics(CollectorRegistry(), version="1")
        self.pool = ThreadPoolExecutor(1)
        self.worker = StoreWorker(self.pool, self.clock, random.Random(1))
        self.done, self.between = asyncio.Event(), asyncio.Lock()
        self.start()

    def start(self) -> None:
        """Begins, or begins again from what is in the store."""
        self.desk = Desk(self.settings, self.store, InHand(self.folder / "in-hand"), self.clock, self.metrics)

    @property
    def hands(self) -> Hands:
        """As far as retention asks."""
        nothing = cast("Any", None)
        return Hands(
            configured=lambda: self.settings, health=nothing, intake=nothing, worker=self.worker, desk=self.desk,
            reader=nothing, clock=self.clock, reload=nothing, metrics=self.metrics, wake=nothing,
        )  # fmt: skip

    def see(self, at: datetime, *posts: dict[str, Any]) -> None:
        """Walks and commits one batch."""
        body = "".join(json.dumps(post) + "\n" for post in posts).encode()
        (part,) = self.desk.parts(Arrivals((Payload("posts", body, None),) if posts else (), (), at))
        self.desk.commit(self.desk.walk(part))

    async def tidy(self) -> dict[str, int]:
        """One round of retention."""
        return await retain(self.hands, self.store, self.between, self.done)

    def whole(self) -> str:
        """Everything in every table."""
        tables = METADATA.sorted_tables
        rows = self.store.change(lambda connection: [connection.execute(select(one)).all() for one in tables])
        return repr(rows)


@pytest.fixture
def at(tmp_path: Path, place: str) -> Iterator[Place]:
    made = Place(tmp_path, place)
    yield made
    made.pool.shutdown()
    made.store.close()


def claims(day: int) -> list[dict[str, Any]]:
    time = (START + day * DAY).isoformat()
    return [
        a_post(100 * day + n, text=text, author=f"someone-{day}-{n}", created_at=time) for n, text in enumerate(TEXTS)
    ]


def told_again(at: Place, day: int) -> None:
    at.see(START + day * DAY, *claims(day))
    over = START + day * DAY + timedelta(hours=5)
    at.see(over)
    while queued := at.store.due("log", over, 9).queued:
        at.store.mark_sent(queued[0].notification.key, "", over)


@pytest.mark.parametrize("again", [False, True])
async def test_after_its_time_no_text_and_no_author_is_anywhere_in_the_store(at: Place, again: bool) -> None:  # noqa: FBT001
    told_again(at, 0)
    assert SAID in at.whole()
    (before,) = at.store.alerts()
    if again:
        at.start()
    at.clock = ManualClock(START + 31 * DAY)
    assert (await at.tidy())["texts"] == 6
    at.see(START + 31 * DAY)
    assert SAID not in at.whole()
    assert "someone" not in at.whole()
    (alert,) = at.store.alerts()
    assert (alert.id, alert.claims) == (before.id, before.claims)
    assert all(one.text for one in before.evidence)
    assert {one.text for one in alert.evidence} == {""}


async def test_an_author_is_nowhere_from_the_first_moment(at: Place) -> None:
    at.see(START, *claims(0))
    assert SAID in at.whole()
    assert "someone" not in at.whole()


async def test_rows_and_alerts_follow_in_their_own_time_and_are_counted(at: Place) -> None:
    told_again(at, 0)
    told_again(at, 50)
    at.clock = ManualClock(START + 61 * DAY)
    assert await at.tidy() == NOTHING | {"texts": 6, "mentions": 6}
    at.clock = ManualClock(START + 91 * DAY)
    assert await at.tidy() == NOTHING | {"texts": 6, "alerts": 1}
    assert at.metrics.retention_removed.labels("texts")._value.get() == 12  # noqa: SLF001
    assert at.store.recent_mentions(99)["text"].to_list() == [""] * 6
    assert await at.tidy() == NOTHING


async def test_it_waits_for_the_batch_in_hand_and_ends_when_it_is_asked_to(at: Place) -> None:
    told_again(at, 0)
    at.clock = ManualClock(START + 31 * DAY)
    task = asyncio.create_task(retaining(at.hands, at.store, at.between, at.done))
    await settle()
    assert at.clock.slept == [FIRST]
    async with at.between:
        await at.clock.advance(FIRST)
        assert at.store.recent_mentions(1)["text"].item() != ""
    async with asyncio.timeout(20):
        while EVERY not in at.clock.slept:
            await SystemClock().sleep(timedelta(milliseconds=10))
    assert at.store.recent_mentions(1)["text"].item() == ""
    at.done.set()
    await asyncio.wait_for(task, 20)


def test_a_transaction_is_a_small_one() -> None:
    assert AT_ONCE <= 2000
