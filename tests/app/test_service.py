"""What the service manager hears, on a real socket."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from monitor.app.service import LONGEST_STATUS, ServiceReports
from monitor.settings import ServiceSettings
from monitor.settings.service import of_service
from tests.fakes.clock import ManualClock

WATCHED = timedelta(seconds=60)


class Listening:
    """Listens as a service manager does."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(0)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[Listening]:
    with TemporaryDirectory() as folder:
        name = f"{folder}/notify"
        listening = Listening(name if request.param == "path" else f"@{name}")
        yield listening
        listening.socket.close()


def reports(manager: Listening, clock: ManualClock, watchdog: timedelta | None = WATCHED) -> ServiceReports:
    return ServiceReports(ServiceSettings(manager.address, watchdog), clock)


def test_start_and_stop_are_told(manager: Listening) -> None:
    with closing(reports(manager, ManualClock())) as told:
        told.ready()
        told.stopping()
    assert manager.heard() == ["READY=1", "STOPPING=1"]


async def test_a_reload_says_when_it_began(manager: Listening) -> None:
    clock = ManualClock()
    await clock.advance(timedelta(seconds=90.5))
    with closing(reports(manager, clock)) as told:
        told.reloading()
        told.ready()
    assert manager.heard() == ["RELOADING=1\nMONOTONIC_USEC=90500000", "READY=1"]


def test_a_status_is_one_short_line_whatever_it_holds(manager: Listening) -> None:
    with closing(reports(manager, ManualClock())) as told:
        told.status("12 events\nREADY=1\r\nMAINPID=1\x1e" + "x" * 500)
    (heard,) = manager.heard()
    assert heard.startswith("STATUS=12 events READY=1 MAINPID=1 xxx")
    assert len(heard) <= LONGEST_STATUS + len("STATUS=")


async def test_signs_of_life_come_twice_in_the_watchdogs_time_while_batches_go_on(manager: Listening) -> None:
    clock = ManualClock()
    with closing(reports(manager, clock)) as told:
        for _ in range(4 * 120):
            told.alive()
            await clock.advance(timedelta(milliseconds=250))
        assert manager.heard() == ["WATCHDOG=1"] * 4


async def test_no_sign_of_life_comes_while_the_worker_is_stuck(manager: Listening) -> None:
    clock = ManualClock()
    with closing(reports(manager, clock)) as told:
        told.alive()
        assert manager.heard() == ["WATCHDOG=1"]
        await clock.advance(WATCHED * 3)
        assert manager.heard() == []
        told.alive()
        assert manager.heard() == ["WATCHDOG=1"]


def test_without_a_watchdog_there_are_no_signs_of_life(manager: Listening) -> None:
    with closing(reports(manager, ManualClock(), None)) as told:
        told.alive()
    assert manager.heard() == []


def test_without_a_service_manager_nothing_happens() -> None:
    with closing(ServiceReports(ServiceSettings(), ManualClock())) as told:
        told.ready()
        told.alive()


@pytest.mark.parametrize("gone", ["before", "later"])
def test_a_manager_that_does_not_listen_is_said_once(
    manager: Listening, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    if gone == "before":
        manager.socket.close()
    with closing(reports(manager, ManualClock())) as told:
        manager.socket.close()
        told.ready()
        told.stopping()
    assert len(caplog.records) == 1
    assert "the service manager cannot be told" in caplog.text


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ServiceSettings()),
        ({"NOTIFY_SOCKET": "/run/n"}, ServiceSettings("/run/n")),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "30000000"}, ServiceSettings("@n", timedelta(seconds=30))),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "0"}, ServiceSettings("@n")),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "soon"}, ServiceSettings("@n")),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "9" * 5000}, ServiceSettings("@n")),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}, ServiceSettings("@n")),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, ServiceSettings()),
        ({"WATCHDOG_USEC": "30000000"}, ServiceSettings()),
    ],
    ids=str,
)
def test_the_environment_says_where_and_how_often(environ: dict[str, str], expected: ServiceSettings) -> None:
    assert of_service(environ) == expected


def test_a_watchdog_that_is_meant_for_this_process_is_heeded() -> None:
    environ = {"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": str(os.getpid())}
    assert of_service(environ).watchdog == timedelta(milliseconds=1)


def test_a_path_that_is_too_long_for_a_socket_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    ServiceReports(ServiceSettings(str(Path("/") / ("n" * 300))), ManualClock()).ready()
    assert "cannot be told" in caplog.text
