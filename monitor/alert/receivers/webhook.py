"""A webhook: the alert as signed JSON, posted to an address.

Body: `document.py`, version 1. Headers: `X-Timestamp` (seconds since 1970), `X-Signature-256`
(`sha256=` and the hex HMAC-SHA256 of timestamp, `.` and body under the shared secret; absent without a secret) and
`Idempotency-Key`, the same at every attempt. The receiver checks the signature in constant time, refuses a timestamp
that is minutes old, and takes a key once.
"""

import hmac
from hashlib import sha256
from typing import Annotated

from aiohttp import ClientSession
from msgspec import Meta, Struct

from monitor.alert.receivers.document import document
from monitor.alert.receivers.http import Http
from monitor.clock import Clock
from monitor.records import Notification
from monitor.watched import Duration, Name


class WebhookSettings(Struct, tag="webhook", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver that is posted signed JSON."""

    name: Name
    url: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://[^\s/@]+(/\S*)?$(?!\n)",
                max_length=2000,
                description="an address such as https://chat.example.org/hook, without user and password",
            ),
        ]
        | None
    ) = None
    """Where to post; `https`, or `http` to a neighbour. Redirects are not followed."""
    url_env: str | None = None
    """Environment variable that holds the address, where whoever knows it can post."""
    url_file: str | None = None
    """File that holds it; one of the three is needed."""
    secret_env: str | None = None
    """Environment variable that holds the secret of the signature; the receiver knows it too."""
    secret_file: str | None = None
    """File that holds it; with neither, posts are not signed."""
    deadline: Duration = Duration(hours=6)
    """An alert that could not be delivered for this long is a dead letter."""
    timeout: Duration = Duration(seconds=10)
    """One attempt takes at most this long."""


class Webhook:
    """Posts through a session it is given and does not close; TLS certificates are verified."""

    def __init__(self, settings: WebhookSettings, secret: bytes | None, session: ClientSession, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = None
        self._url = settings.url or ""
        self._secret = secret
        self._clock = clock
        hidden = [self._url, *([] if secret is None else [secret.decode("utf-8", "replace")])]
        self._http = Http(session, clock, settings.timeout, hidden)

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the key says so for every one
        """Never: the other side takes a key once."""
        return False

    async def send(self, notification: Notification) -> str | None:
        """Posts once; the receipt is the answer's status. Raises DeliveryError."""
        body = document(notification)
        answer = await self._http.post(self._url, body, self._headers(body, notification.key))
        return f"HTTP {answer.status}"

    def _headers(self, body: bytes, key: str) -> dict[str, str]:
        at = str(int(self._clock.now().timestamp()))
        headers = {"Content-Type": "application/json", "X-Timestamp": at, "Idempotency-Key": key}
        if self._secret is not None:
            headers["X-Signature-256"] = signature(self._secret, at, body)
        return headers


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """The value of `X-Signature-256`."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, sha256).hexdigest()
