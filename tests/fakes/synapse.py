"""A real Synapse on loopback, with a room of two accounts.

Missing on this machine: tests skip with the reason; with CI=true they fail. `make servers` installs it.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from aiohttp import ClientSession

from tests.fakes.mosquitto import free_ports, listens

STARTS_WITHIN = 120.0
"""Seconds; a quiet machine needs two."""
PLACE = Path(__file__).parents[2] / ".servers" / "synapse" / "bin"
SETTINGS = """
server_name: test.local
pid_file: {folder}/pid
report_stats: false
listeners:
  - port: {port}
    type: http
    tls: false
    bind_addresses: ["127.0.0.1"]
    resources: [{{names: [client], compress: false}}]
database: {{name: sqlite3, args: {{database: {folder}/homeserver.db}}}}
log_config: {folder}/log.yaml
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
trusted_key_servers: []
enable_registration: true
enable_registration_without_verification: true
macaroon_secret_key: of the tests
form_secret: of the tests
rc_message: {{per_second: 1000, burst_count: 1000}}
rc_registration: {{per_second: 100, burst_count: 100}}
"""
LOG = """
version: 1
handlers: {{file: {{class: logging.FileHandler, filename: {folder}/synapse.log}}}}
root: {{level: WARNING, handlers: [file]}}
"""


class Synapse:
    """One server; `token` is the monitor's, `room` where it and a reader are."""

    def __init__(self, url: str, session: ClientSession) -> None:
        self.url = url
        self.session = session
        self.token = self.reader = self.room = ""

    async def settle_in(self) -> None:
        """Makes both accounts and the room."""
        self.token, self.reader = await self._account("monitor"), await self._account("desk")
        made = await self.ask("POST", "createRoom", self.token, {"invite": ["@desk:test.local"], "name": "desk"})
        self.room = made["room_id"]
        await self.ask("POST", f"join/{quote(self.room)}", self.reader, {})

    async def ask(self, method: str, path: str, token: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        """The client API's answer."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        where = f"{self.url}/_matrix/client/v3/{path}"
        async with self.session.request(method, where, headers=headers, json=body) as answer:
            said = await answer.read()
            assert answer.ok, said
            return msgspec.json.decode(said)

    async def events(self) -> list[dict[str, Any]]:
        """Messages of the room as the reader sees them, oldest first; an edited one with its newest content."""
        path = f"rooms/{quote(self.room)}/messages?dir=b&limit=100"
        chunk = (await self.ask("GET", path, self.reader))["chunk"]
        return [event for event in reversed(chunk) if event["type"] == "m.room.message"]

    async def thread(self, event: str) -> list[str]:
        """What stands in the thread of an event."""
        path = f"../v1/rooms/{quote(self.room)}/relations/{quote(event)}/m.thread"
        chunk = (await self.ask("GET", path, self.reader))["chunk"]
        return [one["content"]["body"] for one in reversed(chunk)]

    async def _account(self, name: str) -> str:
        body = {"username": name, "password": "a long word", "auth": {"type": "m.login.dummy"}}
        made = await self.ask("POST", "register", "", body)
        return str(made["access_token"])


@asynccontextmanager
async def synapse(folder: Path) -> AsyncIterator[Synapse]:
    """One that runs while the context lasts."""
    _installed()
    (port,) = free_ports(1)
    (folder / "hs.yaml").write_text(SETTINGS.format(folder=folder, port=port), "utf-8")
    (folder / "signing.key").write_text(f"ed25519 a_test {'A' * 43}\n", "utf-8")
    (folder / "log.yaml").write_text(LOG.format(folder=folder), "utf-8")
    command = (str(PLACE / "python"), "-m", "synapse.app.homeserver", "-c", str(folder / "hs.yaml"))
    with (folder / "out.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, cwd=folder)
    try:
        assert await listens(port, process, STARTS_WITHIN), (folder / "out.log").read_text("utf-8", "replace")
        async with ClientSession() as session:
            server = Synapse(f"http://127.0.0.1:{port}", session)
            await server.settle_in()
            yield server
    finally:
        process.kill()
        await process.wait()


def _installed() -> None:
    if (PLACE / "python").exists():
        return
    why = "no Synapse here; `make servers` installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def words_of(html: str) -> str:
    """The text of formatted content."""
    return re.sub(r"<[^>]+>", " ", html)
