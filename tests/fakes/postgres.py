"""A real PostgreSQL on loopback that can be stopped, killed and started again, and a place of its own for each store.

Missing on this machine: tests skip with the reason; with CI=true they fail. `make servers` installs it.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest

from monitor.clock import SystemClock, pause
from tests.fakes.mosquitto import free_ports

PATIENCE = 30.0
PASSWORD = "a word of the monitor's"
_OPTIONS = ("-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=32MB")
_HARDLY_DURABLE = ("-c", "fsync=off", "-c", "full_page_writes=off")
"""For tests that cut no power: the process may be killed, the machine not."""
server_proved = pytest.mark.parametrize(
    "places", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)], indirect=True
)
"""For a long test of `make test`: on a server it runs in `make prove`."""


class Postgres:
    """One server; it keeps its port and its folder over its lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        self._programs = programs()
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)

    def prepare(self) -> None:
        """Makes the cluster; as root for the user nobody, because the server refuses to run as root."""
        word = self.folder / "word"
        word.write_text(PASSWORD, "utf-8")
        if os.getuid() == 0:
            for path in (self.folder, word):
                shutil.chown(path, "nobody", "nogroup")
        options = ("--username=monitor", f"--pwfile={word}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale")
        self._run("initdb", "--no-sync", *options, str(self.folder / "data"))

    def start(self) -> None:
        """Starts it, and returns when it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [
                    *self._command("postgres"),
                    "-D",
                    str(self.folder / "data"),
                    "-p",
                    str(self.port),
                    *_OPTIONS,
                    *_HARDLY_DURABLE,
                ],
                stdout=log,
                stderr=log,
            )
        clock = SystemClock()
        until = clock.monotonic() + PATIENCE
        while clock.monotonic() < until and self._process.poll() is None:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                pause(timedelta(milliseconds=20))
            else:
                return
        pytest.fail((self.folder / "server.log").read_text("utf-8", "replace"))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends it: SIGINT cuts connections and writes everything, SIGQUIT is a crash."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)

    def died(self) -> bool:
        """Whether it has ended, by itself or not."""
        return self._process is None or self._process.poll() is not None

    def url(self, database: str = "monitor") -> str:
        """Where a database of this server is."""
        return f"postgresql://monitor:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def place(self) -> str:
        """The URL of a schema of its own, empty."""
        name = f"place_{next(self._names)}"
        self.tell(f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}?options=-csearch_path%3D{name}"

    def tell(self, statement: str) -> None:
        """Runs a statement as its owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _command(self, name: str) -> list[str]:
        drop = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []
        return [*drop, str(self._programs / name)]

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run([*self._command(name), *arguments], capture_output=True, check=False, timeout=PATIENCE)  # noqa: S603
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")


def programs() -> Path:
    """The folder with the newest server's programs; skips, or fails where CI=true, if there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folders = [folder for folder in folders if (folder / "postgres").exists()]
    if not folders:
        why = "no PostgreSQL here; `make servers` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return folders[-1]


@contextmanager
def running(inside: Path | None = None) -> Iterator[Postgres]:
    """A server in a folder that goes with it; `inside` is a folder that anybody may enter."""
    programs()
    with tempfile.TemporaryDirectory(prefix="postgres-", dir=inside) as folder:
        server = Postgres(Path(folder))
        server.prepare()
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)
