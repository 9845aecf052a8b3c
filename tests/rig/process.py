"""The daemon as a process of its own: started, killed, stopped, and asked how it is."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout

from monitor.clock import SystemClock
from tests.rig.world import World

PATIENCE = 180.0
"""Seconds; a busy machine needs long for a start."""
_POLL = timedelta(milliseconds=20)


class DaemonProcess:
    """`monitor run` on a configuration, maybe in another world; its log goes to a file."""

    def __init__(
        self, config: Path, port: int, log: Path, environ: Mapping[str, str], world: World | None = None
    ) -> None:
        self._command = ["-m", "monitor", "run", "--config", str(config)]
        if world is not None:
            self._command = ["-m", "tests.rig.world", str(config), str(world.write(log.with_name("world.json")))]
        self._port = port
        self._log = log
        self._environ = {**os.environ, **environ}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def base(self) -> str:
        """Where its web server is."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Starts it; it is not ready yet."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._command,
                env=self._environ,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> float:
        """Waits until it is ready; the seconds that took."""
        clock = SystemClock()
        began = clock.monotonic()
        async with ClientSession(timeout=ClientTimeout(total=5)) as session, asyncio.timeout(PATIENCE):
            while True:
                assert self._process is not None
                if self._process.returncode is not None:
                    raise AssertionError(self._log.read_text("utf-8")[-3000:])
                try:
                    async with session.get(f"{self.base}/readyz") as answer:
                        if answer.status == 200:
                            return clock.monotonic() - began
                except (ClientConnectionError, TimeoutError):
                    pass
                await clock.sleep(_POLL)

    async def kill(self) -> None:
        """SIGKILL, at whatever it is doing."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and waits for the orderly end; the exit status."""
        return await self._end(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal."""
        os.kill(self.pid, number)

    async def metrics(self) -> dict[str, float]:
        """Every sample of /metrics, by name and labels."""
        async with ClientSession() as session, session.get(f"{self.base}/metrics") as answer:
            return samples(await answer.text())

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()


def samples(text: str) -> dict[str, float]:
    """The lines of an exposition."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def total(found: Mapping[str, float], name: str) -> float:
    """The sum over all labels of a metric."""
    return sum(value for sample, value in found.items() if sample.partition("{")[0] == name)
