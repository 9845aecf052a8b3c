"""`POST /ingest/v1/posts`: posts that others push, answered when they are committed and not before.

A request is known again by its Idempotency-Key, or without one by its body. What was answered is kept for a day: the
same request gets the same answer and is not processed again, also after a restart; the same key with another body is
refused, and so is a signed body under another key, for that is a signature somebody overheard.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple, Protocol

from aiohttp import web
from msgspec import Struct

from monitor.arrivals import Answered, Payload, Request, Settled, about
from monitor.clock import Clock
from monitor.collect.ingest import IngestSource
from monitor.errors import StoreError
from monitor.web.body import Bodies, unpacked
from monitor.web.refused import Refused, RefusedError, answer, refuse
from monitor.web.signed import check

MOST_HELD = 1 << 26
"""Bytes of all bodies in hand, whatever the source."""
AGAIN = 2
"""Seconds after which to come again."""

_KEY = re.compile(r"[!-~]{1,255}")


class Channel(Protocol):
    """Where payloads go: `monitor.pipeline.Intake`."""

    @property
    def closed(self) -> bool:
        """Whether nothing is taken any more."""
        ...

    def offer(self, payload: Payload) -> bool:
        """Hands on a payload if there is room; says whether there was."""
        ...


Recall = Callable[[str, Request], Awaitable[Sequence[Answered]]]
"""What a source was answered in the last day under this key, or for this body."""


class Taken(Struct, frozen=True, kw_only=True):
    """The body of a 202: committed."""

    accepted: int
    """Documents that are usable posts."""
    rejected: Mapping[str, int]
    """Reason → documents that are not."""


class _InHand(NamedTuple):
    """A request that is not answered yet."""

    request: Request
    outcome: "asyncio.Future[Settled | RefusedError]"


class Ingest:
    """The door for posts; `count` hears of every answer (source, status, why not)."""

    def __init__(self, channel: Channel, recall: Recall, clock: Clock, count: Callable[[str, int, str], None]) -> None:
        self._channel = channel
        self._recall = recall
        self._clock = clock
        self._count = count
        self._sources: dict[str, tuple[IngestSource, bytes | None]] = {}
        self._paused: frozenset[str] = frozenset()
        self._in_hand: dict[tuple[str, str], _InHand] = {}
        self._requests: dict[str, int] = {}
        self._bodies = Bodies(MOST_HELD)

    def serve(self, sources: Iterable[IngestSource], secrets: Mapping[str, bytes]) -> None:
        """From now on these sources are served, in this order; what is in hand goes on."""
        self._sources = {source.name: (source, secrets.get(source.name)) for source in sources}
        self._paused = frozenset()

    def pause(self, names: Iterable[str]) -> None:
        """Hands on nothing more of these sources, until `serve`."""
        self._paused = frozenset(names)

    def signed(self, name: str | None) -> bool:
        """Whether requests to a source are proved by a signature."""
        found = self._sources.get(name or next(iter(self._sources), ""))
        return found is not None and found[1] is not None

    def turned_away(self, name: str | None, error: RefusedError) -> None:
        """Counts a request that was refused before it came to a source; under no name where there is none such."""
        name = name or next(iter(self._sources), "")
        self._count(name if name in self._sources else "", error.status, error.body.error)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One request: read, proved, handed on, and answered after the commit. Raises RefusedError."""
        name = request.match_info.get("source", next(iter(self._sources), ""))
        if name not in self._sources:
            error = refuse(404, "no_such_source", 'no [[source]] of kind = "ingest" in monitor.toml has this name')
            self.turned_away(name, error)
            raise error
        source, secret = self._sources[name]
        status, reason = 500, "failed"
        try:
            with self._room(source):
                response = await self._take(source, secret, request)
            status, reason = response.status, ""
        except RefusedError as error:
            status, reason = error.status, error.body.error
            raise
        finally:
            self._count(source.name, status, reason)
        return response

    async def _take(self, source: IngestSource, secret: bytes | None, request: web.Request) -> web.StreamResponse:
        async with self._bodies.read(request, source.most_bytes, source.read_timeout) as raw:
            if secret is not None:
                now, window = self._clock.now(), source.window
                check(request.headers, raw, secret, now=now, window=window, with_time=source.sign_timestamp)
            body = await unpacked(request.headers.get("Content-Encoding", ""), raw, source.most_bytes)
            known = _request(request.headers.get("Idempotency-Key"), raw)
            if not body.strip():
                raise refuse(400, "empty", "send one post/1 object, an array of them, or one per line")
            outcome = await self._outcome(source, known, body, signed=secret is not None)
        if isinstance(outcome, RefusedError):
            raise outcome
        return _answered(outcome)

    async def _outcome(
        self, source: IngestSource, request: Request, body: bytes, *, signed: bool
    ) -> Settled | RefusedError:
        """What becomes of a request: now, or when it came first."""
        for (name, key), other in self._in_hand.items():
            if name == source.name and signed and key != request.key and other.request.digest == request.digest:
                raise _replayed()
        place = (source.name, request.key)
        first = self._in_hand.get(place)
        if first is not None and first.request.digest != request.digest:
            raise refuse(409, "key_in_use", "another body came under this Idempotency-Key and is not answered yet")
        if first is None:
            first = self._in_hand[place] = _InHand(request, asyncio.get_running_loop().create_future())
            refusal = refuse(503, "failed", "the request could not be begun; come again", again=AGAIN)
            begun = False
            try:
                await self._begin(place, first, body, signed=signed)
                begun = True
            except RefusedError as error:
                refusal = error
            finally:
                if not begun:
                    self._end(place, first, refusal)
        try:
            async with asyncio.timeout(source.answer_timeout.total_seconds()):
                return await asyncio.shield(first.outcome)
        except TimeoutError:
            why = "not committed yet; send the same request again, it is not processed twice"
            raise refuse(503, "not_yet", why, again=AGAIN) from None

    async def _begin(self, place: tuple[str, str], first: _InHand, body: bytes, *, signed: bool) -> None:
        """Answers a request from what is kept, or hands it on; raises RefusedError."""
        try:
            kept = await self._recall(place[0], first.request)
        except StoreError:
            raise refuse(503, "store", "the store cannot be read now; come again", again=AGAIN) from None
        settled = _recalled(kept, first.request, signed=signed)
        if settled is not None:
            self._end(place, first, settled)
            return
        if self._channel.closed or place[0] in self._paused or place[0] not in self._sources:
            raise refuse(503, "stopping", "the source or the monitor is stopping; come again", again=AGAIN)
        payload = Payload(
            place[0],
            body,
            None,
            about(body),
            self._clock.now(),
            lambda settled: self._end(place, first, settled),
            first.request,
        )
        if not self._channel.offer(payload):
            raise refuse(429, "queue_full", "posts come faster than they are committed; come again", again=AGAIN)

    def _end(self, place: tuple[str, str], first: _InHand, outcome: Settled | RefusedError) -> None:
        """The request is answered."""
        if self._in_hand.get(place) is first:
            del self._in_hand[place]
        if not first.outcome.done():
            first.outcome.set_result(outcome)

    @contextmanager
    def _room(self, source: IngestSource) -> Iterator[None]:
        """Holds one of the source's places."""
        taken = self._requests.get(source.name, 0)
        if taken >= source.most_requests:
            raise refuse(429, "too_many_requests", "too many requests are not answered yet; come again", again=AGAIN)
        self._requests[source.name] = taken + 1
        try:
            yield
        finally:
            self._requests[source.name] -= 1


def _request(key: str | None, raw: bytes) -> Request:
    digest = sha256(raw).hexdigest()
    if key is not None and not _KEY.fullmatch(key):
        raise refuse(400, "bad_key", "an Idempotency-Key has 1 to 255 characters of ASCII and no spaces")
    return Request(key if key is not None else f"sha256:{digest}", digest)


def _recalled(kept: Sequence[Answered], request: Request, *, signed: bool) -> Settled | None:
    """What was answered to this request before; None if it is new. Raises RefusedError for one that must not be."""
    for one in kept:
        if one.request == request:
            return one.settled
    if any(one.request.key == request.key for one in kept):
        raise refuse(422, "key_reused", "another body came under this Idempotency-Key; give each request its own")
    if signed and kept:
        raise _replayed()
    return None


def _replayed() -> RefusedError:
    return refuse(401, "replayed", "this signed body came before, under another Idempotency-Key")


def _answered(settled: Settled) -> web.Response:
    """What is said of a request that is done with."""
    if settled.quarantined:
        why = "the monitor failed on this body twice and has set it aside; do not send it again"
        raise refuse(422, "quarantined", why)
    if settled.rejected and not settled.posts:
        why = "no document is a usable post/1; the reasons are counted in rejected"
        body = Refused(error="nothing_usable", detail=why, accepted=0, rejected=settled.rejected)
        raise RefusedError(400, body)
    return answer(202, Taken(accepted=settled.posts, rejected=settled.rejected))
