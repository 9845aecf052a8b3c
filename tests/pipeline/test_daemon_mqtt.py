"""The daemon with a broker on both sides: posts in, status out; stopped and started again."""

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from monitor.app.daemon import Daemon
from monitor.clock import SystemClock
from monitor.settings import load
from monitor.store.store import Store
from tests.fakes.mosquitto import PATIENCE, Mosquitto, free_ports, mosquitto, password
from tests.fakes.mqtt_source import post, send

EVENT = 'name = "fall"\nproposition = "Bazarak has fallen"\nany = ["*"]\n'


def configuration(folder: Path, broker: Mosquitto) -> Path:
    (web,) = free_ports(1)
    (folder / "events").mkdir(parents=True, exist_ok=True)
    (folder / "events" / "fall.toml").write_text(EVENT, "utf-8")
    account = f'host = "127.0.0.1"\nport = {broker.port}\nusername = "monitor"\npassword_env = "WORD"\n'
    (folder / "monitor.toml").write_text(
        f'[store]\nurl = "sqlite:///{folder}/m.sqlite"\n[web]\nport = {web}\n[pipeline]\nin_hand = "{folder}/in-hand"\n'
        f'[[source]]\nkind = "mqtt"\nname = "bus"\n{account}'
        f'[[receiver]]\nkind = "mqtt"\nname = "out"\n{account}',
        "utf-8",
    )
    return folder


async def status(client: aiomqtt.Client, **wanted: Any) -> None:  # noqa: ANN401 -- any field
    """Waits for a status with these fields."""
    async with asyncio.timeout(PATIENCE):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            said = msgspec.json.decode(message.payload)
            if all(said[name] == value for name, value in wanted.items()):
                return


async def archived(folder: Path, count: int) -> list[str]:
    """Waits until so many mentions are committed."""
    with Store(f"sqlite:///{folder}/m.sqlite") as store:
        async with asyncio.timeout(PATIENCE):
            while store.recent_mentions(1000).height < count:
                await SystemClock().sleep(timedelta(milliseconds=20))
        return sorted(store.recent_mentions(1000)["id"].to_list(), key=int)


async def test_posts_come_from_the_broker_and_the_status_goes_there(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, broker.client() as other:
        await other.subscribe("vm/status/+", qos=1)
        folder = configuration(tmp_path / "monitor", broker)
        for first in (0, 30):
            stop = asyncio.Event()
            settings = load(folder, {"WORD": password("monitor")})
            with Daemon(settings, SystemClock(), random.Random(1)) as daemon:
                running = asyncio.create_task(daemon.run(stop))
                await status(other, state="up", store="good", sources={"bus": "running"})
                await send(broker, *map(post, range(first, first + 20)))
                assert await archived(folder, first // 30 * 30 + 20) == [str(number) for number in range(first + 20)]
                stop.set()
                await asyncio.wait_for(running, PATIENCE)
            await status(other, state="stopped")
            await send(broker, *map(post, range(20, 30)))
