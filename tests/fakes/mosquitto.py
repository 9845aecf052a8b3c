"""A real mosquitto on loopback, with a password file, an ACL and TLS of its own, that can be killed and started again.

Missing on this machine: tests skip with the reason; with CI=true they fail. `make servers` installs it.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import aiomqtt
import pytest

from monitor.clock import SystemClock

NEEDED = ("mosquitto", "mosquitto_passwd", "openssl")
ACL = """
user monitor
topic readwrite vm/#
user sensor
topic readwrite vm/#
user reader
topic read vm/posts/#
user writer
topic write vm/posts/#
user outsider
topic readwrite elsewhere/#
"""
USERS = ("monitor", "sensor", "newsroom", "reader", "writer", "outsider")
PATIENCE = 60.0


def password(user: str) -> str:
    return f"{user}'s word"


class Mosquitto:
    """One broker; it keeps its ports and its folder over its lives."""

    def __init__(
        self, folder: Path, *options: str, acl: str = ACL, configure: Callable[["Mosquitto"], str] | None = None
    ) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.password_file = folder / "passwords"
        self.saved: Path | None = None
        """What it keeps over its lives; None if nothing."""
        self.port = self.tls_port = 0
        self._options = options
        self._configure = configure
        self._acl = acl
        self._process: asyncio.subprocess.Process | None = None

    def prepare(self) -> None:
        """Makes passwords, certificates and the ACL."""
        for user in USERS:
            create = [] if self.password_file.exists() else ["-c"]
            _run("mosquitto_passwd", *create, "-b", str(self.password_file), user, password(user))
        certificates(self.folder)
        self.write_acl(self._acl)

    def write_acl(self, acl: str) -> None:
        """Takes effect at the next start."""
        (self.folder / "acl").write_text(acl, "utf-8")
        (self.folder / "acl").chmod(0o600)

    async def start(self) -> None:
        """Starts it, and returns when it listens."""
        for _ in range(10):
            if not self.port:
                self.port, self.tls_port = free_ports(2)
            conf = self.folder / "mosquitto.conf"
            conf.write_text(self._configuration(), "utf-8")
            with (self.folder / "mosquitto.log").open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(program("mosquitto"), "-c", str(conf), stderr=log)
            if await listens(self.port, self._process):
                return
            self.port = 0
        pytest.fail((self.folder / "mosquitto.log").read_text("utf-8", "replace"))

    def shoot(self) -> None:
        """Kills it, and does not wait until it has ended."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()

    async def kill(self) -> None:
        """Ends it without a chance to say or save anything."""
        self.shoot()
        assert self._process is not None
        await self._process.wait()

    async def save(self) -> None:
        """Returns when all that it has acknowledged so far is in its file, which it replaces at each save."""
        assert self._process is not None
        assert self.saved is not None
        before = _replaced(self.saved)
        self._process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(PATIENCE):
            while _replaced(self.saved) == before:
                await SystemClock().sleep(timedelta(milliseconds=10))

    async def stop(self) -> None:
        """Ends it in order."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    def client(self, user: str = "sensor", client_id: str | None = None) -> aiomqtt.Client:
        """A plain client of another program."""
        return aiomqtt.Client(
            "127.0.0.1",
            self.port,
            username=user,
            password=password(user),
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5,
        )

    def _configuration(self) -> str:
        if self._configure is not None:
            return self._configure(self)
        lines = [
            "user root",
            "allow_anonymous false",
            f"password_file {self.password_file}",
            f"acl_file {self.folder / 'acl'}",
            "max_queued_messages 20000",
            "max_inflight_messages 0",
            *self._options,
            f"listener {self.port} 127.0.0.1",
            f"listener {self.tls_port} 127.0.0.1",
            f"cafile {self.ca_file}",
            f"certfile {self.folder / 'server.pem'}",
            f"keyfile {self.folder / 'server.key'}",
        ]
        return "\n".join(lines) + "\n"


def _replaced(file: Path) -> tuple[int, int]:
    """Another pair after each time."""
    if not file.exists():
        return 0, 0
    now = file.stat()
    return now.st_ino, now.st_mtime_ns


_MEMORY = Path("/dev/shm")  # noqa: S108 -- a folder of our own in it
"""Outlives a killed broker, and does not keep the disk busy with all that is queued at every change."""
_AT_EVERY_CHANGE = ("autosave_on_changes true", "autosave_interval 1")


@asynccontextmanager
async def mosquitto(
    folder: Path,
    *options: str,
    persistent: bool = False,
    acl: str = ACL,
    configure: Callable[[Mosquitto], str] | None = None,
) -> AsyncIterator[Mosquitto]:
    """A broker that runs while the context lasts."""
    installed(*NEEDED)
    with TemporaryDirectory(dir=_in_memory(folder)) as place:
        kept = ("persistence true", f"persistence_location {place}/", *_AT_EVERY_CHANGE) if persistent else ()
        broker = Mosquitto(folder, *options, *kept, acl=acl, configure=configure)
        broker.saved = Path(place) / "mosquitto.db" if persistent else None
        broker.prepare()
        await broker.start()
        try:
            yield broker
        finally:
            await broker.kill()


def _in_memory(folder: Path) -> Path:
    """Where a broker keeps what is queued: in `folder` on a machine without a folder in memory."""
    return _MEMORY if _MEMORY.is_dir() else folder


@contextmanager
def silent_broker() -> Iterator[int]:
    """The port of something that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def installed(*programs: str) -> None:
    """Skips the test where a program is missing; in CI that is a failure."""
    missing = [one for one in programs if shutil.which(one, path=_search_path()) is None]
    if not missing:
        return
    why = f"not on this machine: {', '.join(missing)}; `make servers` installs them"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def program(name: str) -> str:
    """Where a program is; Debian keeps servers in sbin, which ordinary users do not search."""
    return shutil.which(name, path=_search_path()) or name


def _search_path() -> str:
    return os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"))


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(listener.getsockname()[1]) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


async def listens(port: int, process: asyncio.subprocess.Process, patience: float = PATIENCE) -> bool:
    """Waits until something listens on the port; false when the process ends before."""
    async with asyncio.timeout(patience):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await SystemClock().sleep(timedelta(milliseconds=10))
            else:
                writer.close()
                await writer.wait_closed()
                return process.returncode is None
    return False


def certificates(folder: Path, name: str = "localhost") -> None:
    """An authority (ca.pem) and a certificate that it signed (server.pem, server.key)."""
    subject = f"subjectAltName=DNS:{name},IP:127.0.0.1"
    (folder / "extensions").write_text(f"{subject}\nbasicConstraints=CA:FALSE\n", "utf-8")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    ca, server = folder / "ca", folder / "server"
    extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl("req", "-x509", *curve, "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-subj", "/CN=test CA", *extensions)
    _openssl("req", *curve, "-keyout", f"{server}.key", "-out", f"{server}.csr", "-subj", f"/CN={name}")
    signed = ("-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "2")
    _openssl(
        "x509", "-req", "-in", f"{server}.csr", *signed, "-out", f"{server}.pem", "-extfile", str(folder / "extensions")
    )


def _openssl(*arguments: str) -> None:
    _run("openssl", *arguments)


def _run(name: str, *arguments: str) -> None:
    command = (program(name), *arguments)
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- the test's own
