"""Receivers that keep a connection come and go with the configuration."""

import asyncio
import random
from datetime import timedelta
from pathlib import Path

import msgspec
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from monitor.alert.receivers.alertmanager import Alertmanager, AlertmanagerSettings
from monitor.alert.receivers.mqtt import Mqtt, MqttSettings
from monitor.app.outlets import Outlets
from monitor.clock import SystemClock
from monitor.metrics import Metrics
from monitor.records import Alert
from monitor.watched import Duration
from monitor.web.server import Health, SourceHealth
from tests.fakes.alerts import AT, an_alert
from tests.fakes.chats import served
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


async def test_an_alertmanager_is_told_again_of_what_it_had_before_this_start() -> None:
    async with served("alertmanager") as (chat, at), ClientSession() as session, asyncio.TaskGroup() as tasks:
        settings = AlertmanagerSettings(name="am", url=at, again=Duration(milliseconds=20))

        async def standing(name: str) -> list[Alert]:
            assert name == "am"
            return [an_alert()]

        clock, chance = SystemClock(), random.Random(1)
        metrics = Metrics(CollectorRegistry(), version="1")
        outlets = Outlets(tasks, metrics=metrics, health=health, standing=standing, clock=clock, chance=chance)
        outlets.follow([Alertmanager(settings, None, session, clock)])
        async with asyncio.timeout(PATIENCE):
            while len(chat.asked) < 3:
                await clock.sleep(timedelta(milliseconds=10))
        outlets.stop()
    assert len(chat.messages) == 1
