"""An MQTT 5 broker: alerts, and beside them findings and the daemon's status, for other systems.

`<prefix>/alerts/<event>`: `document.py`, version 1, QoS 1, never retained, with the user property `idempotency-key`.
`<prefix>/findings/<event>` and `<prefix>/status/<instance>`: `mqtt_link.py`. An alert counts as delivered when the
broker has acknowledged it and did not say, with the acknowledgement, that we may not publish there.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Annotated

from msgspec import Meta

from monitor.alert.receivers.document import document
from monitor.alert.receivers.mqtt_link import Happened, Link, Topics, Watched
from monitor.alert.receivers.receiver import Reason
from monitor.broker import Broker, BrokerError, Session, Trouble
from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.mqtt_connection import Connection, connected
from monitor.records import Finding, Notification
from monitor.watched import Duration, Name

_REASONS = {
    Trouble.UNREACHABLE: Reason.UNREACHABLE,
    Trouble.SILENT: Reason.TIMEOUT,
    Trouble.UNTRUSTED: Reason.UNTRUSTED,
    Trouble.BUSY: Reason.BUSY,
    Trouble.REFUSED: Reason.REFUSED,
}


class MqttSettings(Broker, tag="mqtt", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver that publishes for other systems."""

    name: Name
    prefix: Annotated[
        str, Meta(pattern=r"^[^+#\s]+$(?!\n)", max_length=200, description="topic levels such as `vm`")
    ] = "vm"
    """What all topics begin with."""
    instance: Name = "monitor"
    """Last level of the status topic, different for every monitor at the broker."""
    client_id: Annotated[str, Meta(max_length=200)] = ""
    """Who we are to the broker; `virality-monitor-`, the instance and the name if it is empty."""
    deadline: Duration = Duration(hours=6)
    """An alert that could not be delivered for this long is a dead letter."""

    @property
    def client_id_used(self) -> str:
        """The client id, the default one included."""
        return self.client_id or f"virality-monitor-{self.instance}-{self.name}"


class Mqtt:
    """Publishes over the connection that `run` keeps; where it does not run, over one made for the alert."""

    def __init__(self, settings: MqttSettings, password: str | None) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = None
        self._settings = settings
        self._password = password
        topics = Topics(f"{settings.prefix}/findings/", f"{settings.prefix}/status/{settings.instance}")
        self._link = Link(settings.name, settings, password, settings.client_id_used, topics)

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Never: subscribers know the key."""
        return False

    async def send(self, notification: Notification) -> str | None:
        """Publishes and waits for the broker's acknowledgement. Raises DeliveryError."""
        alone = connected(self._settings, self._password, Session(client_id=""))
        try:
            async with self._link.use() if self._link.running else alone as connection:
                await self._publish(connection, notification)
        except BrokerError as error:
            raise DeliveryError(_REASONS[error.trouble], retry=True, detail=str(error)) from error
        return "acknowledged"

    def tell(self, findings: Sequence[Finding]) -> None:
        """Publishes findings when it can; the oldest are dropped where too many wait."""
        self._link.tell(findings)

    async def run(
        self,
        stop: asyncio.Event,
        *,
        watched: Callable[[], Watched],
        note: Callable[[Happened], None],
        clock: Clock,
        chance: Random,
    ) -> None:
        """Keeps the connection until `stop` is set and no send is in hand; the status is what `watched` says."""
        await self._link.run(stop, watched=watched, note=note, clock=clock, chance=chance)

    async def _publish(self, connection: Connection, notification: Notification) -> None:
        topic = f"{self._settings.prefix}/alerts/{notification.alert.event}"
        try:
            await connection.tell(topic, document(notification), {"idempotency-key": notification.key})
        except BrokerError as error:
            if error.trouble is not Trouble.REFUSED:
                raise
            raise DeliveryError(Reason.REFUSED, retry=False, detail=str(error)) from error
