"""A payload that kills the monitor is set aside after crashes in a row; everything else is archived."""

import asyncio
import json
import os
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from monitor.clock import SystemClock
from monitor.store.store import Store
from tests.fakes.postgres import server_proved
from tests.faults.poisoned import PIECE, POISON
from tests.pipeline.test_daemon import configuration, free_port

POSTS = 60
PATIENCE = 60.0


def written(folder: Path) -> None:
    with (folder / "posts.ndjson").open("w", encoding="utf-8") as file:
        for number in range(POSTS):
            text = POISON.decode() if number == POSTS // 2 else "bazarak"
            post = {"id": str(number), "platform": "x", "text": f"bazarak {text}", "created_at": "2021-09-03T13:30:00Z"}
            file.write(json.dumps(post) + "\n")


async def crashed(folder: Path, way: str, store: str) -> bool:
    """One run: until it dies by itself, or the whole file is read; then it is stopped in order."""
    here = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.poisoned", str(folder), way),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(here)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    size = (folder / "posts.ndjson").stat().st_size
    async with asyncio.timeout(PATIENCE):
        while process.returncode is None and offset(store) < size:
            await SystemClock().sleep(timedelta(milliseconds=50))
        if process.returncode is None:
            process.terminate()
        return await process.wait() != 0


def offset(store: str) -> int:
    """How far the file is committed, read beside the daemon."""
    asked = "SELECT cursor FROM resume_points"
    try:
        if store.startswith("sqlite"):
            with closing(sqlite3.connect(f"file:{store.removeprefix('sqlite:///')}?mode=ro", uri=True)) as read:
                found = read.execute(asked).fetchone()
        else:
            with psycopg.connect(store) as server:
                found = server.execute(asked).fetchone()
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):  # not there yet
        return 0
    return int(json.loads(found[0])["offset"]) if found else 0


@server_proved
@pytest.mark.parametrize(("way", "crashes"), [("raise", 2), ("exit", 5)])
async def test_poison_is_set_aside_and_all_else_archived(tmp_path: Path, place: str, way: str, crashes: int) -> None:
    folder = configuration(tmp_path, free_port(), place)
    written(folder)
    runs = 1
    while await crashed(folder, way, place):
        runs += 1
        assert runs <= crashes + 1
    (set_aside,) = (tmp_path / "in-hand").glob("*.payload")
    poison = set_aside.read_bytes()
    assert POISON in poison
    assert len(poison) <= PIECE
    lost = {json.loads(line)["id"] for line in poison.splitlines()}
    with Store(place) as store:
        archived = store.recent_mentions(1000)["id"].to_list()
    assert sorted([*archived, *lost], key=int) == [str(number) for number in range(POSTS)]
