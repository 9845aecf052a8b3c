"""How sources speak HTTP: politely, within bounds, and with errors that say what the supervisor is to do.

Certificates are verified and proxies of the environment left alone. Redirects are followed only where asked. What a
secret is stands in no error, nor does the query of an address.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from aiohttp import (
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
)

from monitor.clock import Clock
from monitor.collect.http_addresses import Allows, connector
from monitor.collect.http_rates import Budget, ReadRate, no_rate, retry_after
from monitor.collect.http_settings import HttpSource
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.metrics import Metrics

PATIENCE = timedelta(minutes=1)
"""A platform that asks for a longer pause than this is unavailable until then, and the supervisor says so."""
_REDIRECTS = 5
_SHOWN = 200
_REFUSES = frozenset({401, 402, 403, 407})
_PASSES = frozenset({408, 409, 421, 425, 429})
_WAITS = frozenset({429, 503})
_SWITCHED = 101
_HANDSHAKE = 1 << 16  # bytes of an answer that is no socket


Spent = dict[str, float]
"""Bucket → when it has requests again, on the monotonic clock; a source that asks by several ways shares it."""


class Asked(NamedTuple):
    """A request."""

    method: str
    url: str
    params: tuple[tuple[str, str], ...]
    body: bytes | None
    headers: Mapping[str, str]
    follow: bool


class Answer(NamedTuple):
    """What came back, with a status that was asked for."""

    status: int
    headers: Mapping[str, str]
    """Looked up whatever the case."""
    body: bytes
    url: str
    """Where it came from, redirects followed."""


class NotSwitchedError(Exception):
    """A platform answered otherwise than with a socket."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


async def handshake(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keeps what a platform says instead of opening a socket, which the library would drop."""
    response = await handler(request)
    if "Sec-WebSocket-Key" not in request.headers or response.status == _SWITCHED or response.status // 100 == 3:  # noqa: PLR2004 -- HTTP's
        return response
    said = bytearray()
    async for part in response.content.iter_any():
        said += part
        if len(said) >= _HANDSHAKE:
            break
    response.close()
    raise NotSwitchedError(Answer(response.status, response.headers, bytes(said), str(response.url)))


class Http:
    """Asks for one source; made by `opened`."""

    def __init__(
        self,
        name: str,
        settings: HttpSource,
        session: ClientSession,
        clock: Clock,
        metrics: Metrics,
        *,
        rate: ReadRate,
        hidden: Sequence[str],
        capped: Callable[[Answer], bool],
        spent: Spent,
    ) -> None:
        self._name = name
        self.settings = settings
        self.session = session
        self._clock = clock
        self._metrics = metrics
        self._rate = rate
        self._capped = capped
        self._hidden = sorted({part for word in hidden if word for part in (word, quote(word, safe=""))}, key=len)
        self._spent = spent

    async def get(
        self,
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
        budgets: Sequence[Budget] = (),
        bucket: str = "",
        follow: bool = False,
    ) -> Answer:
        """Gets once, within `budgets` and what the platform's headers left of `bucket`: waits a minute for it at most.

        Answers a status of success, 304, and those in `also`; for the others see `refusal`. Raises
        SourceUnavailableError too where there is no answer, or one that is too large.
        """
        asked = Asked("GET", url, tuple(params), None, headers or {}, follow)
        return await self.ask(asked, also=also, budgets=budgets, bucket=bucket)

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
        budgets: Sequence[Budget] = (),
        bucket: str = "",
    ) -> Answer:
        """Posts once, as `get` gets."""
        asked = Asked("POST", url, tuple(params), body, headers or {}, follow=False)
        return await self.ask(asked, also=also, budgets=budgets, bucket=bucket)

    async def ask(self, asked: Asked, *, also: Collection[int], budgets: Sequence[Budget], bucket: str) -> Answer:
        """As `get` and `post` say."""
        async with AsyncExitStack() as slots:
            for budget in budgets:
                await slots.enter_async_context(budget.slot())
            await self.allowed(bucket)
            async with self.trouble(asked.url), self.request(asked) as response:
                self.note(response.status, response.headers, bucket)
                body = await self.body(response)
        answer = Answer(response.status, response.headers, body, str(response.url))
        if answer.status // 100 == 2 or answer.status == 304 or answer.status in also:  # noqa: PLR2004 -- HTTP's
            return answer
        raise self.refusal(answer, bucket)

    def refusal(self, answer: Answer, bucket: str = "") -> SourceRefusedError | SourceUnavailableError:
        """The error that an answer is.

        401, 402 and 403 refuse the source, what else says that the question is wrong refuses that; 429, 5xx and the
        like pass, after what `Retry-After` or the platform's own headers say.
        """
        said = f"{self.place(answer.url)} answered {answer.status}"
        shown = self.shown(answer.body)
        why = f"{said}: {shown}" if shown else said
        if self._capped(answer) or answer.status in _REFUSES:
            return SourceRefusedError(why)
        if answer.status // 100 in {3, 4} and answer.status not in _PASSES:
            return SourceRefusedError(why, question=True)
        wait = self._spent.get(bucket, 0.0) - self._clock.monotonic()
        return SourceUnavailableError(why, wait if wait > 0 else None)

    def shown(self, text: bytes | str) -> str:
        """The begin of what a platform says, without secrets and without characters that act."""
        said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        for word in reversed(self._hidden):
            said = said.replace(word, "…")
        return " ".join("".join(letter if letter.isprintable() else " " for letter in said[:2000]).split())[:_SHOWN]

    def place(self, url: str) -> str:
        """Host and path of an address, for people."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return "an address that is none"
        return self.shown(f"{parts.hostname or ''}{parts.path}")

    async def allowed(self, bucket: str) -> None:
        """Waits until the platform takes requests of `bucket`; raises SourceUnavailableError where that is long."""
        wait = self._spent.get(bucket, 0.0) - self._clock.monotonic()
        if wait > PATIENCE.total_seconds():
            why = "the platform's rate limit is spent"
            raise SourceUnavailableError(why, wait)
        if wait > 0:
            await self._clock.sleep(timedelta(seconds=wait))

    @asynccontextmanager
    async def request(self, asked: Asked, limit: ClientTimeout | None = None) -> AsyncIterator[ClientResponse]:
        """Sends it once, and answers whatever comes."""
        async with self.session.request(
            asked.method,
            asked.url,
            params=list(asked.params) or None,
            data=asked.body,
            headers=asked.headers,
            allow_redirects=asked.follow,
            max_redirects=_REDIRECTS,
            timeout=limit or self.session.timeout,
        ) as response:
            yield response

    def note(self, status: int, headers: Mapping[str, str], bucket: str) -> None:
        """What the platform says of its rate is shown and kept to."""
        self._metrics.source_requests.labels(self._name, str(status)).inc()
        now = self._clock.now()
        wait = retry_after(headers, now) if status in _WAITS else None
        if (rate := self._rate(headers, now)) is not None:
            self._metrics.rate_remaining.labels(self._name).set(rate.remaining)
            if rate.resets_at is not None:
                self._metrics.rate_resets_at.labels(self._name).set(rate.resets_at.timestamp())
            if wait is None and rate.remaining < 1 and rate.resets_at is not None:
                wait = (rate.resets_at - now).total_seconds()
        self._spent[bucket] = max(self._spent.get(bucket, 0.0), self._clock.monotonic() + (wait or 0.0))

    async def body(self, response: ClientResponse) -> bytes:
        """The whole body; raises SourceUnavailableError where it is too large."""
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > self.settings.largest_answer:
                why = f"{self.place(str(response.url))}: an answer over {self.settings.largest_answer} bytes"
                raise SourceUnavailableError(why)
        return bytes(body)

    @asynccontextmanager
    async def trouble(self, url: str) -> AsyncIterator[None]:
        """The library's errors → ours; no cause is kept, since it may carry the address."""
        try:
            yield
        except TimeoutError:
            why = f"{self.place(url)} did not answer in time"
            raise SourceUnavailableError(why) from None
        except (ClientError, OSError) as error:
            why = f"{self.place(url)} cannot be reached ({type(error).__name__}: {self.shown(_network(error))})"
            raise SourceUnavailableError(why) from None


@asynccontextmanager
async def opened(
    name: str,
    settings: HttpSource,
    clock: Clock,
    metrics: Metrics,
    *,
    rate: ReadRate = no_rate,
    hidden: Sequence[str] = (),
    allows: Allows | None = None,
    capped: Callable[[Answer], bool] = lambda _: False,
    spent: Spent | None = None,
) -> AsyncIterator[Http]:
    """Asks for the source `name` until it is left; `hidden` are secrets that stand in no error.

    `allows` says to which addresses it may connect: `is_public` for addresses that stand in posts or feeds. `capped`
    says of an answer whether it refuses us whatever its status, as where all that was paid for is used up. `spent` is
    what was said of its rate before.
    """
    async with ClientSession(
        connector=connector(allows),
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": settings.user_agent},
        timeout=ClientTimeout(total=settings.timeout.total_seconds()),
        middlewares=(handshake,),
    ) as session:
        known = {} if spent is None else spent
        yield Http(name, settings, session, clock, metrics, rate=rate, hidden=hidden, capped=capped, spent=known)


def host_of(url: str) -> str:
    """The host of an address, with its port: the bucket of a source that asks many hosts."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _network(error: Exception) -> str:
    """What the network says, without the address that was asked for."""
    inner = getattr(error, "os_error", None)
    return str(inner) if inner is not None else ""
