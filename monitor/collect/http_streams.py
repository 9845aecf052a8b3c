"""Answers that go on: lines, and sockets."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import ClientResponse, ClientTimeout, ClientWebSocketResponse, ClientWSTimeout

from monitor.collect.http import Answer, Asked, Http, NotSwitchedError
from monitor.errors import SourceUnavailableError

_HEARTBEAT = 20.0
"""Seconds after which the other end of a socket is asked whether it is there; it has half of that to answer."""
_CLOSE = 1.0


@asynccontextmanager
async def lines(
    http: Http,
    url: str,
    *,
    silence: timedelta,
    params: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    bucket: str = "",
) -> AsyncIterator[AsyncIterator[bytes]]:
    """An answer that goes on, line by line without their ends; empty ones too, which are signs of life.

    Raises SourceUnavailableError where nothing came for `silence`, also while it is read.
    """
    await http.allowed(bucket)
    asked = Asked("GET", url, tuple(params), None, headers or {}, follow=False)
    wait = http.settings.timeout.total_seconds()
    limit = ClientTimeout(total=None, connect=wait, sock_connect=wait, sock_read=silence.total_seconds())
    async with http.trouble(url), http.request(asked, limit) as response:
        http.note(response.status, response.headers, bucket)
        if response.status != 200:  # noqa: PLR2004 -- HTTP's
            answer = Answer(response.status, response.headers, await http.body(response), str(response.url))
            raise http.refusal(answer, bucket)
        yield _lines(http, response)


@asynccontextmanager
async def socket(
    http: Http,
    url: str,
    *,
    params: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    also: Collection[int] = (),
    bucket: str = "",
) -> AsyncIterator[ClientWebSocketResponse[bool] | Answer]:
    """A WebSocket at an http(s) address, or the answer instead of one where its status is in `also`.

    Never compressed; ends by itself where the other end is gone. Raises as `get` does; what is read from it is the
    caller's to translate.
    """
    await http.allowed(bucket)
    try:
        async with (
            http.trouble(url),
            http.session.ws_connect(
                url,
                params=list(params) or None,
                headers=headers,
                heartbeat=_HEARTBEAT,
                max_msg_size=http.settings.largest_answer,
                timeout=ClientWSTimeout(ws_close=_CLOSE),
                decode_text=False,
            ) as socket,
        ):
            yield socket
            return
    except NotSwitchedError as error:
        answer = error.answer
    http.note(answer.status, answer.headers, bucket)
    if answer.status not in also:
        raise http.refusal(answer, bucket)
    yield answer


async def _lines(http: Http, response: ClientResponse) -> AsyncIterator[bytes]:
    rest = bytearray()
    async for part in response.content.iter_any():
        rest += part
        if len(rest) > http.settings.largest_answer:
            why = f"{http.place(str(response.url))}: a line over {http.settings.largest_answer} bytes"
            raise SourceUnavailableError(why)
        *whole, last = bytes(rest).split(b"\n")
        rest = bytearray(last)
        for line in whole:
            yield line.removesuffix(b"\r")
