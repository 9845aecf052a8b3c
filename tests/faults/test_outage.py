"""A receiver is down for half an hour with five hundred alerts queued, and the process is killed meanwhile."""

import asyncio
import random
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import text

from monitor.alert import words
from monitor.alert.outbox import notifications
from monitor.clock import SystemClock
from monitor.frames import CLUSTERED
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, an_alert
from tests.fakes.chat import Chat
from tests.fakes.chats import TAKES
from tests.fakes.postgres import server_proved
from tests.rig.audit import reading

KINDS = (("webhook", "slack-webhook", "matrix"), ("slack-bot", "discord", "telegram"))
SPEED = 60.0
DOWN = timedelta(minutes=30)
LOSES = 0.05
"""Of what is taken when the chat is up again, so much is answered as if it were not."""
_NAMED = re.compile(r"Alert ([0-9a-f]{16})")


class Shaky:
    """A chat that is down for a while and then loses some of its answers; keeps every message it ever took."""

    def __init__(self, kind: str, up_at: float, chance: random.Random) -> None:
        self.chat = Chat(TAKES[kind])
        self.kind = kind
        self.requests = 0
        self.taken: list[tuple[str, bool]] = []
        """Alert, and whether the message says that it may be a repeat: one for each new message."""
        self._up_at = up_at
        self._chance = chance
        self._clock = SystemClock()

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        if self._clock.monotonic() < self._up_at:
            if self._chance.random() < 0.2 and request.transport is not None:
                request.transport.abort()
            return web.Response(status=self._chance.choice([429, 500, 502, 503]), text="{}")
        before = set(self.chat.messages)
        answer = await self.chat.take(request)
        for key in self.chat.messages.keys() - before:
            shown = self.chat.messages[key].text
            found = _NAMED.search(shown)
            assert found is not None
            self.taken.append((found[1], words.REPEAT in shown))
        return web.Response(status=502) if self._chance.random() < LOSES else answer

    def books(self, alerts: set[str]) -> tuple[int, int, int]:
        """Alerts that were lost, messages that came again unmarked, and messages that came again marked."""
        seen: Counter[str] = Counter()
        twice = marked = 0
        for alert, repeat in self.taken:
            twice += seen[alert] > 0 and not repeat
            marked += seen[alert] > 0 and repeat
            seen[alert] += 1
        return len(alerts - set(seen)), twice, marked


@asynccontextmanager
async def shaky(kind: str, up_at: float, chance: random.Random) -> AsyncIterator[tuple[Shaky, str]]:
    there = Shaky(kind, up_at, chance)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", there.take)
    server = TestServer(app)
    await server.start_server()
    try:
        yield there, str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


def notes(store: str, state: str) -> int:
    """How many are in that state."""
    with reading(store) as connection:
        asked = text("SELECT count(*) FROM outbox WHERE state = :state")
        return int(connection.execute(asked, {"state": state}).scalar_one())


async def suffered(
    folder: Path, store: str, kinds: Sequence[str], *, alerts: int, down: timedelta, kills: int, seed: int
) -> list[Shaky]:
    """Queues, begins with every chat down, kills `kills` times, and waits until nothing is queued any more."""
    chance, clock = random.Random(seed), SystemClock()
    made = [an_alert(id=f"{number:016x}", label=f"claim {number}") for number in range(alerts)]
    lasts = dict.fromkeys(kinds, timedelta(hours=48))
    with Store(store) as opened:
        outbox = [note for alert in made for note in notifications(alert, lasts, AT)]
        opened.commit(Commit(pl.DataFrame(schema=CLUSTERED), outbox=outbox))
    real = down.total_seconds() / SPEED
    async with AsyncExitStack() as stack:
        up_at = clock.monotonic() + real
        chats = [await stack.enter_async_context(shaky(kind, up_at, chance)) for kind in kinds]
        command = ["-m", "tests.rig.outage", store, str(clock.now().timestamp()), str(SPEED)]
        command += [word for chat, at in chats for word in (chat.kind, at)]
        killed = 0
        while True:
            with (folder / "outage.log").open("ab") as log:
                process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=log)
            try:
                if killed < kills:
                    await clock.sleep(timedelta(seconds=chance.uniform(1.5, 1.5 + 2 * real / max(kills, 1))))
                    killed += 1
                else:
                    while await asyncio.to_thread(notes, store, "queued"):
                        assert process.returncode is None, (folder / "outage.log").read_text("utf-8")[-2000:]
                        await clock.sleep(timedelta(milliseconds=200))
                    break
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()
        assert notes(store, "dead") == 0
        return [chat for chat, _ in chats]


def told(chats: list[Shaky], alerts: int) -> None:
    known = {f"{number:016x}" for number in range(alerts)}
    for chat in chats:
        lost, twice, marked = chat.books(known)
        said = f"lost {lost}, twice without key or mark {twice}   target 0 / 0"
        sys.stdout.write(f"  {chat.kind:<14}{chat.requests:>6,} requests: {said} (twice and marked {marked})\n")
    for chat in chats:
        lost, twice, _ = chat.books(known)
        assert (lost, twice) == (0, 0), chat.kind


@server_proved
async def test_what_is_queued_outlives_an_outage_and_a_kill(tmp_path: Path, place: str) -> None:
    told(await suffered(tmp_path, place, sum(KINDS, ()), alerts=8, down=timedelta(minutes=1), kills=1, seed=1), 8)


@pytest.mark.prove
@pytest.mark.parametrize("kinds", KINDS)
async def test_five_hundred_alerts_half_an_hour_and_ten_kills(tmp_path: Path, place: str, kinds: Sequence[str]) -> None:
    database = place.partition(":")[0]
    sys.stdout.write(f"\n{database}: 500 alerts, down 30 minutes ({SPEED:g} times as fast), kill -9 ten times\n")
    told(await suffered(tmp_path, place, kinds, alerts=500, down=DOWN, kills=10, seed=1), 500)
