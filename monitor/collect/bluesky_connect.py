"""The connection to Jetstream: version 2 where the server has it, version 1 where it has not, packed or not.

Version 2 says before the connection is made that a cursor is too old, and from where on it still has events; version 1
goes on silently from there.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec
import zstandard
from aiohttp import ClientWebSocketResponse
from msgspec import Struct

from monitor.collect.bluesky_wire import microseconds
from monitor.collect.http import Answer, Http
from monitor.collect.http_streams import socket
from monitor.collect.look_back import Past
from monitor.errors import SourceRefusedError, SourceUnavailableError

_SUBSCRIBE_V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"
_DICTIONARY_V2 = "/xrpc/network.bsky.jetstream.getZstdDictionary"
_SUBSCRIBE_V1 = "/subscribe"
_BAD, _ABSENT = 400, 404
_ATTEMPTS = 4


class BlueskyWire(StrEnum):
    """Which version of Jetstream is spoken."""

    AUTO = "auto"
    V2 = "v2"
    V1 = "v1"


class Place(Struct, frozen=True, omit_defaults=True):
    """The last event that came: where a connection goes on."""

    host: str
    wire: BlueskyWire
    at: datetime
    seq: int | None = None
    past: Past | None = None

    def text(self) -> str:
        """As a resume point."""
        return msgspec.json.encode(self).decode()


def place(since: str | None) -> Place | None:
    """A resume point read; None where there is none, or one that is not understood."""
    try:
        return msgspec.json.decode(since or "", type=Place)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None


class Wish(NamedTuple):
    """What is asked of the server."""

    host: str
    wire: BlueskyWire
    collections: Sequence[str]
    accounts: Sequence[str]
    rewind: timedelta
    largest: int
    packed: bool
    dictionary_file: str | None
    dictionary_id: int


class Opened(NamedTuple):
    """A connection at work."""

    socket: ClientWebSocketResponse[bool]
    wire: BlueskyWire
    behind: Place | None
    """Events up to here came before, and are dropped by their number or time; None where they must be told apart."""
    lost: str
    """Why events behind the place are lost, if they are."""
    unpack: "Unpack | None"


class _Refusal(Struct):
    error: str = ""
    message: str = ""


class Unpack:
    """Events that were packed with a dictionary; each is a frame of its own that does not say how large it is."""

    def __init__(self, dictionary: bytes, largest: int) -> None:
        self._largest = largest
        try:
            known = zstandard.ZstdCompressionDict(dictionary)
            self._decompressor = zstandard.ZstdDecompressor(dict_data=known)
        except (zstandard.ZstdError, ValueError) as error:
            why = "the zstd dictionary cannot be used"
            raise SourceRefusedError(why) from error

    def __call__(self, frame: bytes) -> bytes:
        """One event; raises SourceUnavailableError where the frame is broken or too large."""
        try:
            said = zstandard.frame_content_size(frame)
            if said <= self._largest:
                return self._decompressor.decompress(frame, max_output_size=self._largest)
        except zstandard.ZstdError as error:
            why = "the server sent something that cannot be unpacked"
            raise SourceUnavailableError(why) from error
        why = f"an event over {self._largest} bytes"
        raise SourceUnavailableError(why)


@asynccontextmanager
async def connected(http: Http, wish: Wish, since: Place | None) -> AsyncIterator[Opened]:
    """A connection that goes on behind `since`; raises SourceUnavailableError and SourceRefusedError."""
    wire = BlueskyWire.V1 if wish.wire is BlueskyWire.V1 else BlueskyWire.V2
    same = since is not None and since.host == wish.host
    cursor = since.seq if same and since is not None else None
    lost = "" if cursor is not None or since is None else "the resume point is of another server"
    packed = wish.packed
    async with AsyncExitStack() as stack:
        for _ in range(_ATTEMPTS):
            if wire is BlueskyWire.V1:
                yield await _version_1(stack, http, wish, since)
                return
            unpack = await _fetched(http, wish) if packed else None
            asked = _asked(wish, cursor, packed=unpack is not None)
            url = wish.host + _SUBSCRIBE_V2
            found = await stack.enter_async_context(socket(http, url, params=asked, also={_BAD, _ABSENT}))
            if not isinstance(found, Answer):
                behind = since if cursor is not None and not lost else None
                yield Opened(found, wire, behind, lost, unpack)
                return
            said = _said(found)
            if found.status == _ABSENT and wish.wire is BlueskyWire.AUTO:
                wire = BlueskyWire.V1
            elif said.error == "UnknownZstdDictionary":
                packed = False
            elif said.error == "CursorTooOld" and cursor is not None:
                lost = http.shown(f"{said.error}: {said.message}")
                floor = re.search(r"\d{1,18}", said.message)
                cursor = int(floor[0]) if floor and int(floor[0]) > cursor else None
            else:
                raise http.refusal(found)
    why = "the server answers now so, now so"
    raise SourceUnavailableError(why)


async def _version_1(stack: AsyncExitStack, http: Http, wish: Wish, since: Place | None) -> Opened:
    asked = [("wantedCollections", one) for one in wish.collections]
    asked += [("wantedDids", one) for one in wish.accounts]
    asked.append(("maxMessageSizeBytes", str(wish.largest)))
    behind = since if since is not None and (since.host, since.wire) == (wish.host, BlueskyWire.V1) else None
    if since is not None:
        asked.append(("cursor", str(microseconds(since.at if behind is not None else since.at - wish.rewind))))
    unpack = None
    if wish.packed and wish.dictionary_file is not None:
        unpack = Unpack(_read(wish.dictionary_file), wish.largest)
        asked.append(("compress", "true"))
    found = await stack.enter_async_context(socket(http, wish.host + _SUBSCRIBE_V1, params=asked))
    if isinstance(found, Answer):  # not asked for
        raise http.refusal(found)
    return Opened(found, BlueskyWire.V1, behind, "", unpack)


def _asked(wish: Wish, cursor: int | None, *, packed: bool) -> list[tuple[str, str]]:
    asked = [("collections", one) for one in wish.collections] + [("dids", one) for one in wish.accounts]
    asked += [("kinds", kind) for kind in ("commit", "account", "sync")]
    asked.append(("maxMessageSizeBytes", str(wish.largest)))
    if cursor is not None:
        asked.append(("cursor", str(cursor)))
    if packed:
        asked.append(("zstdDictionary", str(wish.dictionary_id)))
    return asked


async def _fetched(http: Http, wish: Wish) -> Unpack | None:
    """The server's dictionary; None where it has none of this number."""
    params = [("id", str(wish.dictionary_id))]
    found = await http.get(wish.host + _DICTIONARY_V2, params=params, also={_BAD, _ABSENT})
    return Unpack(found.body, wish.largest) if found.status not in {_BAD, _ABSENT} else None


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        why = f"{file}: {error.strerror}"
        raise SourceRefusedError(why) from error


def _said(answer: Answer) -> _Refusal:
    try:
        return msgspec.json.decode(answer.body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Refusal()
