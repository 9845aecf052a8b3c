"""Looks over a configuration and the machine under it: what is good, doubtful, or will not work, and what to do."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
from aiohttp import ClientSession, ClientTimeout
from sqlalchemy.engine import make_url

from monitor.alert.receivers.file import FileSettings
from monitor.app.build import addressed
from monitor.app.known import known
from monitor.app.pseudonyms import KEY_FILE
from monitor.app.reach import LONGEST, reached, server_of
from monitor.app.restored import restored
from monitor.app.walk import REMEMBERED, UPTO, Walk
from monitor.clock import Clock
from monitor.collect.file import FileSource
from monitor.collect.ingest import IngestSource
from monitor.errors import SettingsError, StoreError
from monitor.settings import AuthorNames, Receiver, Settings, Source
from monitor.settings.sentences import written
from monitor.store.left import left
from monitor.store.reader import Reader
from monitor.store.state_of import Glance, glance
from monitor.tag.tagger import load_tagger

LITTLE, ALMOST_NONE = 2_000_000_000, 200_000_000
"""Bytes left on a disk."""
APART, FAR_APART = timedelta(seconds=2), timedelta(minutes=1)
"""How far two clocks may differ."""
_WATCHED_FOR = timedelta(milliseconds=200)
_DRIFT = timedelta(milliseconds=100)
_BORN = datetime(2025, 1, 1, tzinfo=UTC)
"""No clock that is right says less."""


class Verdict(StrEnum):
    """How something is."""

    OK = "ok"
    DOUBT = "doubt"
    BAD = "bad"


class Check(NamedTuple):
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    found: str
    do: str = ""
    """What to do about it; "" where it is good."""


async def examined(settings: Settings, clock: Clock) -> AsyncIterator[Check]:
    """Looks at everything in turn; changes nothing, sends nothing that anybody sees."""
    yield await _clock(clock)
    seen = _store(settings, clock.now())
    for check in seen:
        yield check
    for check in _disks(settings):
        yield check
    yield _model(settings)
    yield _authors(settings)
    yield _retention(settings)
    async with ClientSession() as session:
        yield await _port(settings, session)
        for source in settings.monitor.sources:
            secret = settings.source_secrets.get(source.name)
            yield await _source(source, secret.reveal() if secret else "", session, clock)
        for receiver in settings.monitor.receivers:
            secret = settings.receiver_secrets.get(receiver.name)
            yield await _served(addressed(receiver, settings), secret.reveal() if secret else "", session, clock)


async def _clock(clock: Clock) -> Check:
    began, ticks = clock.now(), clock.monotonic()
    await clock.sleep(_WATCHED_FOR)
    drift = abs((clock.now() - began) - timedelta(seconds=clock.monotonic() - ticks))
    if began < _BORN:
        return Check("clock", Verdict.BAD, f"it says {began:%Y-%m-%d}, which is long ago", "set it; run an NTP client")
    if drift > _DRIFT:
        found = f"it moved {drift.total_seconds():.2f} s against the machine's own in a moment"
        return Check("clock", Verdict.DOUBT, found, "somebody sets it; let only an NTP client do so, slewing")
    return Check("clock", Verdict.OK, f"{began:%Y-%m-%d %H:%M:%S} UTC, and steady")


def _store(settings: Settings, now: datetime) -> Iterator[Check]:
    url = settings.store_url.reveal()
    file = _file(url)
    if file is not None and not file.exists():
        yield Check("store", Verdict.OK, f"{file} is not there yet; the first start makes it")
        return
    try:
        found = glance(url, UPTO)
    except StoreError as error:
        yield Check("store", Verdict.BAD, str(error), "then run this again")
        return
    yield _schema(found)
    if found.clock is not None:
        yield _compared("store's clock", abs(found.clock - now), "the server's clock and ours differ by")
    if found.row is not None:
        yield from _state(settings, now)


def _state(settings: Settings, now: datetime) -> Iterator[Check]:
    """Whether the next start goes on from what the last run left, and in a time that has come."""
    try:
        walk = Walk(settings.events, load_tagger(settings.model))
        with Reader(settings.store_url.reveal()) as reader:
            upto = restored(walk, reader.look(lambda connection: left(connection, REMEMBERED)))
    except StoreError as error:
        yield Check("state", Verdict.BAD, str(error), "then run this again")
        return
    except SettingsError:
        yield Check("state", Verdict.DOUBT, "cannot be tried without model and events", "mend those first")
        return
    if upto is not None:
        yield Check("state", Verdict.OK, f"reads back; a start goes on from {upto:%Y-%m-%d %H:%M:%S} UTC")
        ahead = max(upto - now, timedelta())
        yield _compared("stream", ahead, "what was seen last is ahead of our clock by")


def _schema(found: Glance) -> Check:
    if found.current:
        return Check("store", Verdict.OK, f"opens, schema {found.schema}")
    if found.known:
        what = f"schema {found.schema}" if found.schema else "it is empty"
        return Check("store", Verdict.OK, f"opens, {what}; the next start brings it up to date")
    return Check("store", Verdict.BAD, f"schema {found.schema} is a newer version's", "upgrade the monitor")


def _compared(what: str, apart: timedelta, words: str) -> Check:
    verdict = Verdict.BAD if apart > FAR_APART else Verdict.DOUBT if apart > APART else Verdict.OK
    do = "" if verdict is Verdict.OK else "mend NTP on both; nothing is decided until our clock has caught up"
    return Check(what, verdict, f"{words} {apart.total_seconds():.1f} s", do)


def _disks(settings: Settings) -> Iterator[Check]:
    files = [one.path for one in settings.monitor.receivers if isinstance(one, FileSettings)]
    store = _file(settings.store_url.reveal())
    folders = {Path(settings.monitor.pipeline.in_hand): "in hand", **{Path(file).parent: "alerts" for file in files}}
    if store is not None:
        folders[store.parent] = "store"
    for folder, what in folders.items():
        yield _disk(f"disk: {what}", folder)


def _disk(what: str, folder: Path) -> Check:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Check(what, Verdict.BAD, f"{there} cannot be written", "give the monitor's user the right to")
    free = shutil.disk_usage(there).free
    verdict = Verdict.BAD if free < ALMOST_NONE else Verdict.DOUBT if free < LITTLE else Verdict.OK
    do = "" if verdict is Verdict.OK else "make room; `monitor db vacuum`, or less under [store.retention]"
    return Check(what, verdict, f"{free / 1e9:,.1f} GB left at {folder}", do)


def _model(settings: Settings) -> Check:
    try:
        load_tagger(settings.model)
        Walk.prepared(settings.events)
    except SettingsError as error:
        return Check("model", Verdict.BAD, "; ".join(error.mistakes), "name another under [tagger], or mend the event")
    return Check("model", Verdict.OK, f"loads; {len(settings.events)} events compile")


def _authors(settings: Settings) -> Check:
    if settings.monitor.store.authors is AuthorNames.PLAIN:
        return Check("authors", Verdict.DOUBT, "are kept as they come", 'set authors = "hashed" unless you need names')
    if settings.author_key is not None:
        return Check("authors", Verdict.OK, "are hashed under the key that [store] names")
    file = Path(settings.monitor.pipeline.in_hand).parent / KEY_FILE
    if not file.exists():
        return Check("authors", Verdict.OK, f"are hashed; the first start makes the key {file}")
    if file.stat().st_mode & 0o077:
        return Check("authors", Verdict.DOUBT, f"others may read the key {file}", f"chmod 600 {file}")
    return Check("authors", Verdict.OK, f"are hashed under the key in {file}")


def _retention(settings: Settings) -> Check:
    keeps = settings.monitor.store.retention
    lasts = {field.name: getattr(keeps, field.name) for field in msgspec.structs.fields(keeps)}
    found = ", ".join(f"{name} {written(one)}" for name, one in lasts.items())
    ever = [name for name, one in lasts.items() if one.endless]
    if ever:
        return Check(
            "retention", Verdict.DOUBT, found, f"kept for ever: {', '.join(ever)}; set a limit unless you must"
        )
    return Check("retention", Verdict.OK, found)


async def _port(settings: Settings, session: ClientSession) -> Check:
    web = settings.monitor.web
    where = f"{web.host}:{web.port}"
    asked = "[::1]" if web.host == "::" else "127.0.0.1" if web.host == "0.0.0.0" else web.host  # noqa: S104 -- compared
    url = f"http://{f'[{asked}]' if ':' in asked and '[' not in asked else asked}:{web.port}/healthz"
    try:
        async with session.get(url, timeout=ClientTimeout(total=LONGEST)) as answer:
            if answer.status == HTTPStatus.OK:
                return Check("port", Verdict.OK, f"the daemon answers at {where}")
            found = f"something answers {answer.status} at {where}"
    except aiohttp.ClientConnectorError:
        why = _taken(web.host, web.port)
        if not why:
            return Check("port", Verdict.OK, f"{where} is free")
        found = f"{where} cannot be used ({why})"
    except (aiohttp.ClientError, TimeoutError):
        found = f"something holds {where} and does not answer"
    return Check("port", Verdict.BAD, found, "stop it, or set another port under [web]")


def _taken(host: str, port: int) -> str:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as stack:
            held = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return ""


async def _source(source: Source, secret: str, session: ClientSession, clock: Clock) -> Check:
    what = f"source {source.name}"
    if isinstance(source, FileSource):
        there = await asyncio.to_thread(os.access, source.path, os.R_OK)
        if there:
            return Check(what, Verdict.OK, f"{source.path} can be read")
        return Check(what, Verdict.DOUBT, f"{source.path} is not there or not ours", "it is waited for; check the path")
    if isinstance(source, IngestSource):
        return Check(what, Verdict.OK, "waits for posts at [web]")
    return await _served(source, secret, session, clock)


async def _served(configured: Source | Receiver, secret: str, session: ClientSession, clock: Clock) -> Check:
    """One that a server serves: whether it is there, and knows us."""
    which, proving = ("source", "source test") if isinstance(configured, Source) else ("receiver", "test-alert")
    what, proof = f"{which} {configured.name}", f"`monitor {proving} {configured.name}`"
    server = server_of(configured, secret)
    if server is None:
        return Check(what, Verdict.OK, f"has no one server to try; {proof} tries it")
    why = await reached(server)
    if why:
        return Check(what, Verdict.BAD, why, "check name, network, certificate")
    asked = await known(configured, secret, session, clock)
    if asked is None:
        return Check(what, Verdict.OK, f"{server} answers; {proof} proves the rest")
    if asked.why_not:
        verdict = Verdict.DOUBT if asked.passes else Verdict.BAD
        do = "try again later" if asked.passes else "renew the credentials, and put them where the settings say"
        return Check(what, verdict, f"{server}: {asked.why_not}", do)
    return Check(what, Verdict.OK, f"{server} knows us; {proof} proves the rest")


def _file(url: str) -> Path | None:
    """The file of a SQLite store."""
    database = make_url(url).database if url.startswith("sqlite") else None
    return Path(database) if database else None
