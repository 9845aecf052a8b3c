"""One HTTP request and what its answer means: every receiver over HTTP speaks through this.

Redirects are not followed, certificates are verified, at most `_READ` bytes of an answer are read. What an operator
must not see – an address that is a secret, a token – is hidden in every detail, also where the answer repeats it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    FormData,
)

from monitor.alert.harmless import harmless
from monitor.alert.receivers.receiver import Reason
from monitor.clock import Clock
from monitor.errors import DeliveryError

_TAKEN = 2  # hundred
_PATIENCE = frozenset({408, 425, 429})
_UNAVAILABLE = 503
_READ = 1 << 18  # bytes of an answer
_SHOWN = 2_048
_DETAIL = 200
_BEHIND_HOST = re.compile(r"(https?://[^\s/?#\"'<>@]+)[/?#][^\s\"'<>]+", re.IGNORECASE)
"""An address, of which its host alone is shown: what stands behind it may let in whoever knows it."""
_TELLING = 8
"""A part of an address this long may be what makes it a secret."""

Told = TypeVar("Told")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    """As much of it as came, at most 256 KiB."""

    @property
    def taken(self) -> bool:
        """Whether the status says that it was taken (2xx)."""
        return self.status // 100 == _TAKEN


class Http:
    """Asks through a session it is given and does not close."""

    def __init__(self, session: ClientSession, clock: Clock, timeout: timedelta, hidden: Sequence[str] = ()) -> None:
        """`hidden` are secrets, addresses among them."""
        self._session = session
        self._clock = clock
        self._limit = ClientTimeout(total=timeout.total_seconds())
        self._hidden = hidden_parts(hidden)

    async def ask(
        self, method: str, url: str, body: bytes | FormData, headers: Mapping[str, str], *, status_only: bool = False
    ) -> Answer:
        """Sends once; any status is an answer. Raises DeliveryError where there is none.

        With `status_only` the body of what was taken is left unread. No error carries the address, nor does its cause.
        """
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, allow_redirects=False, timeout=self._limit, ssl=True
            ) as response:
                answer = Answer(response.status, response.headers, b"")
                return answer if status_only and answer.taken else answer._replace(body=await _body(response))
        except TimeoutError:
            raise DeliveryError(Reason.TIMEOUT, retry=True, unknown=True) from None
        except (ClientSSLError, ClientConnectorCertificateError) as error:
            raise DeliveryError(Reason.UNTRUSTED, retry=True, detail=type(error).__name__) from None
        except ClientConnectorError as error:
            raise DeliveryError(Reason.UNREACHABLE, retry=True, detail=type(error).__name__) from None
        except (ClientError, OSError) as error:
            raise DeliveryError(Reason.UNREACHABLE, retry=True, unknown=True, detail=type(error).__name__) from None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Posts once, where the status alone says that it was taken. Raises DeliveryError for every other one too."""
        answer = await self.ask("POST", url, body, headers, status_only=True)
        if not answer.taken:
            raise self.trouble(answer)
        return answer

    def trouble(self, answer: Answer, wait: float | None = None) -> DeliveryError:
        """The error that an answer is; `wait` is what it asks for, in seconds, where its headers do not say so."""
        said = f"HTTP {answer.status}"
        shown = self.shown(answer.body)
        reason = _reason(answer.status)
        if reason in {Reason.BUSY, Reason.SERVER_ERROR}:
            asked = retry_after(answer.headers, self._clock.now())
            wait = asked if asked is not None else wait
        retry = reason in {Reason.BUSY, Reason.SERVER_ERROR}
        unknown = reason is Reason.SERVER_ERROR and answer.status != _UNAVAILABLE
        detail = f"{said}: {shown}" if shown else said
        return DeliveryError(reason, retry=retry, retry_after=wait if retry else None, unknown=unknown, detail=detail)

    def shown(self, body: bytes) -> str:
        """What an operator may see of an answer."""
        text = body.decode("utf-8", "replace")
        for word in self._hidden:
            text = text.replace(word, "…")
        return harmless(_BEHIND_HOST.sub(r"\1/…", text[:_SHOWN]), _DETAIL)


def hidden_parts(words: Sequence[str]) -> list[str]:
    """What of these secrets must not be shown, the longest first: they themselves, and telling parts of addresses."""
    return sorted({part for word in words for part in _parts(word)}, key=len, reverse=True)


def told(answer: Answer, kind: type[Told]) -> Told | None:
    """The answer's JSON as `kind`; None if it is anything else."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the answer asks to wait, from a number or an HTTP date; None if it asks for nothing or says nonsense."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


async def _body(response: ClientResponse) -> bytes:
    """As much of the body as comes: where it breaks off, the status stands."""
    body = bytearray()
    try:
        async for part in response.content.iter_any():
            body += part
            if len(body) >= _READ:
                break
    except ClientError:
        pass
    return bytes(body[:_READ])


def _reason(status: int) -> Reason:
    if status in _PATIENCE:
        return Reason.BUSY
    return {3: Reason.REDIRECTED, 5: Reason.SERVER_ERROR}.get(status // 100, Reason.REFUSED)


def _parts(word: str) -> list[str]:
    """A secret, and if it is an address the parts of it that a server may repeat."""
    address = urlsplit(word)
    asked = address.query.split("&")
    pieces = [address.path, *address.path.split("/"), *asked, *(piece.partition("=")[2] for piece in asked)]
    parts = [word, *pieces, *map(unquote, pieces)]
    return [part for part in parts if len(part) >= _TELLING]
