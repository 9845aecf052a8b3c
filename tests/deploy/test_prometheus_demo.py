"""The demo's story through the daemon on a clock of the story's time, under a real Prometheus with the whole pack."""

import asyncio
import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import SystemClock
from monitor.demo.play import EVENTS
from monitor.demo.recording import write_ndjson
from monitor.demo.scenario import generate
from tests.deploy.test_prometheus import firing, metrics_are_clean, panels, scraping, until_all_have_data, until_scraped
from tests.fakes.senders import send
from tests.rig.process import DaemonProcess, total
from tests.rig.rig import free_port
from tests.rig.world import World

SEED = 20_210_903
FROM = datetime(2021, 9, 3, 13, tzinfo=UTC)
"""Half an hour before the claim."""
HOURS = 6
SPEED = 240.0
"""Times real time: six hours in a minute and a half."""
PUSH = timedelta(seconds=0.25)
BEGINS = timedelta(seconds=8)
"""Until the story begins: the daemon is ready by then, and has been scraped."""


@pytest.mark.prove
async def test_every_rule_and_panel_has_data_while_the_demos_story_goes_through_the_daemon(tmp_path: Path) -> None:
    clock, port = SystemClock(), free_port()
    world = World(began=(clock.now() + BEGINS).timestamp(), at=FROM.timestamp(), speed=SPEED)
    daemon = DaemonProcess(configured(tmp_path, port), port, tmp_path / "daemon.log", {}, world)
    (tmp_path / "prometheus").mkdir()
    await daemon.start()
    try:
        await daemon.ready()
        async with scraping(port, tmp_path / "prometheus") as server:
            await until_scraped(server)
            telling = asyncio.create_task(tell(port, story(tmp_path), world))
            await until_all_have_data(server)
            await telling
            rules, found = await server.rules(), await daemon.metrics()
        await metrics_are_clean(port, tmp_path)
    finally:
        await daemon.kill()
    fired, posts = total(found, "monitor_alerts_total"), total(found, "monitor_posts_received_total")
    sys.stdout.write(
        f"\ndemo under Prometheus: {len(rules)} rules and {len(list(panels()))} panels and annotations, all with data; "
        f"{posts:,.0f} posts, {fired:.0f} alert steps\n"
    )
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    assert fired > 0
    assert firing(rules) == set()


def configured(folder: Path, port: int) -> Path:
    """The demo's own event file, one source that is pushed to, one receiver."""
    config = folder / "config"
    (config / "events").mkdir(parents=True)
    shutil.copy(EVENTS / "fall-of-panjshir.toml", config / "events")
    (config / "monitor.toml").write_text(
        f'[store]\nurl = "sqlite:///{folder}/m.sqlite"\n[web]\nport = {port}\n'
        f'[pipeline]\nin_hand = "{folder}/in-hand"\n[[source]]\nkind = "ingest"\nname = "demo"\n'
        f'[[receiver]]\nkind = "file"\nname = "desk"\npath = "{folder}/alerts.ndjson"\n',
        "utf-8",
    )
    return config


def story(folder: Path) -> list[dict[str, Any]]:
    """The posts of those hours, in the order in which they were seen."""
    write_ndjson(generate("panjshir", SEED), folder / "story.ndjson")
    posts = [json.loads(line) for line in (folder / "story.ndjson").read_text("utf-8").splitlines()]
    first, last = (FROM + timedelta(hours=hours) for hours in (0, HOURS))
    return sorted((one for one in posts if first <= seen(one) < last), key=seen)


def seen(post: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(post["seen_at"])


async def tell(port: int, posts: list[dict[str, Any]], world: World) -> None:
    """Pushes each as its moment comes, and once something that is no post."""
    clock, waiting = world.clock(), list(due(posts))
    await send(port, json.dumps([{"id": "none"}]).encode(), {})
    for moment, chunk in waiting:
        await clock.sleep(max(moment - clock.now(), timedelta(0)))
        answer = await send(port, json.dumps(chunk).encode(), {})
        assert answer.status == 202, answer.body


def due(posts: list[dict[str, Any]]) -> Iterator[tuple[datetime, list[dict[str, Any]]]]:
    """The posts in steps of PUSH on the wall, each with the moment at which it has all been seen."""
    step = PUSH * SPEED
    number = 0
    while number < len(posts):
        moment = FROM + ((seen(posts[number]) - FROM) // step + 1) * step
        chunk = [one for one in posts[number:] if seen(one) < moment]
        number += len(chunk)
        yield moment, chunk
