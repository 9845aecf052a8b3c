"""`monitor run`: the daemon."""

import argparse
import asyncio
import logging
import os
import random
import signal
import sys

from monitor.app.daemon import Daemon
from monitor.cli import log, options
from monitor.clock import SteadyClock, SystemClock
from monitor.settings import load

PRIVATE = 0o027
"""What the monitor writes is for its user and group: posts are nobody else's business."""
NAME = "run"
HELP = "the daemon: collects, judges and alerts until it is told to stop"
EPILOG = """
SIGTERM or Ctrl-C stops it in order: what came is committed, sources end, notifications get a few seconds. A
second signal stops it at once. What was not delivered goes on after the next start.

SIGHUP reads the configuration anew: events, sources and receivers change without a restart. A configuration with
mistakes is refused, all of them are logged, and the old one goes on.

exit status:
  0  stopped as asked
  1  the store, a file or the network failed (one line says what to do), or a bug (logged with a traceback)
  2  the configuration is wrong; every mistake is listed

examples:
  monitor run
  monitor run --config /etc/virality-monitor
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = commands.add_parser(
        NAME, help=HELP, description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Runs until a signal; returns the exit status."""
    settings = load(arguments.config)
    log.begin(settings.monitor.log, sys.stderr)
    os.umask(PRIVATE)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload; it would end us
    chance = random.Random()  # noqa: S311 -- jitter of retries
    with Daemon(settings, SteadyClock(SystemClock()), chance, reread=lambda: load(arguments.config)) as daemon:
        asyncio.run(_until_told(daemon))
    return 0


async def _until_told(daemon: Daemon) -> None:
    """Runs the daemon; the first signal asks it to stop, the second kills."""
    loop = asyncio.get_running_loop()
    stop, again = asyncio.Event(), asyncio.Event()

    def told(number: int) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        logging.getLogger(__name__).info("stopping; the same signal again stops at once")
        stop.set()

    async def reload() -> None:
        while not stop.is_set():
            await again.wait()
            again.clear()
            await daemon.reload()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told, number)
    loop.add_signal_handler(signal.SIGHUP, again.set)
    async with asyncio.TaskGroup() as tasks:
        reloading = tasks.create_task(reload(), name="reload")
        await daemon.run(stop)
        reloading.cancel()
