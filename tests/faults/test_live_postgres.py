"""A live feed into a daemon whose store is a PostgreSQL server, while both of them die."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.postgres import Postgres, running
from tests.faults.test_live import EVENTS, kept, said
from tests.rig.live import ROUNDS, Live, live


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One of our own, that may be stopped."""
    with running() as started:
        yield started


async def restarted(rig: Live, server: Postgres, how: signal.Signals) -> None:
    """The server stops, is away for a moment, and comes back."""
    await asyncio.to_thread(server.stop, how)
    await rig.rest(rig.chance.uniform(0.0, 2.0))
    await asyncio.to_thread(server.start)


async def test_killed_monitors_and_servers_cost_nothing(tmp_path: Path, server: Postgres) -> None:
    async with live(tmp_path, events=3, store=server.place()) as rig:

        async def deed() -> None:
            await rig.killed((0.5, 2.0))
            await rig.rest(1.0)
            await restarted(rig, server, signal.SIGQUIT)
            await rig.killed((0.5, 2.0))
            await restarted(rig, server, signal.SIGINT)

        kept(await rig.suffer(deed), alerts=False)


@pytest.mark.prove
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["restarted", "crashed"])
async def test_twenty_restarts_of_the_server(tmp_path: Path, server: Postgres, how: signal.Signals) -> None:
    async with live(tmp_path, events=EVENTS, store=server.place()) as rig:

        async def deed() -> None:
            for _ in range(ROUNDS):
                await rig.rest(rig.chance.uniform(1.0, 4.0))
                await restarted(rig, server, how)

        books = await rig.suffer(deed)
    said(f"PostgreSQL {'restarted' if how is signal.SIGINT else 'crashed'} {ROUNDS} times", rig.rig.store, books)
    kept(books)
