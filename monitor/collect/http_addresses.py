"""Where a connection may lead: addresses that stand in posts and feeds must not reach the desk's own network."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from aiohttp import TCPConnector

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Allows = Callable[[Address], bool]


class AddressRefusedError(OSError):
    """A name led to an address that is not allowed."""


def is_public(address: Address) -> bool:
    """Whether an address is anybody's: not private, local to the link or machine, reserved, nor a group's.

    An IPv6 address that carries an IPv4 address is what that is.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not is_public(inner):
            return False
    return address.is_global and not address.is_multicast


def connector(allows: Allows | None = None) -> TCPConnector:
    """Connects to allowed addresses only; None allows all.

    The address itself is looked at when the socket is made, after its name was resolved: no redirect and no name that
    changes its address passes by it.
    """
    if allows is None:
        return TCPConnector(ssl=True)

    def guarded(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        numeric = str(address[0]).partition("%")[0]
        if not allows(ipaddress.ip_address(numeric)):
            said = f"{numeric} is an address of a private network"
            raise AddressRefusedError(said)
        return socket.socket(family, kind, protocol)

    return TCPConnector(ssl=True, socket_factory=guarded)
