"""`monitor test-alert`: sends one alert, marked TEST, to a receiver."""

import argparse
import asyncio
from datetime import timedelta

import aiohttp

from monitor.alert.example import example_alert
from monitor.alert.outbox import notifications
from monitor.app.build import addressed, links, receiver
from monitor.cli import options
from monitor.clock import SystemClock
from monitor.errors import DeliveryError, SettingsError, StoreError
from monitor.settings import Receiver, Settings, load

NAME = "test-alert"
HELP = "proves a receiver: sends it one alert, marked TEST"
EPILOG = """
exit status:
  0  the receiver took it
  1  it did not; the reason is printed
  2  the configuration is wrong or has no receiver of this name

examples:
  monitor test-alert desk
  monitor test-alert desk --config /etc/virality-monitor
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = commands.add_parser(
        NAME, help=HELP, description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", metavar="NAME", help="the receiver's name in monitor.toml")
    options.config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Sends it; returns the exit status."""
    settings = load(arguments.config)
    chosen = next((one for one in settings.monitor.receivers if one.name == arguments.name), None)
    if chosen is None:
        names = ", ".join(one.name for one in settings.monitor.receivers) or "none"
        path = arguments.config / "monitor.toml"
        raise SettingsError([f"{path}: $.receiver: there is no receiver {arguments.name!r}; there is {names}"])
    receipt = asyncio.run(_send(settings, chosen))
    print(f"{chosen.name} took it{f' ({receipt})' if receipt else ''}")
    return 0


async def _send(settings: Settings, chosen: Receiver) -> str | None:
    clock = SystemClock()
    note = notifications(example_alert(clock.now()), {chosen.name: chosen.deadline}, clock.now())[0]
    async with aiohttp.ClientSession() as session:
        told = addressed(chosen, settings)
        built = receiver(told, settings.receiver_secrets.get(chosen.name), session, clock, links(settings))
        try:
            async with asyncio.timeout(built.timeout.total_seconds()):
                return await built.send(note)
        except DeliveryError as error:
            again = "trying again can help" if error.retry else "trying again will not help"
            why = f"{chosen.name} did not take it: {error} ({again})"
            raise StoreError(why) from error
        except TimeoutError as error:
            why = f"{chosen.name} did not answer within {built.timeout.total_seconds():g} s"
            raise StoreError(why) from error
        finally:
            await clock.sleep(timedelta(0))  # what was closed is let go in the loop's next turn
