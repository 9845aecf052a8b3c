"""A live feed into a daemon whose store is a PostgreSQL server that dies, turns read-only or has no disk left."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.fakes.postgres import Postgres, running
from tests.faults.test_live import EVENTS, full, kept, root, said, small_disk
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


@pytest.mark.prove
async def test_a_server_that_is_read_only_for_half_a_minute(tmp_path: Path, server: Postgres) -> None:
    """As a primary is that has become a standby."""
    async with live(tmp_path, events=EVENTS, store=server.place()) as rig:

        async def deed() -> None:
            await rig.rest(5)
            with read_only(server):
                await rig.rest(30)
            await rig.rest(10)

        books = await rig.suffer(deed)
    said("server read-only for 30 s", rig.rig.store, books)
    assert waited(rig)
    kept(books)


@pytest.mark.prove
async def test_a_server_whose_disk_is_full_twenty_times(tmp_path: Path) -> None:
    root()
    died = 0
    with small_server() as (server, disk):
        async with live(tmp_path, events=EVENTS, store=server.place()) as rig:

            async def revived() -> int:
                """What a service manager does; a server that cannot write its log ends."""
                if not server.died():
                    return 0
                await asyncio.to_thread(server.start)
                return 1

            async def deed() -> None:
                nonlocal died
                for time in range(ROUNDS):
                    await rig.rest(rig.chance.uniform(2.0, 5.0))
                    died += await revived()
                    with full(disk):
                        await rig.rest(rig.chance.uniform(1.0, 4.0) if time else 20.0)
                    died += await revived()
                await rig.rest(5)
                died += await revived()
                await rig.rest(5)

            books = await rig.suffer(deed)
    said(f"disk full {ROUNDS} times: the monitor waited {waited(rig)}, the server died {died}", rig.rig.store, books)
    assert waited(rig)
    kept(books)


def waited(rig: Live) -> int:
    """How often the monitor said that it waits for its store."""
    return (rig.rig.folder / "daemon.log").read_text("utf-8").count("the store cannot be used")


@contextmanager
def read_only(server: Postgres) -> Iterator[None]:
    """The server takes no writes, not over connections that are open either."""

    def be(value: str) -> None:
        server.tell(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        server.tell("SELECT pg_reload_conf()")

    be("on")
    try:
        yield
    finally:
        be("off")


@contextmanager
def small_server() -> Iterator[tuple[Postgres, Path]]:
    """A server on a small disk of its own."""
    with TemporaryDirectory() as outside:
        Path(outside).chmod(0o755)  # the server is another user
        with small_disk(Path(outside) / "disk", 256) as disk, running(disk) as server:
            for setting in ("max_wal_size = '64MB'", "min_wal_size = '32MB'"):
                server.tell(f"ALTER SYSTEM SET {setting}")
            server.tell("SELECT pg_reload_conf()")
            yield server, disk
