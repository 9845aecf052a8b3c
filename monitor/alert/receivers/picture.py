"""The chart for a chat: drawn beside the event loop, and never a reason why a card does not arrive.

A card goes first, and its picture takes what is left of the time for one attempt. What fails then is logged and over:
it is not tried again, since the card says the same in words and bars.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

from aiohttp import FormData

from monitor.alert.chart import picture
from monitor.errors import DeliveryError
from monitor.records import Notification

FILE = "chart.png"
TYPE = "image/png"
_SHARE = 0.8
"""Of the time for an attempt, in which a picture must be there: the rest is for what follows."""

log = logging.getLogger(__name__)


async def drawn(notification: Notification, zone: str, *, wanted: bool) -> bytes | None:
    """The chart as PNG; None where none is `wanted`, there are no counts, or it cannot be drawn."""
    if not wanted or notification.alert.series is None:
        return None
    return await asyncio.to_thread(picture, notification.alert, ZoneInfo(zone))


def time_limit(timeout: timedelta) -> float:
    """The event loop's time by which the picture of an attempt that begins now must be there."""
    return asyncio.get_running_loop().time() + _SHARE * timeout.total_seconds()


@asynccontextmanager
async def beside_the_card(receiver: str, until: float) -> AsyncIterator[None]:
    """What is done in here ends at `until`; why it failed is logged."""
    try:
        async with asyncio.timeout_at(until):
            yield
    except TimeoutError:
        log.warning("receiver %s: no time was left for the chart", receiver, extra={"receiver": receiver})
    except DeliveryError as error:
        log.warning("receiver %s: the chart was not taken: %s", receiver, error, extra={"receiver": receiver})


def form(png: bytes, name: str, fields: dict[str, str], *, json: frozenset[str] = frozenset()) -> FormData:
    """A form with the picture as its file `name`, and text `fields`; those named in `json` are declared as such."""
    made = FormData(quote_fields=False)
    for field, value in fields.items():
        made.add_field(field, value, content_type="application/json" if field in json else None)
    made.add_field(name, png, filename=FILE, content_type=TYPE)
    return made
