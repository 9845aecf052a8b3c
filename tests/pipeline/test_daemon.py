"""The daemon whole: a file in, the archive, metrics and health out; stopped and started again."""

import asyncio
import json
import random
import socket
from datetime import timedelta
from pathlib import Path

import aiohttp
from aiohttp import web

from monitor.app.daemon import Daemon
from monitor.clock import SystemClock
from monitor.collect.rotated import Place
from monitor.settings import load
from monitor.store.store import Store
from tests.fakes.jetstream import jetstream, post
from tests.fakes.platform import platform

EVENT = 'name = "fall"\nproposition = "Bazarak has fallen"\nany = ["bazarak"]\n'
PATIENCE = 20.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def configuration(folder: Path, port: int, store: str = "") -> Path:
    """`store`: its URL; without it a file in the folder."""
    (folder / "store-url").write_text(store or f"sqlite:///{folder}/m.sqlite", "utf-8")
    (folder / "events").mkdir()
    (folder / "events" / "fall.toml").write_text(EVENT, "utf-8")
    (folder / "monitor.toml").write_text(
        f'[store]\nurl_file = "{folder}/store-url"\n'
        f'[pipeline]\nin_hand = "{folder}/in-hand"\n[web]\nport = {port}\n'
        f'[[source]]\nkind = "file"\nname = "posts"\npath = "{folder}/posts.ndjson"\nfollow = true\n',
        "utf-8",
    )
    return folder


def write(folder: Path, first: int, last: int) -> None:
    with (folder / "posts.ndjson").open("a", encoding="utf-8") as file:
        for number in range(first, last):
            post = {
                "id": str(number),
                "platform": "x",
                "text": f"bazarak {number}",
                "created_at": "2021-09-03T13:30:00Z",
            }
            file.write(json.dumps(post) + "\n")


async def scraped(port: int, line: str) -> None:
    """Waits until /metrics has `line`; fails when that takes too long."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    if line in (await answer.text()).splitlines():
                        return
            except aiohttp.ClientConnectionError:
                pass
            await SystemClock().sleep(timedelta(milliseconds=50))


async def ran(folder: Path, port: int, line: str) -> None:
    """Runs the daemon until its metrics have `line`, then stops it in order."""
    stop = asyncio.Event()
    with Daemon(load(folder, {}), SystemClock(), random.Random(1)) as daemon:
        running = asyncio.create_task(daemon.run(stop))
        await scraped(port, line)
        stop.set()
        await asyncio.wait_for(running, PATIENCE)


async def test_what_was_hot_before_a_restart_is_read_again_after_it(tmp_path: Path) -> None:
    asked: list[str] = []
    called, port = asyncio.Event(), free_port()

    async def handle(request: web.Request) -> web.Response:
        asked.extend(request.query.getall("uris"))
        called.set()
        return web.json_response({"posts": []})

    hot = post(1, "bazarak has fallen")
    folder = configuration(tmp_path, port)
    async with jetstream() as stream, platform(handle) as url:
        with (folder / "monitor.toml").open("a", encoding="utf-8") as file:
            file.write(f'[[source]]\nkind = "bluesky"\nname = "sky"\nhost = "{stream.url}"\napi = "{url}"\n')
            file.write('refresh = 600\nrefresh_again = "0s"\n')
        stream.say(post(0))
        running = asyncio.create_task(ran(folder, port, 'monitor_posts_received_total{source="sky"} 1.0'))
        await stream.at_rest.wait()
        stream.say(hot)
        await running
        called.clear()
        asked.clear()
        stop = asyncio.Event()
        with Daemon(load(folder, {}), SystemClock(), random.Random(1)) as daemon:
            running = asyncio.create_task(daemon.run(stop))
            try:
                await asyncio.wait_for(called.wait(), PATIENCE / 4)
            finally:
                stop.set()
                await asyncio.wait_for(running, PATIENCE)
    assert set(asked) == {hot.uri}


async def test_it_archives_what_a_file_brings_and_goes_on_behind_it_after_a_restart(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    write(folder, 0, 50)
    with (folder / "posts.ndjson").open("a", encoding="utf-8") as file:
        file.write("nope\n")
    await ran(folder, port, 'monitor_posts_received_total{source="posts"} 50.0')
    write(folder, 50, 70)
    await ran(folder, port, 'monitor_posts_received_total{source="posts"} 20.0')
    with Store(f"sqlite:///{folder}/m.sqlite") as store:
        assert sorted(store.recent_mentions(1000)["id"].to_list(), key=int) == [str(number) for number in range(70)]
        place = Place.read(store.resume_points()["posts"])
        assert place.offset == (folder / "posts.ndjson").stat().st_size
