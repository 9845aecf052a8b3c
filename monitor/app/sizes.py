"""How large the store is, looked at beside the daemon's work."""

import asyncio
import logging
from datetime import timedelta

from monitor.app.hands import Hands
from monitor.clock import first_of
from monitor.errors import StoreError
from monitor.store.state_of import size_of

EVERY = timedelta(minutes=1)

log = logging.getLogger(__name__)


async def measuring(hands: Hands, url: str, done: asyncio.Event) -> None:
    """Shows the store's size, now and every minute, until `done` is set; a store that is away keeps the last one."""
    while not done.is_set():
        try:
            size = await hands.reader.ask(lambda: hands.reader.look(lambda connection: size_of(connection, url)))
        except StoreError as error:
            log.debug("the store's size is not known: %s", error)
        else:
            hands.metrics.store_bytes.set(size)
        await first_of(done.wait(), hands.clock.sleep(EVERY))
