"""What is older than it may be kept goes: once an hour, in portions between batches, nobody waits for it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.app.hands import Hands
from monitor.clock import first_of
from monitor.errors import StoreError
from monitor.settings import RetentionSettings
from monitor.store.decided import remove_decisions, remove_gaps
from monitor.store.retention import CLASSES, remove_alerts, remove_deliveries, remove_mentions
from monitor.store.store import Store

FIRST = timedelta(minutes=1)
"""A start is not the time to tidy up."""
EVERY = timedelta(hours=1)
AT_ONCE = 2000
"""Rows of one transaction."""

Remove = Callable[[Connection, datetime, int], int]

log = logging.getLogger(__name__)


async def retaining(hands: Hands, store: Store, between: asyncio.Lock, done: asyncio.Event) -> None:
    """Removes what is too old until `done` is set; a portion that is in hand then is finished."""
    for name in CLASSES:
        hands.metrics.retention_removed.labels(name)
    pause = FIRST
    while not done.is_set():
        await first_of(done.wait(), hands.clock.sleep(pause))
        pause = EVERY
        try:
            await retain(hands, store, between, done)
        except StoreError as error:
            log.error("retention: nothing more is removed for now: %s", error)  # noqa: TRY400 -- expected


async def retain(hands: Hands, store: Store, between: asyncio.Lock, done: asyncio.Event) -> dict[str, int]:
    """Removes all that is too old now; answers how much of which class went. Raises StoreError."""
    keeps, now = hands.configured().monitor.store.retention, hands.clock.now()
    removed = dict.fromkeys(CLASSES, 0)
    async with aclosing(_portions(hands, store, between, keeps, now)) as portions:
        async for name, count in portions:
            removed[name] += count
            hands.metrics.retention_removed.labels(name).inc(count)
            if done.is_set():
                break
    if any(removed.values()):
        log.info("retention: removed %s", ", ".join(f"{count} {name}" for name, count in removed.items()))
    return removed


async def _portions(
    hands: Hands, store: Store, between: asyncio.Lock, keeps: RetentionSettings, now: datetime
) -> AsyncGenerator[tuple[str, int], None]:
    before = min(keeps.texts, keeps.mentions).before(now)  # a mention never goes before its text went everywhere
    while before is not None:
        async with between:
            commit = await hands.worker.call(hands.desk.aged, before, AT_ONCE)
            if commit is None:
                break
            await hands.worker.call(store.commit, commit)
        yield "texts", len(commit.expired)
    rest: tuple[tuple[str, datetime | None, Remove], ...] = (
        ("mentions", keeps.mentions.before(now), remove_mentions),
        ("gaps", keeps.mentions.before(now), remove_gaps),
        ("alerts", keeps.alerts.before(now), remove_alerts),
        ("deliveries", keeps.deliveries.before(now), remove_deliveries),
        ("decisions", keeps.decisions.before(now), remove_decisions),
    )
    for name, oldest, remove in rest:
        count = AT_ONCE
        while oldest is not None and count == AT_ONCE:
            count = await hands.worker.call(store.change, _portion(remove, oldest))
            yield name, count


def _portion(remove: Remove, before: datetime) -> Callable[[Connection], int]:
    return lambda connection: remove(connection, before, AT_ONCE)
