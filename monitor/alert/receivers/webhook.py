"""A webhook: the alert as signed JSON, posted to an address.

Body: `document.py`, version 1. Headers: `X-Timestamp` (seconds since 1970), `X-Signature-256`
(`sha256=` and the hex HMAC-SHA256 of timestamp, `.` and body under the shared secret; absent without a secret) and
`Idempotency-Key`, the same at every attempt. The receiver checks the signature in constant time, refuses a timestamp
that is minutes old, and takes a key once.
"""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Annotated

from aiohttp import (
    ClientConnectorCertificateError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
)
from msgspec import Meta, Struct

from monitor.alert.harmless import harmless
from monitor.alert.receivers.document import document
from monitor.alert.receivers.receiver import Reason
from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.records import Notification
from monitor.watched import Duration, Name

_TAKEN = 2  # hundred
_PATIENCE = frozenset({408, 425, 429})
_WORTH_A_RETRY = frozenset({Reason.BUSY, Reason.SERVER_ERROR})
_READ = 2_048  # bytes of an answer
_DETAIL = 200


class WebhookSettings(Struct, tag="webhook", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A receiver that is posted signed JSON."""

    name: Name
    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/@]+(/\S*)?$(?!\n)",
            max_length=2000,
            description="an address such as https://chat.example.org/hook, without user and password",
        ),
    ]
    """Where to post; `https`, or `http` to a neighbour. Redirects are not followed."""
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
        self._url = settings.url
        self._secret = secret
        self._session = session
        self._clock = clock

    async def send(self, notification: Notification) -> str | None:
        """Posts once; the receipt is the answer's status. Raises DeliveryError."""
        body = document(notification)
        headers = self._headers(body, notification.key)
        limit = ClientTimeout(total=self.timeout.total_seconds())
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False, timeout=limit, ssl=True
            ) as response:
                return await self._receipt(response)
        except TimeoutError as error:
            raise DeliveryError(Reason.TIMEOUT, retry=True) from error
        except (ClientSSLError, ClientConnectorCertificateError) as error:
            raise DeliveryError(Reason.UNTRUSTED, retry=True, detail=type(error).__name__) from error
        except (ClientError, OSError) as error:
            raise DeliveryError(Reason.UNREACHABLE, retry=True, detail=type(error).__name__) from error

    def _headers(self, body: bytes, key: str) -> dict[str, str]:
        at = str(int(self._clock.now().timestamp()))
        headers = {"Content-Type": "application/json", "X-Timestamp": at, "Idempotency-Key": key}
        if self._secret is not None:
            headers["X-Signature-256"] = signature(self._secret, at, body)
        return headers

    async def _receipt(self, response: ClientResponse) -> str:
        said = f"HTTP {response.status}"
        if response.status // 100 == _TAKEN:
            return said
        answer = harmless((await response.content.read(_READ)).decode("utf-8", "replace"), _DETAIL)
        detail = f"{said}: {answer}" if answer else said
        reason = _reason(response.status)
        if reason in _WORTH_A_RETRY:
            wait = retry_after(response.headers, self._clock.now())
            raise DeliveryError(reason, retry=True, retry_after=wait, detail=detail)
        raise DeliveryError(reason, retry=False, detail=detail)


def _reason(status: int) -> Reason:
    if status in _PATIENCE:
        return Reason.BUSY
    return {3: Reason.REDIRECTED, 5: Reason.SERVER_ERROR}.get(status // 100, Reason.REFUSED)


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """The value of `X-Signature-256`."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, sha256).hexdigest()


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the answer asks to wait, from a number or an HTTP date; None if it asks for nothing or says nonsense."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
