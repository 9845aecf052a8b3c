"""A real Prometheus on loopback. Missing on this machine: tests skip with the reason; with CI=true they fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientSession

from monitor.clock import SystemClock
from tests.fakes.mosquitto import PATIENCE, free_ports, installed, listens, program


class Prometheus(NamedTuple):
    """One that runs."""

    url: str
    session: ClientSession

    async def ready(self) -> bool:
        """Whether it answers queries."""
        async with self.session.get(f"{self.url}/-/ready") as answer:
            return answer.status == HTTPStatus.OK

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression has now."""
        async with self.session.get(f"{self.url}/api/v1/query", params={"query": expression}) as answer:
            body = await answer.json()
        assert body["status"] == "success", f"{expression}: {body}"
        found: list[dict[str, Any]] = body["data"]["result"]
        return found

    async def rules(self) -> list[dict[str, Any]]:
        """Every rule with its health."""
        async with self.session.get(f"{self.url}/api/v1/rules") as answer:
            groups = (await answer.json())["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@asynccontextmanager
async def prometheus(folder: Path, configuration: str) -> AsyncIterator[Prometheus]:
    """One that runs with a configuration while the context lasts."""
    installed("prometheus")
    (folder / "prometheus.yml").write_text(configuration, "utf-8")
    (port,) = free_ports(1)
    options = (f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}")
    with (folder / "prometheus.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            program("prometheus"), *options, f"--web.listen-address=127.0.0.1:{port}", stderr=log
        )
    try:
        assert await listens(port, process), (folder / "prometheus.log").read_text("utf-8", "replace")
        async with ClientSession() as session:
            running = Prometheus(f"http://127.0.0.1:{port}", session)
            async with asyncio.timeout(PATIENCE):
                while not await running.ready():
                    await SystemClock().sleep(timedelta(milliseconds=50))
            yield running
    finally:
        process.kill()
        await process.wait()
