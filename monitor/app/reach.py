"""Whether what a configuration names can be reached, without anything being sent there."""

import asyncio
import ssl
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from monitor.settings import Receiver, Source

LONGEST = 5.0
"""Seconds for each."""
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_ADDRESSES = ("host", "url", "api", "homeserver", "endpoint", "instance", "relay")
"""Settings that hold the address of a server, `host` where it is no bare name."""
_ENCRYPTED = frozenset({"https", "wss"})


class Server(NamedTuple):
    """Where a server listens."""

    host: str
    port: int
    encrypted: bool
    """By TLS from the first byte."""
    authority: str | None = None
    """The file of certificates it is verified with, where not by what the machine trusts."""

    def __str__(self) -> str:
        """For people; never more of an address than this."""
        return f"{self.host}:{self.port}"


def server_of(configured: Source | Receiver, secret: str) -> Server | None:
    """The server that a source or receiver talks to; None for what talks to none. `secret` may be its address."""
    host, authority = getattr(configured, "host", None), getattr(configured, "ca_file", None)
    if isinstance(host, str) and "://" not in host:
        encrypted = bool(getattr(configured, "tls", False)) or getattr(configured, "encryption", "") == "tls"
        port = getattr(configured, "port_used", None) or getattr(configured, "port", None)
        return Server(host, int(port or 0), encrypted, authority)
    for address in _addresses(configured, secret):
        parts = urlsplit(address)
        if parts.scheme in _PORTS and parts.hostname:
            port = parts.port or _PORTS[parts.scheme]
            return Server(parts.hostname, port, parts.scheme in _ENCRYPTED, authority)
    return None


def _addresses(configured: Source | Receiver, secret: str) -> Iterator[str]:
    for name in _ADDRESSES:
        value = getattr(configured, name, None)
        if isinstance(value, str):
            yield value if "://" in value else f"https://{value}"
    if hasattr(configured, "url_env"):
        yield secret


async def reached(server: Server) -> str:
    """Why the server does not answer, or its certificate is not good; "" if all is well."""
    try:
        context = ssl.create_default_context(cafile=server.authority) if server.encrypted else None
        async with asyncio.timeout(LONGEST):
            _, writer = await asyncio.open_connection(server.host, server.port, ssl=context)
    except TimeoutError:
        return f"{server} does not answer within {LONGEST:g} s"
    except ssl.SSLCertVerificationError as error:
        return f"the certificate of {server} is not trusted ({error.verify_message})"
    except OSError as error:
        return f"{server} cannot be reached ({error.strerror or error})"
    writer.close()
    return ""
