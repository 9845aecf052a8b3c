"""A configuration changes while the daemon runs: all of it or nothing, and no post is lost on the way."""

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from monitor.app.daemon import Daemon
from monitor.app.reload import applicable, changes
from monitor.clock import SystemClock
from monitor.settings import load
from monitor.store.store import Store
from tests.pipeline.test_daemon import PATIENCE, configuration, free_port, scraped, write

SECOND = '[[source]]\nkind = "file"\nname = "more"\npath = "{path}"\nfollow = true\n'


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Daemon]:
    stop = asyncio.Event()
    with Daemon(load(folder, {}), SystemClock(), random.Random(1), reread=lambda: load(folder, {})) as daemon:
        task = asyncio.create_task(daemon.run(stop))
        try:
            yield daemon
        finally:
            stop.set()
            await asyncio.wait_for(task, PATIENCE)


def event(folder: Path, name: str, term: str) -> None:
    text = f'name = "{name}"\nproposition = "{term} has fallen"\nany = ["{term}"]\n'
    (folder / "events" / f"{name}.toml").write_text(text, "utf-8")


def append(path: Path, identity: str, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f'{{"id": "{identity}", "platform": "x", "text": "{text}", "created_at": "2021-09-03T13:30:00Z"}}\n')


async def test_an_event_added_while_it_runs_matches_the_next_post(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    write(folder, 0, 5)
    async with running(folder) as daemon:
        await scraped(port, 'monitor_posts_received_total{source="posts"} 5.0')
        append(folder / "posts.ndjson", "early", "dam broken")
        await scraped(port, 'monitor_posts_received_total{source="posts"} 6.0')
        event(folder, "dam", "dam")
        assert await daemon.reload() == ()
        append(folder / "posts.ndjson", "late", "the dam is broken")
        await scraped(port, 'monitor_posts_received_total{source="posts"} 7.0')
    with Store(f"sqlite:///{folder}/m.sqlite") as store:
        mentions = store.recent_mentions(100)
    assert mentions.filter(mentions["event"] == "dam")["id"].to_list() == ["late"]
    assert mentions.filter(mentions["event"] == "fall").height == 5


async def test_a_configuration_with_mistakes_is_refused_and_the_old_one_goes_on(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    write(folder, 0, 5)
    async with running(folder) as daemon:
        await scraped(port, 'monitor_posts_received_total{source="posts"} 5.0')
        event(folder, "dam", "")
        mistakes = await daemon.reload()
        assert [mistake.partition(": $")[0] for mistake in mistakes] == [str(folder / "events" / "dam.toml")]
        await scraped(port, "monitor_config_last_reload_successful 0.0")
        write(folder, 5, 8)
        await scraped(port, 'monitor_posts_received_total{source="posts"} 8.0')
        (folder / "events" / "dam.toml").unlink()
        assert await daemon.reload() == ()
        await scraped(port, "monitor_config_last_reload_successful 1.0")


async def test_sources_come_and_go_and_go_on_where_they_were(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    (folder / "posts.ndjson").touch()
    plain = (folder / "monitor.toml").read_text("utf-8")
    append(folder / "more.ndjson", "m1", "bazarak one")
    async with running(folder) as daemon:
        (folder / "monitor.toml").write_text(plain + SECOND.format(path=folder / "more.ndjson"), "utf-8")
        assert await daemon.reload() == ()
        await scraped(port, 'monitor_posts_received_total{source="more"} 1.0')
        (folder / "monitor.toml").write_text(plain, "utf-8")
        assert await daemon.reload() == ()
        append(folder / "more.ndjson", "m2", "bazarak two")
        (folder / "monitor.toml").write_text(plain + SECOND.format(path=folder / "more.ndjson"), "utf-8")
        assert await daemon.reload() == ()
        await scraped(port, 'monitor_posts_received_total{source="more"} 2.0')
    with Store(f"sqlite:///{folder}/m.sqlite") as store:
        assert store.recent_mentions(100)["id"].to_list() == ["m1", "m2"]


async def test_many_reloads_under_load_lose_no_post(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    (folder / "posts.ndjson").touch()
    async with running(folder) as daemon:
        await scraped(port, 'monitor_posts_received_total{source="posts"} 0.0')
        for number in range(20):
            write(folder, number * 20, number * 20 + 20)
            event(folder, "dam", f"dam{number}")
            assert await daemon.reload() == ()
        await scraped(port, 'monitor_posts_received_total{source="posts"} 400.0')
    with Store(f"sqlite:///{folder}/m.sqlite") as store:
        assert store.recent_mentions(1000).height == 400


async def test_a_reload_that_meets_a_stop_is_over_before_it_or_refused(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    (folder / "posts.ndjson").touch()
    async with running(folder) as daemon:
        await scraped(port, 'monitor_source_up{source="posts"} 1.0')
        event(folder, "dam", "dam")
        (folder / "more.ndjson").touch()
        with (folder / "monitor.toml").open("a", encoding="utf-8") as file:
            file.write(SECOND.format(path=folder / "more.ndjson"))
        reloads = [asyncio.create_task(daemon.reload()) for _ in range(3)]
        await SystemClock().sleep(timedelta(milliseconds=5))
    told = [await asyncio.wait_for(reload, PATIENCE) for reload in reloads]
    assert all(mistakes == () or "stopping" in mistakes[0] for mistakes in told)
    assert "stopping" in (await daemon.reload())[0]


async def test_a_hangup_signal_reloads(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    write(folder, 0, 3)
    command = (sys.executable, "-m", "monitor", "run", "--config", str(folder))
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stderr=asyncio.subprocess.DEVNULL)
    try:
        await scraped(port, 'monitor_posts_received_total{source="posts"} 3.0')
        event(folder, "dam", "dam")
        process.send_signal(signal.SIGHUP)
        await scraped(port, 'monitor_reloads_total{outcome="applied"} 1.0')
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_what_cannot_change_while_it_runs_waits_for_a_restart(tmp_path: Path) -> None:
    folder = configuration(tmp_path, 9000)
    before = load(folder, {})
    text = (folder / "monitor.toml").read_text("utf-8").replace("port = 9000", "port = 9001")
    (folder / "monitor.toml").write_text(text, "utf-8")
    event(folder, "dam", "dam")
    read = load(folder, {})
    assert str(changes(before, read)) == "events +dam; after a restart [web]"
    assert applicable(before, read).monitor.web.port == 9000
    assert [one.name for one in applicable(before, read).events] == ["dam", "fall"]
    assert str(changes(read, read)) == "nothing differs"


def test_the_log_names_what_differs_and_never_what_it_says(tmp_path: Path) -> None:
    port = free_port()
    configuration(tmp_path, port)
    desk = '[[receiver]]\nkind = "webhook"\nname = "desk"\nurl = "https://h/{path}"\nsecret_env = "KEY"\n'
    text = (tmp_path / "monitor.toml").read_text("utf-8")
    event(tmp_path, "dam", "bridge")
    told = []
    for path, key in (("a", "one key"), ("b", "one key"), ("b", "another key")):
        (tmp_path / "monitor.toml").write_text(text + desk.format(path=path), "utf-8")
        told.append(load(tmp_path, {"KEY": key}))
    event(tmp_path, "dam", "tunnel")
    told.append(load(tmp_path, {"KEY": "another key"}))
    assert [str(changes(before, after)) for before, after in pairwise(told)] == [
        "receivers ~desk(url)",
        "receivers ~desk(secret)",
        "events ~dam(proposition, any)",
    ]
