"""Tells the service manager how the monitor is doing, in the words of sd_notify; without one, nothing happens."""

import logging
import socket

from monitor.clock import Clock
from monitor.settings import ServiceSettings

LONGEST_STATUS = 200
PATIENCE = 0.5
"""Seconds that a full socket is waited for."""

log = logging.getLogger(__name__)


class ServiceReports:
    """Datagrams to the manager's socket; what cannot be sent is logged once and changes nothing else."""

    def __init__(self, service: ServiceSettings, clock: Clock) -> None:
        self._clock = clock
        self._watched = service.watchdog
        self._alive_at: float | None = None
        self._failed = False
        self._socket = self._connected(service.socket) if service.socket else None

    def close(self) -> None:
        """Closes the socket."""
        if self._socket is not None:
            self._socket.close()

    def ready(self) -> None:
        """Everything has started, or a reload is over."""
        self._send("READY=1")

    def reloading(self) -> None:
        """A reload has begun; `ready` ends it, also where it was refused."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(self._clock.monotonic() * 1_000_000)}")

    def stopping(self) -> None:
        """The monitor was told to stop, or ends by itself."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One short line for people, as `systemctl status` shows it."""
        line = " ".join(text.split())
        self._send(f"STATUS={line[:LONGEST_STATUS]}")

    def alive(self) -> None:
        """A batch is done: keeps the watchdog quiet, which fires where this is not called for its time.

        To be called after every batch and from nowhere that goes on when batches do not; sent twice per its time.
        """
        if self._watched is None:
            return
        now = self._clock.monotonic()
        if self._alive_at is None or now - self._alive_at >= self._watched.total_seconds() / 2:
            self._alive_at = now
            self._send("WATCHDOG=1")

    def _connected(self, address: str) -> socket.socket | None:
        """Connected to a path, or to an abstract name that begins with @."""
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.settimeout(PATIENCE)
        try:
            sender.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        except (OSError, ValueError) as error:
            sender.close()
            self._told(error)
            return None
        return sender

    def _send(self, message: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(message.encode())
        except OSError as error:
            self._told(error)

    def _told(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            log.warning("the service manager cannot be told how the monitor is doing: %s", error)
