"""Posts pushed to the daemon whole: answered after the commit, never lost, never counted twice, whatever restarts."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp

from monitor.app.daemon import Daemon
from monitor.arrivals import Payload
from monitor.clock import SystemClock
from monitor.settings import load
from monitor.store.in_hand import InHand
from monitor.store.store import Store
from tests.fakes.senders import SECRET, a_post, posts, send, signed
from tests.pipeline.test_daemon import EVENT, PATIENCE, free_port, scraped

CLOCK = SystemClock()


def configuration(folder: Path, port: int, more: str = "") -> Path:
    (folder / "events").mkdir()
    (folder / "events" / "fall.toml").write_text(EVENT, "utf-8")
    (folder / "monitor.toml").write_text(
        f'[store]\nurl_env = "STORE"\n[web]\nport = {port}\n'
        f'[pipeline]\nin_hand = "{folder}/in-hand"\n{more}\n'
        '[[source]]\nkind = "ingest"\nname = "pushed"\nsecret_env = "S"\nmost_bytes = 100_000\n',
        "utf-8",
    )
    return folder


@asynccontextmanager
async def running(folder: Path, port: int, place: str | None = None) -> AsyncIterator[None]:
    """The daemon, ready, with its store at `place` or in a file of its folder; stopped in order at the end."""
    stop = asyncio.Event()
    environ = {"S": SECRET, "STORE": place or in_file(folder)}
    with Daemon(load(folder, environ), CLOCK, random.Random(1)) as daemon:
        task = asyncio.create_task(daemon.run(stop))
        await scraped(port, 'monitor_source_up{source="pushed"} 1.0')
        yield
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


def now() -> float:
    return CLOCK.now().timestamp()


def in_file(folder: Path) -> str:
    return f"sqlite:///{folder}/m.sqlite"


def archived(place: str) -> list[str]:
    with Store(place) as store:
        return sorted(store.recent_mentions(10_000)["id"].to_list(), key=int)


async def metric(port: int, name: str) -> str | None:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next((line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")), None)


async def came(port: int, posts: int) -> None:
    """Waits until so many posts are in hand, in the channel or in a batch."""
    async with asyncio.timeout(PATIENCE):
        while True:
            waiting = await metric(port, "monitor_intake_posts")
            received = await metric(port, 'monitor_posts_received_total{source="pushed"}')
            if float(waiting or 0) + float(received or 0) >= posts:
                return
            await CLOCK.sleep(timedelta(milliseconds=10))


async def test_what_is_answered_is_in_the_archive(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    mixed = json.dumps([a_post(7), {"id": "8"}, a_post(9, created_at="soon")]).encode()
    async with running(folder, port):
        answers = [await send(port, body, signed(body, now()), key=str(place)) for place, body in enumerate([mixed])]
        assert (answers[0].status, answers[0].body) == (
            202,
            {"accepted": 1, "rejected": {"missing_field": 1, "bad_time": 1}},
        )
        assert await metric(port, 'monitor_ingest_requests_total{code="202",reason="",source="pushed"}') == "1.0"
        junk = b"\x00\xff{]"
        refused = await send(port, junk, signed(junk, now()))
        assert (refused.status, refused.body["error"], refused.body["rejected"]) == (
            400,
            "nothing_usable",
            {"not_json": 1},
        )
    assert archived(in_file(folder)) == ["7"]


async def test_a_request_comes_again_after_a_restart_and_gets_the_same_answer(tmp_path: Path, place: str) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    body = posts(0, 20)
    async with running(folder, port, place):
        first = await send(port, body, signed(body, now()), key="a")
    async with running(folder, port, place):
        again = await send(port, body, signed(body, now()), key="a")
        replayed = await send(port, body, signed(body, now()), key="b")
        reused = await send(port, posts(5, 6), signed(posts(5, 6), now()), key="a")
        assert await metric(port, 'monitor_posts_received_total{source="pushed"}') == "0.0"
    assert (first.status, again.status, replayed.status, reused.status) == (202, 202, 401, 422)
    assert again.body == first.body == {"accepted": 20, "rejected": {}}
    assert archived(place) == [str(number) for number in range(20)]


async def test_an_answer_that_was_lost_is_given_again_after_a_restart(tmp_path: Path, place: str) -> None:
    port = free_port()
    folder = configuration(tmp_path, port, 'batch_interval = "2s"')
    body = posts(0, 20)
    async with running(folder, port, place):
        asking = asyncio.create_task(send(port, body, signed(body, now()), key="a"))
        await came(port, 20)
        asking.cancel()
        await asyncio.wait([asking])
        await scraped(port, 'monitor_posts_received_total{source="pushed"} 20.0')
    async with running(folder, port, place):
        again = await send(port, body, signed(body, now()), key="a")
        assert (again.status, again.body) == (202, {"accepted": 20, "rejected": {}})
        assert await metric(port, 'monitor_posts_received_total{source="pushed"}') == "0.0"


async def test_what_is_in_hand_at_a_stop_is_committed_and_answered(tmp_path: Path, place: str) -> None:
    port = free_port()
    folder = configuration(tmp_path, port, 'batch_interval = "5s"')
    body = posts(0, 20)
    async with running(folder, port, place):
        asking = asyncio.create_task(send(port, body, signed(body, now()), key="a"))
        await came(port, 20)
    assert (await asking).status == 202
    assert archived(place) == [str(number) for number in range(20)]


async def test_a_full_channel_says_so_and_nothing_is_lost(tmp_path: Path) -> None:
    port = free_port()
    folder = configuration(tmp_path, port, 'batch_posts = 10\nqueue_posts = 10\nbatch_interval = "1s"')
    async with running(folder, port):
        bodies = [posts(first, first + 10) for first in range(0, 300, 10)]
        tasks = [asyncio.create_task(send(port, body, signed(body, now()))) for body in bodies]
        answers = await asyncio.gather(*tasks)
        full = [answer for answer in answers if answer.status == 429]
        assert full
        assert {answer.body["error"] for answer in full} == {"queue_full"}
        assert all(answer.headers["Retry-After"] for answer in full)
    taken = [number for number, answer in enumerate(answers) if answer.status == 202]
    assert archived(in_file(folder)) == [str(post) for number in taken for post in range(number * 10, number * 10 + 10)]


async def test_a_body_the_monitor_crashed_on_twice_is_set_aside_and_said_so_also_after_a_restart(
    tmp_path: Path,
) -> None:
    port = free_port()
    folder = configuration(tmp_path, port)
    body = posts(0, 5)
    crashed = {"points": {InHand.digest(Payload("pushed", body, None)): 2}, "failed": True}
    (folder / "in-hand").mkdir()
    (folder / "in-hand" / "in-hand.json").write_text(json.dumps(crashed), "utf-8")
    async with running(folder, port):
        first = await send(port, body, signed(body, now()), key="a")
        other = await send(port, posts(5, 10), signed(posts(5, 10), now()), key="b")
        assert await metric(port, 'monitor_payloads_quarantined_total{source="pushed"}') == "1.0"
    async with running(folder, port):
        again = await send(port, body, signed(body, now()), key="a")
    assert (first.status, first.body["error"]) == (again.status, again.body["error"]) == (422, "quarantined")
    assert other.status == 202
    assert archived(in_file(folder)) == [str(number) for number in range(5, 10)]
    assert [path.read_bytes() for path in (folder / "in-hand").glob("*.payload")] == [body]
