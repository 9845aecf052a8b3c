"""`monitor run` in a world that tests rule – its clock, its name service, its patience with old posts.

`python -m tests.rig.world CONFIG WORLD`, where WORLD is a file with a World as JSON.
"""

import socket
import struct
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from monitor import settings
from monitor.__main__ import main
from monitor.cli import run
from monitor.clock import SystemClock, pause
from monitor.settings import RetentionSettings
from monitor.watched import Lifetime

_OFFSET = struct.Struct("<d")
_UNANSWERED = timedelta(seconds=5)
"""What a resolver takes to find out that no name server answers."""


class World(msgspec.Struct, frozen=True):
    """What is not as it is on this machine."""

    began: float = 0.0
    """Seconds since 1970 by the machine's clock at which the world's clock stood at …"""
    at: float = 0.0
    """… these seconds since 1970."""
    speed: float = 1.0
    """How many times faster the world's clock runs."""
    ahead: str = ""
    """A file with the seconds by which the clock has been set ahead (`set_clock`)."""
    names: str = ""
    """While this file is there, no name is known."""
    keeps_hours: float = 0.0
    """Mentions and alerts go after so long, texts after half of it; the least that can be configured is a day."""

    def clock(self) -> "WorldClock":
        """Its clock."""
        return WorldClock(self)

    def write(self, file: Path) -> Path:
        """For the command line."""
        file.write_bytes(msgspec.json.encode(self))
        return file


class WorldClock:
    """Implements monitor.clock.Clock; setting it moves `now` alone, as on a machine."""

    def __init__(self, world: World) -> None:
        self._began = datetime.fromtimestamp(world.began, UTC)
        self._at = datetime.fromtimestamp(world.at, UTC)
        self._speed = world.speed
        self._ahead = Path(world.ahead) if world.ahead else None
        self._real = SystemClock()

    def now(self) -> datetime:
        now = self._at + (self._real.now() - self._began) * self._speed
        if self._ahead is None:
            return now
        return now + timedelta(seconds=_OFFSET.unpack(self._ahead.read_bytes())[0])

    def monotonic(self) -> float:
        return self._real.monotonic() * self._speed

    async def sleep(self, duration: timedelta) -> None:
        await self._real.sleep(duration / self._speed)


def set_clock(file: Path, ahead: timedelta) -> None:
    """Sets the clock of the world whose `ahead` this is; whole, or not at all."""
    new = file.with_suffix(".new")
    new.write_bytes(_OFFSET.pack(ahead.total_seconds()))
    new.rename(file)


def _resolving(dead: Path) -> Callable[..., object]:
    """`socket.getaddrinfo` that waits for a name server in vain while `dead` is there; *.test is this machine."""
    ask: Callable[..., object] = socket.getaddrinfo

    def answer(host: bytes | str | None, *more: object, **named: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if not isinstance(name, str) or not name.endswith(".test"):
            return ask(host, *more, **named)
        if dead.exists():
            pause(_UNANSWERED)
            raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")
        return ask("127.0.0.1", *more, **named)

    return answer


def _kept(load: Callable[[Path], settings.Settings], hours: float) -> Callable[[Path], settings.Settings]:
    """`load`, with shorter lifetimes than can be configured."""
    half, whole = Lifetime(hours=hours / 2), Lifetime(hours=hours)
    keeps = RetentionSettings(texts=half, mentions=whole, alerts=whole, deliveries=Lifetime(hours=hours * 2))

    def loaded(folder: Path) -> settings.Settings:
        found = load(folder)
        store = msgspec.structs.replace(found.monitor.store, retention=keeps)
        return found._replace(monitor=msgspec.structs.replace(found.monitor, store=store))

    return loaded


if __name__ == "__main__":
    config, file = sys.argv[1:]
    world = msgspec.json.decode(Path(file).read_bytes(), type=World)
    if world.began:
        run.SystemClock = world.clock  # type: ignore[assignment,attr-defined]
    if world.names:
        socket.getaddrinfo = _resolving(Path(world.names))  # type: ignore[assignment]
    if world.keeps_hours:
        run.load = _kept(run.load, world.keeps_hours)  # type: ignore[assignment,attr-defined]
    sys.exit(main(["run", "--config", config]))
