"""A connection to an MQTT 5 broker, as sources and receivers both need it.

The only file that touches private members of aiomqtt and paho: paho alone can acknowledge by hand, and tell whether a
session was present and what the broker answered to a publication. The connection is made on the event loop, because
aiomqtt makes it in a thread that nobody can stop; whatever closes it does so at once, without waiting.

Incoming messages are bounded twice. The broker should send no more than `receive_maximum` unacknowledged messages, but
mosquitto 2.0.11 exceeds that while messages wait: the socket is not read while more, or too many bytes, are here.
"""

# ruff: noqa: ANN401 -- callbacks as aiomqtt has them

import asyncio
import contextlib
import math
import socket
import struct
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import aiomqtt
from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from monitor.broker import Broker, BrokerError, Message, Session, Trouble, reached, refusal
from monitor.clock import SystemClock

Answer = TypeVar("Answer")
_MOST_BYTES = 16 << 20
"""Read and not taken yet."""
_FAILED, _TAKEN_OVER = 0x80, 0x8E
_NONSENSE = (OSError, ValueError, LookupError, TypeError, struct.error, MalformedPacket)
"""What paho raises where a broker sends what is no MQTT, or a connection breaks."""


@asynccontextmanager
async def connected(broker: Broker, password: str | None, session: Session) -> AsyncIterator["Connection"]:
    """A connection for as long as the context lasts; raises BrokerError where it cannot be made in time."""
    connection = Connection(broker, password, session)
    try:
        try:
            async with asyncio.timeout(broker.timeout.total_seconds()):
                await connection.greet(await reached(broker))
        except TimeoutError as error:
            why = f"{broker.address} does not answer within {broker.timeout.total_seconds():g} s"
            raise BrokerError(Trouble.SILENT, why) from error
        yield connection
    finally:
        connection.close()


class Connection(aiomqtt.Client):
    """One connection; once it is gone every method raises BrokerError, but `close` and `ack`."""

    def __init__(self, broker: Broker, password: str | None, session: Session) -> None:
        self._patience = broker.timeout.total_seconds()
        self._arrived: deque[Message] = deque()
        self._news = asyncio.Event()
        self._answers: dict[int, asyncio.Future[ReasonCode]] = {}
        self.session_present = False
        """Whether the broker remembered us."""
        self.unsettled = 0
        """Messages that came and were not acknowledged."""
        self.parting = True
        """Whether we take leave at the end; if not, the broker publishes the will."""
        self._most = session.receive_maximum
        self.idle = False
        """Whoever reads waits for messages, and has seen all that came."""
        self.paused = False
        """Nothing is read, because enough messages are here."""
        self.pauses = 0
        """How often that happened."""
        self._read_so_far = self._bytes = 0
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = session.expiry
        properties.ReceiveMaximum = session.receive_maximum
        properties.MaximumPacketSize = session.largest
        super().__init__(
            broker.host,
            broker.port_used,
            username=broker.username,
            password=password,
            identifier=session.client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
            keepalive=max(1, round(broker.keep_alive.total_seconds())),
            timeout=self._patience,
            clean_start=session.expiry == 0,
            properties=properties,
            will=aiomqtt.Will(*session.will, qos=1, retain=True) if session.will else None,
        )
        self.pending_calls_threshold = sys.maxsize
        self._client.manual_ack_set(True)  # noqa: FBT003 -- paho's own
        self._client._handle_pingresp = self._on_pingresp  # type: ignore[method-assign]  # noqa: SLF001
        self._disconnected.add_done_callback(lambda _: self._news.set())

    async def greet(self, sock: socket.socket) -> None:
        """Introduces us over `sock`, which is connected, and waits for the broker's answer."""
        self._client._create_socket = lambda: sock  # type: ignore[method-assign]  # noqa: SLF001
        self._client_connect()
        await asyncio.wait({self._connected, self._disconnected}, return_when=asyncio.FIRST_COMPLETED)
        if not self._connected.done():
            raise self._broken()
        if (error := self._connected.exception()) is not None:
            raise refusal("the broker refuses us", getattr(error, "rc", None)) from error  # noqa: TRY003, EM101 -- short

    async def listen(self, topics: str, *, qos: int) -> None:
        """Subscribes; retained messages come only with a subscription that is new, as far as the broker knows that."""
        options = SubscribeOptions(qos=qos, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        for code in await self._answered(self.subscribe(topics, options=options, timeout=math.inf)):
            if (code.value if isinstance(code, ReasonCode) else code) >= _FAILED:
                why = f"the broker does not let us subscribe to {topics}"
                raise refusal(why, code)

    async def leave(self, topics: str) -> None:
        """Ends a subscription."""
        await self._answered(self.unsubscribe(topics, timeout=math.inf))

    async def tell(self, topic: str, body: bytes, properties: Mapping[str, str], *, retain: bool = False) -> None:
        """Publishes with QoS 1 and waits until the broker has taken it; `properties` are user properties."""
        given = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        given.ContentType = "application/json"
        given.UserProperty = list(properties.items())
        sent = self._client.publish(topic, body, 1, retain, given)
        answer = self._answers[sent.mid] = self._loop.create_future()
        try:
            code = await self._answered(answer)
        finally:
            self._answers.pop(sent.mid, None)
        if code.value >= _FAILED:
            why = f"the broker does not let us publish to {topic}"
            raise refusal(why, code)

    async def _answered(self, asked: Awaitable[Answer]) -> Answer:
        """The broker's answer, which comes in its turn: while messages come, or too many are here, it may last."""
        answer = asyncio.ensure_future(asked)
        either: set[asyncio.Future[Any]] = {answer, self._disconnected}
        try:
            while not answer.done():
                before = self._read_so_far
                await asyncio.wait(either, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED)
                if answer.done():
                    break
                if self._disconnected.done():
                    raise self._broken()
                if self._read_so_far == before and not self.paused:
                    why = f"the broker does not answer within {self._patience:g} s"
                    raise BrokerError(Trouble.SILENT, why)
            return answer.result()
        except aiomqtt.MqttError as error:
            raise self._broken() from error
        finally:
            answer.cancel()

    async def heard(self) -> list[Message]:
        """The messages that came since the last call, waiting for one; an empty list is a sign of life, or a `wake`."""
        self.idle = True
        while not (self._arrived or self._news.is_set() or self._disconnected.done()):
            await self._news.wait()
        self.idle = False
        self._news.clear()
        if not self._arrived and self._disconnected.done():
            raise self._broken()
        messages = list(self._arrived)
        self._arrived.clear()
        self._bytes = 0
        self._read_on()
        return messages

    def wake(self) -> None:
        """Lets `heard` return."""
        self._news.set()

    def ack(self, number: int) -> None:
        """Tells the broker that it may forget a message; does nothing when the connection is gone."""
        if number and not self._disconnected.done():
            self.unsettled -= 1
            self._client.ack(number, 1)
            self._read_on()

    def close(self) -> None:
        """Takes leave if the broker still listens, and ends at once; never waits."""
        if self.parting and not self._disconnected.done() and self._client.is_connected():
            with contextlib.suppress(*_NONSENSE):
                self._client.disconnect()
                self._client.loop_write()
                while (sock := self._client.socket()) and sock.recv(1 << 16):
                    pass  # left unread it would reset the connection, and our last acknowledgements with it
        self._client._sock_close()  # noqa: SLF001
        for ended in (self._connected, self._disconnected):
            if ended.done() and not ended.cancelled():
                ended.exception()  # seen, so that asyncio does not report it once more
            ended.cancel()

    def _broken(self) -> BrokerError:
        error = (
            None if self._disconnected.cancelled() or not self._disconnected.done() else self._disconnected.exception()
        )
        code = getattr(error, "rc", None)
        if isinstance(code, ReasonCode) and code.value == _TAKEN_OVER:
            why = "another client came with our client_id and took the session; give each a client_id of its own"
        elif isinstance(code, ReasonCode) and code.value == _FAILED:
            why = "the broker closed the connection without a reason"
        else:
            why = f"the connection broke ({code or error or 'closed'})"
        return BrokerError(Trouble.UNREACHABLE, why)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        self.session_present = flags.session_present
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason_code: Any, properties: Any = None) -> None:
        if not self._connected.done() and not self._disconnected.done():
            self._disconnected.set_exception(aiomqtt.MqttCodeError(reason_code))
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_subscribe(self, client: Any, userdata: Any, mid: int, codes: Any, properties: Any = None) -> None:
        if mid in self._pending_subscribes:  # else nobody waits for it any more, which aiomqtt takes for a fault
            super()._on_subscribe(client, userdata, mid, codes, properties)

    def _on_unsubscribe(self, client: Any, userdata: Any, mid: int, codes: Any, properties: Any = None) -> None:
        if mid in self._pending_unsubscribes:
            super()._on_unsubscribe(client, userdata, mid, codes, properties)

    def _on_message(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:
        topic = message._topic.decode("utf-8", "replace")  # noqa: SLF001
        number = message.mid if message.qos else 0
        self.unsettled += bool(number)
        properties = dict(getattr(message.properties, "UserProperty", ()))
        self._arrived.append(Message(topic, bytes(message.payload), number, properties))
        self._bytes += len(message.payload)
        self._news.set()

    def _on_publish(self, _: Any, __: Any, mid: int, reason_code: ReasonCode, ___: Any) -> None:
        if (answer := self._answers.get(mid)) is not None and not answer.done():
            answer.set_result(reason_code)

    def _on_pingresp(self) -> MQTTErrorCode:
        self._news.set()
        return paho.Client._handle_pingresp(self._client)  # noqa: SLF001

    def _on_socket_open(self, _: Any, __: Any, sock: Any) -> None:
        """At once and not later, as aiomqtt does: by then the socket's number may belong to another socket."""
        self._loop.add_reader(sock.fileno(), self._read)
        self._misc_task = self._loop.create_task(self._misc_loop(), name="MQTT keep-alive")

    def _on_socket_register_write(self, _: Any, __: Any, sock: Any) -> None:
        self._loop.add_writer(sock.fileno(), self._write)

    def _read(self) -> None:
        """One packet, or all that an encrypted one brought with it."""
        self._read_so_far += 1
        try:
            self._client.loop_read()
            while not self._crowded() and (sock := self._client.socket()) and getattr(sock, "pending", int)():
                self._client.loop_read()
        except _NONSENSE as error:
            self._end(error)
        if self._crowded() and not self.paused and (sock := self._client.socket()):
            self.paused = True
            self.pauses += 1
            self._loop.remove_reader(sock.fileno())

    def _read_on(self) -> None:
        if self.paused and not self._crowded() and (sock := self._client.socket()):
            self.paused = False
            self._loop.add_reader(sock.fileno(), self._read)
            self._loop.call_soon(self._read)  # what is decrypted already makes no socket readable

    def _crowded(self) -> bool:
        return max(self.unsettled, len(self._arrived)) > self._most or self._bytes > _MOST_BYTES

    async def _misc_loop(self) -> None:
        """Asks the broker whether it is there; while nothing is read, its answer is not missed."""
        clock = SystemClock()
        while self._client.loop_misc() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            await clock.sleep(timedelta(seconds=1))
            if self.paused:
                self._client._ping_t = 0  # noqa: SLF001

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except _NONSENSE as error:
            self._end(error)

    def _end(self, error: Exception) -> None:
        """The connection cannot be used any more."""
        self._client._sock_close()  # noqa: SLF001
        if not self._disconnected.done():
            self._disconnected.set_exception(error)
