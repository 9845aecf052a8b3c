"""A daemon whole on a free port, and a client that holds every answer of its API against the OpenAPI document."""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from jsonschema import Draft202012Validator

from monitor.app.daemon import Daemon
from monitor.clock import SystemClock
from monitor.settings import Settings, load
from monitor.web.openapi import document
from tests.fakes.senders import Answer, a_post, send
from tests.pipeline.test_daemon import EVENT, PATIENCE, free_port

DESCRIBED = document("test")


def configuration(folder: Path, port: int, more: str = "") -> Path:
    """One event, one source that is pushed to."""
    (folder / "events").mkdir()
    (folder / "events" / "fall.toml").write_text(EVENT, "utf-8")
    (folder / "monitor.toml").write_text(
        f'[store]\nurl = "sqlite:///{folder}/m.sqlite"\n[web]\nport = {port}\n{more}\n'
        f'[pipeline]\nin_hand = "{folder}/in-hand"\nbatch_interval = "50ms"\n'
        '[[source]]\nkind = "ingest"\nname = "pushed"\n',
        "utf-8",
    )
    return folder


class Live(NamedTuple):
    """A daemon at work."""

    folder: Path
    port: int

    async def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request to the API; `body` is TOML where it is text, else JSON."""
        data = (
            body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        url = f"http://127.0.0.1:{self.port}/api/v1{path}"
        async with aiohttp.ClientSession() as session:
            given = data if body is not None else None
            async with session.request(method, url, data=given, headers=headers or {}) as answer:
                found = Answer(answer.status, json.loads(await answer.read()), dict(answer.headers))
        conforms(method, path, found)
        return found

    async def post(self, *posts: dict[str, Any]) -> None:
        """Pushes posts; they are committed when this returns."""
        answer = await send(self.port, json.dumps(posts).encode(), {})
        assert answer.status == 202, answer.body


def conforms(method: str, path: str, answer: Answer) -> None:
    """Fails unless the OpenAPI document announces this status with such a body."""
    plain = "/api/v1" + path.partition("?")[0]
    for template, operations in DESCRIBED["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, plain) and method.lower() in operations and not literal(plain, template):
            response = operations[method.lower()]["responses"][str(answer.status)]
            schema = response["content"]["application/json"]["schema"] | {"components": DESCRIBED["components"]}
            Draft202012Validator(schema).validate(answer.body)
            return
    assert path == "/openapi.json" or answer.status in {404, 405}, f"{method} {path} is not announced"


def literal(plain: str, template: str) -> bool:
    """Whether another template names this path word for word."""
    return plain != template and plain in DESCRIBED["paths"]


async def alive(port: int) -> None:
    """Waits until the daemon answers."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/healthz"):
                    return
            except aiohttp.ClientConnectionError:
                await SystemClock().sleep(timedelta(milliseconds=50))


@asynccontextmanager
async def live(folder: Path, more: str = "", environ: Mapping[str, str] | None = None) -> AsyncIterator[Live]:
    """A daemon, ready; stopped in order at the end."""
    port = free_port()
    if not (folder / "monitor.toml").exists():
        configuration(folder, port, more)
    given = environ or {}
    stop = asyncio.Event()

    def reread() -> Settings:
        return load(folder, given)

    with Daemon(reread(), SystemClock(), random.Random(1), reread=reread) as daemon:
        port = reread().monitor.web.port
        task = asyncio.create_task(daemon.run(stop))
        await alive(port)
        yield Live(folder, port)
        stop.set()
        await asyncio.wait_for(task, PATIENCE)


def mention(number: int, text: str = "Bazarak has fallen to them", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- post/1
    """A post of now by an author of its own."""
    at = SystemClock().now().isoformat()
    return a_post(number, text=text, created_at=at, author=f"a{number}", **fields)
