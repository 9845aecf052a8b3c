"""How long the daemon takes until it says that it is ready, and the memory it has then."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from threading import Event
from typing import NamedTuple

LONGEST = 120.0
"""Seconds until a start is given up."""
_BETWEEN = 0.02

_MONITOR = """
[store]
url_env = "STORE"
[web]
port = {port}
[pipeline]
in_hand = "{folder}/in-hand"
[[receiver]]
kind = "file"
name = "file"
path = "{folder}/cards.ndjson"
deadline = "5m"
"""


class Started(NamedTuple):
    """One start."""

    seconds: float
    """From the command to the first answer of /readyz that says so."""
    megabytes: float
    """Resident then."""
    processor: float
    """Seconds of processor time it had by then: what a busy machine leaves as it is."""


def start(store: str, event: Path, folder: Path) -> Started:
    """Starts the daemon on a store (its URL) with one event, waits until it is ready and stops it."""
    (folder / "config" / "events").mkdir(parents=True)
    shutil.copy(event, folder / "config" / "events")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    written = _MONITOR.format(port=port, folder=folder)
    (folder / "config" / "monitor.toml").write_text(written, "utf-8")
    began = time.perf_counter()
    command = [sys.executable, "-m", "monitor", "run", "--config", str(folder / "config")]
    with subprocess.Popen(command, env=os.environ | {"STORE": store}) as daemon:  # noqa: S603 -- our own command
        try:
            while not _ready(port):
                assert daemon.poll() is None, "the daemon ended"
                assert time.perf_counter() - began < LONGEST, "the daemon does not become ready"
                Event().wait(_BETWEEN)
            seconds = time.perf_counter() - began
            ran = Path(f"/proc/{daemon.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[11:13]
            pages = int(Path(f"/proc/{daemon.pid}/statm").read_text("utf-8").split()[1])
        finally:
            daemon.send_signal(signal.SIGTERM)
    processor = sum(map(int, ran)) / os.sysconf("SC_CLK_TCK")
    return Started(seconds, pages * os.sysconf("SC_PAGESIZE") / 2**20, processor)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
