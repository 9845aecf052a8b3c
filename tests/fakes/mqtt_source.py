"""An MQTT source read as the supervisor reads it, and what other programs publish for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any

from monitor.arrivals import Contact, Payload, Settled
from monitor.clock import SystemClock
from monitor.collect.mqtt import MqttCollector, MqttSource
from monitor.marks import GapMark
from monitor.watched import Duration
from tests.fakes.mosquitto import PATIENCE, Mosquitto, password

DONE = Settled(1, {})
TOPIC = "vm/posts/here"


def source(broker: Mosquitto, **fields: Any) -> MqttSource:  # noqa: ANN401 -- any setting
    plain: dict[str, Any] = {
        "name": "bus",
        "host": "127.0.0.1",
        "port": broker.port,
        "username": "monitor",
        "timeout": Duration(seconds=5),
    }
    return MqttSource(**plain | fields)


def collector(broker: Mosquitto, **fields: Any) -> MqttCollector:  # noqa: ANN401 -- any setting
    settings = source(broker, **fields)
    return MqttCollector(settings, password(settings.username or ""), SystemClock())


def post(number: int) -> bytes:
    made = {"id": str(number), "platform": "x", "text": f"post {number}", "created_at": "2021-09-03T13:30:00Z"}
    return json.dumps(made).encode()


class Reading:
    """What a collector brings, one arrival after the other."""

    def __init__(self, arrivals: AsyncIterator[Payload | GapMark | Contact]) -> None:
        self._arrivals = arrivals
        self.more = asyncio.Event()

    async def connected(self) -> None:
        assert isinstance(await self.next(), Contact)

    async def next(self) -> Payload | GapMark | Contact:
        async with asyncio.timeout(PATIENCE):
            return await anext(self._arrivals)

    async def payload(self) -> Payload:
        while not isinstance(arrival := await self.next(), Payload):
            pass
        return arrival

    async def into(self, taken: list[Payload]) -> None:
        """Appends payloads until it is cancelled."""
        async for arrival in self._arrivals:
            if isinstance(arrival, Payload):
                taken.append(arrival)
                self.more.set()

    async def payloads(self, count: int) -> list[Payload]:
        return [await self.payload() for _ in range(count)]


@asynccontextmanager
async def reading(one: MqttCollector, since: str | None = None) -> AsyncIterator[Reading]:
    async with aclosing(one.payloads(since)) as arrivals:  # type: ignore[type-var]
        yield Reading(arrivals)


async def first_arrival(one: MqttCollector) -> None:
    async with reading(one) as arrivals:
        await arrivals.next()


async def pause() -> None:
    """Long enough for a message on loopback."""
    await SystemClock().sleep(timedelta(milliseconds=100))


async def send(broker: Mosquitto, *bodies: bytes, topic: str = TOPIC) -> None:
    async with broker.client() as sensor:
        for body in bodies:
            await sensor.publish(topic, body, qos=1)


def settle(*payloads: Payload) -> None:
    for payload in payloads:
        assert payload.settle is not None
        payload.settle(DONE)
