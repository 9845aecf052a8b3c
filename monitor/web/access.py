"""Who may ask: anybody on this machine where it listens on loopback, elsewhere only who has the token.

Without a token a browser on this machine must not become somebody else's hand: pages of other sites may send requests
to loopback, and a name of theirs may lead there. So the name that was asked for must be this machine's, and what
changes something must not come from another page.
"""

import hmac
import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from monitor.web.refused import refuse

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(authorization: str, token: str | None) -> bool:
    """Whether the header `Authorization: Bearer …` carries `token`, compared in constant time; without one, always."""
    if token is None:
        return True
    scheme, _, given = authorization.partition(" ")
    given_bytes = given.strip().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given_bytes, token.encode()) and scheme.lower() == "bearer"


def check(method: str, headers: Mapping[str, str], token: str | None) -> None:
    """Raises RefusedError for a request without the token or, where there is none, from another site's page."""
    if token is not None:
        if not allowed(headers.get("Authorization", ""), token):
            raise refuse(401, "token_needed", "send Authorization: Bearer <the token of [web] in monitor.toml>")
        return
    host = headers.get("Host", "")
    if not is_loopback(_name(f"//{host}")):
        raise refuse(403, "foreign_host", "ask for 127.0.0.1, [::1] or localhost; other names need a token under [web]")
    origin = headers.get("Origin")
    if method not in READING and origin is not None and origin.lower() != f"http://{host.lower()}":
        raise refuse(403, "foreign_origin", "a page of another site sent this; set a token under [web] to allow it")


def _name(address: str) -> str:
    """The host in an address, "" if there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
