"""The daemon as a process between two sides of a broker: a flood of claims comes in, finding and alert go out."""

import asyncio
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from tests.fakes.mosquitto import Mosquitto, mosquitto, password
from tests.fakes.mqtt_source import send
from tests.rig.feed import Writer
from tests.rig.rig import rig

PATIENCE = 60.0


def tables(broker: Mosquitto) -> str:
    account = f'host = "127.0.0.1"\nport = {broker.port}\nusername = "monitor"\npassword_env = "BUS"\n'
    return f'[[source]]\nkind = "mqtt"\nname = "bus"\n{account}[[receiver]]\nkind = "mqtt"\nname = "out"\n{account}'


async def first(client: aiomqtt.Client, topic: str, **wanted: str) -> dict[str, Any]:
    """The next message of a topic with these fields."""
    async with asyncio.timeout(PATIENCE):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            said: dict[str, Any] = msgspec.json.decode(message.payload)
            if message.topic.matches(topic) and all(said[name] == value for name, value in wanted.items()):
                return said
    raise AssertionError


async def test_a_flood_of_claims_becomes_a_finding_and_an_alert_for_other_systems(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    async with (
        mosquitto(tmp_path / "broker") as broker,
        rig(tmp_path, tables(broker), {"BUS": password("monitor")}, events=1) as made,
        broker.client() as findings,
        broker.client() as alerts,
        broker.client() as status,
    ):
        await findings.subscribe("vm/findings/+", qos=1)
        await alerts.subscribe("vm/alerts/+", qos=1)
        await status.subscribe("vm/status/+", qos=1)
        await made.daemon.start()
        await made.daemon.ready()
        await first(status, "vm/status/monitor", state="up")
        writer = Writer(1)
        for _ in range(10):
            posts = [writer.post()[0] for _ in range(20)]
            await send(broker, msgspec.json.encode(posts))
        finding = (await first(findings, "vm/findings/flood000"))["finding"]
        assert finding["holds"]
        alert = await first(alerts, "vm/alerts/flood000")
        assert alert["alert"]["event"] == "flood000"
        assert alert["sent_to"] == "out"
        await made.daemon.kill()
        await first(status, "vm/status/monitor", state="down")
