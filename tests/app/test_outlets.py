"""Receivers that keep a connection come and go with the configuration."""

import asyncio
import random
from datetime import timedelta
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry

from monitor.alert.receivers.mqtt import Mqtt, MqttSettings
from monitor.app.outlets import Outlets
from monitor.clock import SystemClock
from monitor.metrics import Metrics
from monitor.records import Alert
from monitor.web.server import Health, SourceHealth
from tests.fakes.alerts import AT
from tests.fakes.mosquitto import PATIENCE, Mosquitto, mosquitto, password


def receiver(broker: Mosquitto) -> Mqtt:
    settings = MqttSettings(name="bus", host="127.0.0.1", port=broker.port, username="monitor")
    return Mqtt(settings, password("monitor"))


def health() -> Health:
    return Health(ready=True, at=AT, sources=(SourceHealth(name="posts", state="running"),))


async def nothing(_: str) -> list[Alert]:
    return []


async def connected(registry: CollectorRegistry, *, wanted: float) -> None:
    async with asyncio.timeout(PATIENCE):
        while registry.get_sample_value("monitor_receiver_connected", {"receiver": "bus"}) != wanted:
            await SystemClock().sleep(timedelta(milliseconds=10))


async def test_one_that_is_exchanged_takes_leave_before_its_successor_speaks(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, version="1")
    async with mosquitto(tmp_path) as broker, broker.client() as other, asyncio.TaskGroup() as tasks:
        await other.subscribe("vm/status/+", qos=1)
        clock, chance = SystemClock(), random.Random(1)
        outlets = Outlets(tasks, metrics=metrics, health=health, standing=nothing, clock=clock, chance=chance)
        outlets.follow([receiver(broker)])
        await connected(registry, wanted=1)
        outlets.follow([receiver(broker)])
        seen: list[str] = []
        async with asyncio.timeout(PATIENCE):
            while len(seen) < 3:
                message = await anext(other.messages)
                assert isinstance(message.payload, bytes)
                seen.append(msgspec.json.decode(message.payload)["state"])
        assert seen == ["up", "stopped", "up"]
        outlets.stop()
    assert registry.get_sample_value("monitor_receiver_connected", {"receiver": "bus"}) == 0
