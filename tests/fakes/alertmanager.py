"""A real Alertmanager on loopback. Missing on this machine: tests skip with the reason; with CI=true they fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientSession

from monitor.clock import SystemClock
from tests.fakes.mosquitto import PATIENCE, free_ports, installed, listens, program

CONFIGURATION = """
route:
  receiver: back
  group_by: [fingerprint]
  group_wait: 50ms
  group_interval: 100ms
receivers:
  - name: back
    webhook_configs:
      - url: {back}
        send_resolved: true
"""


class Running(NamedTuple):
    """One that runs."""

    url: str
    session: ClientSession

    async def alerts(self) -> list[dict[str, Any]]:
        """What it says of the alerts it has, those that have ended left out."""
        async with self.session.get(f"{self.url}/api/v2/alerts") as answer:
            found: list[dict[str, Any]] = await answer.json()
            return found

    async def until(self, count: int) -> list[dict[str, Any]]:
        """Waits until so many alerts are there."""
        async with asyncio.timeout(PATIENCE):
            while len(found := await self.alerts()) != count:
                await SystemClock().sleep(timedelta(milliseconds=20))
        return found


@asynccontextmanager
async def alertmanager(folder: Path, back: str = "http://127.0.0.1:9/") -> AsyncIterator[Running]:
    """One that runs while the context lasts, and tells `back` what it would tell people."""
    installed("prometheus-alertmanager")
    (folder / "am.yml").write_text(CONFIGURATION.format(back=back), "utf-8")
    (port,) = free_ports(1)
    options = (f"--config.file={folder / 'am.yml'}", f"--storage.path={folder / 'data'}", "--cluster.listen-address=")
    where = (f"--web.listen-address=127.0.0.1:{port}", "--web.external-url=http://alertmanager.test")
    with (folder / "am.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            program("prometheus-alertmanager"), *options, *where, "--web.route-prefix=/", stderr=log
        )
    try:
        assert await listens(port, process), (folder / "am.log").read_text("utf-8", "replace")
        async with ClientSession() as session:
            yield Running(f"http://127.0.0.1:{port}", session)
    finally:
        process.kill()
        await process.wait()
