"""Who may ask: anybody on this machine where it listens on loopback, elsewhere only who has the token."""

import hmac
import ipaddress


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
