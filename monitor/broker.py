"""An MQTT broker: where it is, who we are there, how it is reached, and what can go wrong with it."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from monitor.watched import Duration

_PASSING = frozenset({0x80, 0x83, 0x88, 0x89, 0x93, 0x97, 0x9B, 0x9C, 0x9D, 0x9F})


class Broker(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a broker is, and who we are there."""

    host: Annotated[str, Meta(min_length=1)]
    """The broker: a name or an address."""
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    """Its port; 1883 where none is set, 8883 with `tls`."""
    username: str | None = None
    """The account at the broker."""
    password_env: str | None = None
    """Environment variable that holds its password."""
    password_file: str | None = None
    """File that holds it; with neither there is no password."""
    tls: bool = False
    """Encrypts, and verifies the broker's certificate and name."""
    ca_file: str | None = None
    """Certificates (PEM) of the authority that signed the broker's; without one, those that the machine trusts."""
    cert_file: str | None = None
    """Our own certificate (PEM), for brokers that ask for one."""
    key_file: str | None = None
    """Its private key (PEM)."""
    keep_alive: Duration = Duration(seconds=30)
    """After so long without a message the broker is asked whether it is there; without an answer it is given up."""
    timeout: Duration = Duration(seconds=10)
    """How long the broker may take to answer."""

    @property
    def address(self) -> str:
        """`host:port`, for people."""
        return f"{self.host}:{self.port_used}"

    @property
    def port_used(self) -> int:
        """The port, the default one included."""
        return self.port or (8883 if self.tls else 1883)


class Session(NamedTuple):
    """What is asked of the broker when the connection is made."""

    client_id: str
    expiry: int = 0
    """Seconds for which the broker keeps the session when we are away; 0 begins and ends with the connection."""
    receive_maximum: int = 100
    """Messages that the broker sends before the first of them is acknowledged."""
    largest: int = 1 << 20
    """Bytes of a message; the broker keeps larger ones to itself."""
    will: tuple[str, bytes] | None = None
    """Topic and body that the broker publishes, retained, when we vanish without taking leave."""


class Message(NamedTuple):
    """One message as it came."""

    topic: str
    body: bytes
    number: int
    """Its packet identifier, 0 where it wants no acknowledgement."""
    properties: Mapping[str, str]
    """User properties."""


class Trouble(StrEnum):
    """What went wrong with a broker, sorted by what can be done."""

    UNREACHABLE = "unreachable"
    """There is no connection, or it broke."""
    SILENT = "silent"
    """It does not answer in time."""
    UNTRUSTED = "untrusted"
    """Its certificate does not hold."""
    BUSY = "busy"
    """It says that it cannot now."""
    REFUSED = "refused"
    """It says that we may not."""


class BrokerError(Exception):
    """A broker that does not do what was asked."""

    def __init__(self, trouble: Trouble, why: str) -> None:
        super().__init__(why)
        self.trouble = trouble


def refusal(why: str, code: object) -> BrokerError:
    """What an MQTT reason code means that says no; trouble of the moment – busy, quota exceeded, moved – may pass."""
    value = getattr(code, "value", code)
    return BrokerError(Trouble.BUSY if value in _PASSING else Trouble.REFUSED, f"{why} ({code})")


async def reached(broker: Broker) -> socket.socket:
    """A socket that is connected to the broker, encrypted where that is set; raises BrokerError."""
    try:
        sock = await _connected(broker)
        return await _encrypted(sock, broker) if broker.tls else sock
    except ssl.SSLCertVerificationError as error:
        why = f"the certificate of {broker.address} does not hold ({error.verify_message.rstrip('.')})"
        raise BrokerError(Trouble.UNTRUSTED, why) from error
    except ssl.SSLError as error:
        why = f"{broker.address} does not encrypt as we do ({error.reason or error})"
        raise BrokerError(Trouble.UNREACHABLE, why) from error
    except OSError as error:
        reason = error.strerror if isinstance(error, socket.gaierror) or not error.errno else os.strerror(error.errno)
        why = f"{broker.address} cannot be reached ({reason or error})"
        raise BrokerError(Trouble.UNREACHABLE, why) from error


async def _connected(broker: Broker) -> socket.socket:
    """Over the first of the host's addresses that answers."""
    loop = asyncio.get_running_loop()
    failure = OSError(f"{broker.host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        broker.host, broker.port_used, type=socket.SOCK_STREAM
    ):
        with ExitStack() as undo:
            sock = undo.enter_context(socket.socket(family, kind, protocol))
            sock.setblocking(False)  # noqa: FBT003 -- Python's own
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                await loop.sock_connect(sock, address)
            except OSError as error:
                failure = error
                continue
            undo.pop_all()
            return sock
    raise failure


async def _encrypted(sock: socket.socket, broker: Broker) -> ssl.SSLSocket:
    with ExitStack() as undo:
        undo.enter_context(sock)
        context = _context(broker)
        wrapped = undo.enter_context(
            context.wrap_socket(sock, server_hostname=broker.host, do_handshake_on_connect=False)
        )
        loop = asyncio.get_running_loop()
        while True:
            try:
                wrapped.do_handshake()
            except ssl.SSLWantReadError:
                await _ready(wrapped, loop.add_reader, loop.remove_reader)
            except ssl.SSLWantWriteError:
                await _ready(wrapped, loop.add_writer, loop.remove_writer)
            else:
                undo.pop_all()
                return wrapped


def _context(broker: Broker) -> ssl.SSLContext:
    """Read anew for every connection, because certificates are renewed."""
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
        if broker.cert_file is not None:
            context.load_cert_chain(broker.cert_file, broker.key_file)
    except OSError as error:  # ssl.SSLError is one
        files = ", ".join(file for file in (broker.ca_file, broker.cert_file, broker.key_file) if file)
        why = f"certificates cannot be read from {files} ({error.strerror or error})"
        raise BrokerError(Trouble.UNTRUSTED, why) from error
    return context


async def _ready(sock: socket.socket, add: Callable[..., Any], remove: Callable[..., Any]) -> None:
    """Until there is something to read, or room to write."""
    ready = asyncio.Event()
    add(sock, ready.set)
    try:
        await ready.wait()
    finally:
        remove(sock)
