"""Alerts, findings and status over a real broker, as other systems see them."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest

from monitor.alert.receivers.mqtt import Mqtt, MqttSettings
from monitor.alert.receivers.mqtt_link import MOST_FINDINGS, Happened, Watched
from monitor.alert.receivers.receiver import Reason
from monitor.clock import SystemClock
from monitor.errors import DeliveryError
from monitor.records import Finding
from monitor.watched import Duration
from tests.fakes.alerts import AT, a_notification
from tests.fakes.mosquitto import PATIENCE, Mosquitto, free_ports, mosquitto, password, silent_broker

ACL = """
user monitor
topic readwrite vm/#
user reader
topic read vm/#
user writer
topic write vm/status/#
topic write vm/alerts/other
"""


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path, acl=ACL) as running:
        yield running


def receiver(broker: Mosquitto, **fields: Any) -> Mqtt:  # noqa: ANN401 -- any setting
    plain: dict[str, Any] = {
        "name": "bus",
        "host": "127.0.0.1",
        "port": broker.port,
        "username": "monitor",
        "timeout": Duration(seconds=5),
    }
    settings = MqttSettings(**plain | fields)
    return Mqtt(settings, password(settings.username or ""))


def a_finding(number: int = 0) -> Finding:
    return Finding(
        at=AT, event="fall", narrative="n1", rule="race", holds=True, reason="above", numbers={"log_e": float(number)}
    )


class Daemon:
    """What the daemon shows and hears."""

    def __init__(self) -> None:
        self.shown = Watched("good", {"posts": "running"})
        self.heard: list[Happened] = []

    def watched(self) -> Watched:
        return self.shown

    async def until(self, happened: Happened, times: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.heard.count(happened) < times:
                await SystemClock().sleep(timedelta(milliseconds=10))


@asynccontextmanager
async def running(one: Mqtt, daemon: Daemon, *, killed: bool = False) -> AsyncIterator[None]:
    """The receiver's connection, kept as the daemon keeps it; ended in order, or as a bug would end it."""
    stop = asyncio.Event()
    work = one.run(stop, watched=daemon.watched, note=daemon.heard.append, clock=SystemClock(), chance=random.Random(1))
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        stop.set()
        if killed:
            task.cancel()
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait({task})
        assert task.cancelled() or task.exception() is None


class Subscriber:
    """Another program that reads everything."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def message(self) -> aiomqtt.Message:
        async with asyncio.timeout(PATIENCE):
            return await anext(self._client.messages)

    async def status(self, state: str) -> dict[str, Any]:
        """The next status of this state."""
        while True:
            message = await self.message()
            if message.topic.matches("vm/status/+") and (said := body(message))["state"] == state:
                return said


def body(message: aiomqtt.Message) -> dict[str, Any]:
    assert isinstance(message.payload, bytes)
    decoded: dict[str, Any] = msgspec.json.decode(message.payload)
    return decoded


@asynccontextmanager
async def subscriber(broker: Mosquitto, topics: str = "vm/#") -> AsyncIterator[Subscriber]:
    async with broker.client("reader") as client:
        await client.subscribe(topics, qos=1)
        yield Subscriber(client)


@pytest.mark.parametrize("kept", [True, False], ids=["in the daemon", "alone"])
async def test_an_alert_is_published_with_its_key_and_is_not_retained(broker: Mosquitto, *, kept: bool) -> None:
    one = receiver(broker)
    note = a_notification()
    async with subscriber(broker, "vm/alerts/+") as other:
        if kept:
            async with running(one, Daemon()):
                await one.send(note)
        else:
            await one.send(note)
        message = await other.message()
    assert str(message.topic) == "vm/alerts/fall"
    assert body(message)["key"] == note.key
    assert getattr(message.properties, "UserProperty", None) == [("idempotency-key", note.key)]
    async with subscriber(broker, "vm/alerts/+") as late:
        await one.send(a_notification("again"))
        assert body(await late.message())["sent_to"] == "again"


async def test_the_status_is_retained_and_follows_what_changes(broker: Mosquitto) -> None:
    daemon = Daemon()
    async with running(receiver(broker, instance="north"), daemon):
        await daemon.until(Happened.CONNECTED)
        async with subscriber(broker) as other:
            said = await other.status("up")
            assert (said["version"], said["store"], said["sources"]) == (1, "good", {"posts": "running"})
            daemon.shown = Watched("disk full", {"posts": "unavailable"})
            while said["store"] == "good":
                said = await other.status("up")
            assert said["sources"] == {"posts": "unavailable"}
    async with subscriber(broker, "vm/status/north") as late:
        message = await late.message()
        assert message.retain
        assert body(message)["state"] == "stopped"


async def test_a_monitor_that_vanishes_is_down(broker: Mosquitto) -> None:
    async with subscriber(broker) as other:
        async with running(receiver(broker), Daemon(), killed=True):
            await other.status("up")
        assert (await other.status("down"))["at"] is None
    async with subscriber(broker) as late:
        await late.status("down")


async def test_findings_are_published_in_their_order(broker: Mosquitto) -> None:
    one = receiver(broker)
    one.tell([a_finding(0), a_finding(1)])
    async with subscriber(broker, "vm/findings/+") as other, running(one, Daemon()):
        one.tell([a_finding(2)])
        found = [body(await other.message())["finding"] for _ in range(3)]
    assert [finding["numbers"]["log_e"] for finding in found] == [0, 1, 2]
    assert found[0]["reason"] == "above"


async def test_of_findings_that_wait_the_oldest_are_dropped_and_counted(broker: Mosquitto) -> None:
    daemon = Daemon()
    (port,) = free_ports(1)
    one = receiver(broker, port=port)
    async with running(one, daemon):
        with pytest.raises(DeliveryError):
            await one.send(a_notification())
        one.tell([a_finding(number) for number in range(MOST_FINDINGS + 3)])
    assert daemon.heard.count(Happened.FULL) == 3


async def test_a_refused_alert_is_no_delivery_and_a_refused_finding_is_counted(broker: Mosquitto) -> None:
    daemon = Daemon()
    one = receiver(broker, username="writer")
    async with running(one, daemon):
        with pytest.raises(DeliveryError, match="does not let us publish to vm/alerts/fall") as failed:
            await one.send(a_notification())
        assert (failed.value.reason, failed.value.retry) == (Reason.REFUSED, False)
        one.tell([a_finding()])
        await daemon.until(Happened.REFUSED)


async def test_it_connects_again_when_the_broker_is_back(broker: Mosquitto) -> None:
    daemon = Daemon()
    one = receiver(broker)
    async with running(one, daemon):
        await daemon.until(Happened.CONNECTED)
        await broker.kill()
        await daemon.until(Happened.GONE)
        with pytest.raises(DeliveryError) as failed:
            await one.send(a_notification())
        assert (failed.value.reason, failed.value.retry) == (Reason.UNREACHABLE, True)
        one.tell([a_finding()])
        await broker.start()
        async with subscriber(broker, "vm/findings/+") as other:
            await daemon.until(Happened.CONNECTED, 2)
            assert body(await other.message())["finding"]["event"] == "fall"
        await one.send(a_notification())


async def test_what_can_be_wrong_with_a_broker_is_told_by_a_bounded_word(broker: Mosquitto) -> None:
    (nobody,) = free_ports(1)
    with silent_broker() as silent:
        cases = deque(
            [
                (receiver(broker, port=nobody), Reason.UNREACHABLE),
                (receiver(broker, port=silent, timeout=Duration(milliseconds=100)), Reason.TIMEOUT),
                (receiver(broker, port=broker.tls_port, tls=True, host="localhost"), Reason.UNTRUSTED),
                (receiver(broker, username="nobody"), Reason.REFUSED),
            ]
        )
        for one, reason in cases:
            with pytest.raises(DeliveryError) as failed:
                await one.send(a_notification())
            assert (failed.value.reason, failed.value.retry) == (reason, True)
            assert "word" not in str(failed.value)


async def test_a_broker_that_does_not_answer_holds_no_stop_up(broker: Mosquitto) -> None:
    with silent_broker() as silent:
        async with running(receiver(broker, port=silent), Daemon()):
            await SystemClock().sleep(timedelta(milliseconds=50))
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("keep")]
