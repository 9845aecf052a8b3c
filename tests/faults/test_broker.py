"""What the rig takes for granted of its broker: what it has saved, it hands out after its death."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from monitor.clock import SystemClock
from tests.fakes.mosquitto import mosquitto, password

MESSAGES = 200
WHILE = timedelta(seconds=1)


class Reader:
    """Reads when it is told to, and acknowledges nothing: until then all is on its way."""

    def __init__(self, port: int) -> None:
        self.got: list[bytes] = []
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="reads", protocol=MQTTv5, manual_ack=True)
        self._client.username_pw_set("monitor", password("monitor"))
        self._client.on_message = lambda _client, _, message: self.got.append(bytes(message.payload))
        for_an_hour = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        for_an_hour.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", port, clean_start=False, properties=for_an_hour)

    def reads(self) -> None:
        clock = SystemClock()
        until = clock.monotonic() + WHILE.total_seconds()
        while clock.monotonic() < until:
            self._client.loop(0.05)

    def subscribe(self) -> None:
        self.reads()
        self._client.subscribe("vm/posts/#", 1)
        self.reads()


@pytest.mark.prove
@pytest.mark.parametrize("saves", [True, False], ids=["saved", "not saved"])
async def test_what_was_on_its_way_when_a_broker_died_is_there_if_it_was_saved(tmp_path: Path, *, saves: bool) -> None:
    """`autosave_on_changes` does not see what is on its way to a reader that is connected."""
    async with mosquitto(tmp_path, persistent=True) as broker:
        before = Reader(broker.port)  # connected to the end
        await asyncio.to_thread(before.subscribe)
        async with broker.client("writer") as writer:
            for number in range(MESSAGES):
                await writer.publish("vm/posts/x", str(number), qos=1)
        await SystemClock().sleep(WHILE)
        if saves:
            await broker.save()
        await broker.kill()
        await broker.start()
        after = Reader(broker.port)
        await asyncio.to_thread(after.reads)
    assert before.got == []
    sys.stdout.write(
        f"\n{len(after.got)} of {MESSAGES} messages on their way came after the broker's death; saved: {saves}\n"
    )
    assert len(after.got) == MESSAGES or not saves
