"""Bodies of requests, bounded: each while it is read and unpacked, and all of them together."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from aiohttp import web

from monitor.web.refused import RefusedError, refuse

_GZIP = 31
"""zlib's word for: gzip and nothing else."""


class Bodies:
    """All bodies in hand; together they hold at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @asynccontextmanager
    async def read(self, request: web.Request, most: int, within: timedelta) -> AsyncIterator[bytes]:
        """The body as it came, held while the context lasts; raises RefusedError where it is too large or too slow."""
        if (request.content_length or 0) > most:
            raise _too_large(most)
        parts: list[bytes] = []
        size = 0
        try:
            try:
                async with asyncio.timeout(within.total_seconds()):
                    async for part in request.content.iter_any():
                        size += len(part)
                        self._held += len(part)
                        parts.append(part)
                        if size > most:
                            raise _too_large(most)
                        if self._held > self._most:
                            raise refuse(429, "too_many_bytes", "too many bodies at once; come again", again=2)
            except TimeoutError:
                raise refuse(408, "too_slow", f"the body did not arrive within {within.total_seconds():g} s") from None
            except (web.RequestPayloadError, ConnectionError) as error:
                raise refuse(400, "broken_body", "the body ended early or is framed wrongly") from error
            yield b"".join(parts)
        finally:
            self._held -= size


async def unpacked(encoding: str, raw: bytes, most: int) -> bytes:
    """The body without its Content-Encoding: none, or gzip that unpacks to at most `most` bytes; else RefusedError."""
    match encoding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip":
            return await asyncio.to_thread(_gunzipped, raw, most)
        case _:
            raise refuse(415, "unknown_encoding", "send the body as it is, or with Content-Encoding: gzip")


def _gunzipped(raw: bytes, most: int) -> bytes:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        body = unpacking.decompress(raw, most + 1)
    except zlib.error:
        raise refuse(400, "bad_gzip", "the body is no gzip") from None
    if len(body) > most:
        raise _too_large(most)
    if not unpacking.eof or unpacking.unused_data:
        raise refuse(400, "bad_gzip", "the body is not exactly one whole gzip member")
    return body


def _too_large(most: int) -> RefusedError:
    return refuse(413, "body_too_large", f"a body has at most {most} bytes, unpacked too; send several requests")
