"""A live feed over MQTT and HTTP while things break: what was acknowledged is there, once, and its alerts arrived."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.postgres import server_proved
from tests.rig.audit import Audit
from tests.rig.live import ROUNDS, WHOLE, Live, live

PARTS = 2
KILLS_AT_ONCE = ROUNDS * 5 // PARTS
"""Per store: the judge remembers the ticks of ten minutes, against which the archive is counted."""
EVENTS = 30


def kept(books: Audit, *, alerts: bool = WHOLE) -> None:
    """All of it; `alerts` fire at the end of a minute at the earliest, which a short run need not see."""
    assert (books.lost, books.doubled, books.alerts_lost, books.uncounted, books.quarantined) == (0, 0, 0, 0, 0), books
    assert books.acknowledged > 100
    assert books.counted
    assert books.alerts > 0 or not alerts


def said(what: str, store: str, books: Audit) -> None:
    sys.stdout.write(f"\n{store.partition(':')[0]}, {what}: {books}   target lost 0, doubled 0, alerts lost 0\n")


@server_proved
async def test_killed_at_random_moments_nothing_acknowledged_is_lost_or_counted_twice(
    tmp_path: Path, place: str
) -> None:
    async with live(tmp_path, store=place, events=3) as rig:

        async def deed() -> None:
            for _ in range(3):
                await rig.killed((0.5, 2.0))

        kept(await rig.suffer(deed), alerts=False)


@server_proved
async def test_a_broker_that_dies_and_comes_back_costs_nothing(tmp_path: Path, place: str) -> None:
    async with live(tmp_path, store=place, events=3, persistent=True) as rig:

        async def deed() -> None:
            await rig.rest(1.5)
            await broker_killed(rig)

        kept(await rig.suffer(deed), alerts=False)


@pytest.mark.prove
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_hundred_kills_of_a_live_feed(tmp_path: Path, place: str, part: int) -> None:
    async with live(tmp_path, store=place, events=EVENTS) as rig:
        rig.chance.seed(part)

        async def deed() -> None:
            for _ in range(KILLS_AT_ONCE):
                await rig.killed()

        books = await rig.suffer(deed)
    said(f"kill -9 at {KILLS_AT_ONCE} random moments (part {part + 1} of {PARTS})", place, books)
    kept(books)


@pytest.mark.prove
async def test_twenty_deaths_of_the_broker(tmp_path: Path, place: str) -> None:
    async with live(tmp_path, store=place, events=EVENTS, persistent=True) as rig:

        async def deed() -> None:
            for _ in range(ROUNDS):
                await rig.rest(rig.chance.uniform(1.0, 4.0))
                await broker_killed(rig)

        books = await rig.suffer(deed)
    said(f"broker killed and restarted {ROUNDS} times, after it has saved what it acknowledged", place, books)
    kept(books)


@pytest.mark.prove
async def test_what_a_broker_loses_that_dies_in_the_middle_of_traffic(tmp_path: Path, place: str) -> None:
    """Mosquitto acknowledges before it saves: what it loses so never reaches the monitor."""
    async with live(tmp_path, store=place, events=EVENTS, persistent=True) as rig:

        async def deed() -> None:
            for _ in range(ROUNDS):
                await rig.rest(rig.chance.uniform(1.0, 4.0))
                await broker_killed(rig, saves=False)

        books = await rig.suffer(deed)
    said(f"broker killed and restarted {ROUNDS} times in the middle of traffic (its own losses)", place, books)
    assert (books.doubled, books.alerts_lost, books.uncounted) == (0, 0, 0)


@pytest.mark.prove
async def test_a_store_that_cannot_be_written_for_half_a_minute(tmp_path: Path) -> None:
    root()
    place = f"sqlite:///{tmp_path}/m.sqlite"
    async with live(tmp_path, store=place, events=EVENTS) as rig:

        async def deed() -> None:
            await rig.rest(5)
            with immutable(tmp_path / "m.sqlite"):
                await rig.rest(30)
            await rig.rest(10)

        books = await rig.suffer(deed)
    said("store read-only for 30 s", place, books)
    kept(books)


@pytest.mark.prove
async def test_a_disk_that_is_full_twenty_times(tmp_path: Path) -> None:
    root()
    with small_disk(tmp_path / "disk") as disk:
        async with live(disk, events=EVENTS) as rig:

            async def deed() -> None:
                for time in range(ROUNDS):
                    await rig.rest(rig.chance.uniform(2.0, 5.0))
                    with full(disk):
                        await rig.rest(rig.chance.uniform(1.0, 4.0) if time else 20.0)
                await rig.rest(10)

            books = await rig.suffer(deed)
    said(f"disk full {ROUNDS} times, first for 20 s and then for 1 to 4", rig.rig.store, books)
    kept(books)


async def broker_killed(rig: Live, *, saves: bool = True) -> None:
    """The broker dies without a word and is back a moment later, on the same port.

    Before, publishers rest until all that it has acknowledged is saved: it acknowledges first.
    """
    if saves:
        rig.rig.ledger.flow.clear()
        while rig.rig.ledger.flying:
            await rig.rest(0.05)
        await rig.broker.save()
    await rig.broker.kill()
    await rig.rest(rig.chance.uniform(0.0, 2.0))
    await rig.broker.start()
    rig.rig.ledger.flow.set()


def root() -> None:
    """Mounting and making a file immutable are the superuser's."""
    if os.geteuid() != 0:
        pytest.skip("needs root: it mounts a small disk or makes a file immutable")


@contextmanager
def immutable(store: Path) -> Iterator[None]:
    """Nobody can write the database or its log, not even through files that are open."""
    files = [str(store), f"{store}-wal"]
    subprocess.run(["chattr", "+i", *files], check=True)  # noqa: S603, S607 -- our own files
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *files], check=True)  # noqa: S603, S607 -- our own files


@contextmanager
def small_disk(folder: Path, megabytes: int = 128) -> Iterator[Path]:
    """A disk in memory."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)  # noqa: S603, S607 -- our own folder
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607 -- our own folder


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Not a byte is left."""
    ballast = disk / "ballast"
    file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    size = 1 << 20
    while size:
        try:
            os.write(file, bytes(size))
        except OSError:
            size //= 2
    try:
        yield
    finally:
        os.close(file)
        ballast.unlink()
