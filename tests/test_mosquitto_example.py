"""The example broker under deploy/ is started as it stands, and gives each account what the page says."""

import re
from pathlib import Path

import aiomqtt
import pytest

from monitor.alert.receivers.mqtt import Mqtt, MqttSettings
from monitor.errors import DeliveryError, SourceRefusedError
from tests.fakes.alerts import a_notification
from tests.fakes.mosquitto import Mosquitto, mosquitto, password
from tests.fakes.mqtt_source import collector, first_arrival, post, reading, send

EXAMPLE = Path(__file__).parents[1] / "deploy" / "mosquitto"
ACL = (EXAMPLE / "acl").read_text("utf-8")


def as_it_stands(broker: Mosquitto) -> str:
    """The example with this test's ports and folder."""
    text = (EXAMPLE / "mosquitto.conf").read_text("utf-8")
    text = text.replace("listener 1883 127.0.0.1", f"listener {broker.port} 127.0.0.1")
    text = text.replace("listener 8883", f"listener {broker.tls_port} 127.0.0.1")
    return re.sub(r"/etc/mosquitto/(certs/)?|/var/lib/mosquitto/", f"{broker.folder}/", text) + "user root\n"


async def test_the_example_broker_serves_the_monitor_and_those_around_it(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, acl=ACL, configure=as_it_stands) as broker:
        async with reading(collector(broker)) as arrivals:
            await arrivals.connected()
            await send(broker, post(1))
            assert (await arrivals.payload()).body == post(1)
        encrypted = MqttSettings(
            name="bus",
            host="localhost",
            port=broker.tls_port,
            username="monitor",
            tls=True,
            ca_file=str(broker.ca_file),
        )
        async with broker.client("newsroom") as newsroom:
            await newsroom.subscribe("vm/#", qos=1)
            await Mqtt(encrypted, password("monitor")).send(a_notification())
            message = await anext(newsroom.messages)
            assert str(message.topic) == "vm/alerts/fall"


async def test_the_example_broker_refuses_the_rest(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, acl=ACL, configure=as_it_stands) as broker:
        with pytest.raises(SourceRefusedError, match="vm/posts/self-test"):
            await first_arrival(collector(broker, username="newsroom"))
        for_the_sensor = MqttSettings(name="bus", host="127.0.0.1", port=broker.port, username="sensor")
        with pytest.raises(DeliveryError, match="refused"):
            await Mqtt(for_the_sensor, password("sensor")).send(a_notification())
        nobody = aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5)
        with pytest.raises(aiomqtt.MqttError, match="Not authorized"):
            await nobody.__aenter__()
