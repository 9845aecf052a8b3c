"""Everything a live test needs, in a folder of its own: daemon, webhook sink, ledger, and the files between them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from monitor.alert.deliver import Backoff
from monitor.clock import SystemClock
from tests.fakes.webhook_sink import SECRET, WebhookSink, webhook_sink
from tests.rig.audit import Audit, archived_ids, audit, queued
from tests.rig.feed import Ledger
from tests.rig.process import DaemonProcess
from tests.rig.story import event_file, prepare_store
from tests.rig.world import World

PATIENCE = timedelta(seconds=60)
"""Without a single new mention in the archive, until the rest counts as lost."""
FILE = "monitor.sqlite"
LAST_SECOND = timedelta(seconds=4)
"""After the last post, until its tick is decided and its alert is delivered."""


class Rig:
    """A configured daemon and what is around it."""

    def __init__(
        self,
        folder: Path,
        sink: WebhookSink,
        sources: str,
        environ: Mapping[str, str],
        *,
        events: int,
        store: str,
        world: World | None,
        pipeline: str,
        sink_host: str,
    ) -> None:
        """`sources`: the `[[source]]` tables. `store`: its URL. `world`: the daemon's, if it is not this one.

        `pipeline`: more lines of its table. `sink_host`: the name by which the webhook is called.
        """
        hook = sink.url.replace("127.0.0.1", sink_host)
        self.folder = folder
        self.sink = sink
        self.ledger = Ledger()
        self.port = free_port()
        self.store = store
        config = folder / "config"
        (config / "events").mkdir(parents=True)
        for number in range(events):
            (config / "events" / f"{number:03}.toml").write_text(event_file(number), "utf-8")
        (config / "monitor.toml").write_text(
            f'[store]\nurl_env = "STORE"\n[web]\nport = {self.port}\n'
            f'[pipeline]\nin_hand = "{folder / "in-hand"}"\n{pipeline}'
            f'[[receiver]]\nkind = "webhook"\nname = "desk"\nurl = "{hook}"\nsecret_env = "SINK"\n{sources}',
            "utf-8",
        )
        self.config = config
        words = {"SINK": SECRET.decode(), "STORE": store, **environ}
        self.daemon = DaemonProcess(config, self.port, folder / "daemon.log", words, world)

    async def settled(self, patience: timedelta = PATIENCE) -> None:
        """Waits until all that was acknowledged is archived and all that is queued is sent, or nothing more comes."""
        clock = SystemClock()
        await self._waited(lambda: len(self.ledger.acknowledged - archived_ids(self.store)), patience)
        await clock.sleep(LAST_SECOND)
        await self._waited(lambda: queued(self.store), patience + Backoff().longest)

    async def _waited(self, left: Callable[[], int], patience: timedelta) -> None:
        """Until nothing is left, or nothing of it has gone for so long."""
        clock = SystemClock()
        before, changed = -1, clock.monotonic()
        while (now := await asyncio.to_thread(left)) and clock.monotonic() - changed < patience.total_seconds():
            if now != before:
                before, changed = now, clock.monotonic()
            await clock.sleep(timedelta(seconds=1))

    def audit(self) -> Audit:
        """The books, once the daemon has stopped."""
        requests = [request.headers.get("Idempotency-Key", "") for request in self.sink.requests]
        return audit(self.store, self.ledger, self.sink.taken, requests, self.folder / "in-hand")


@asynccontextmanager
async def rig(
    folder: Path,
    sources: str,
    environ: Mapping[str, str] | None = None,
    *,
    events: int = 10,
    history: bool = True,
    store: str = "",
    world: World | None = None,
    pipeline: str = "",
    sink_host: str = "127.0.0.1",
) -> AsyncIterator[Rig]:
    """A rig whose daemon is not started yet; it is killed at the end if it still runs.

    `store` is the URL of an empty one; without it a file in the folder.
    """
    async with webhook_sink() as sink:
        store = store or f"sqlite:///{folder}/{FILE}"
        made = Rig(
            folder,
            sink,
            sources,
            environ or {},
            events=events,
            store=store,
            world=world,
            pipeline=pipeline,
            sink_host=sink_host,
        )
        if history:
            prepare_store(made.store, events, SystemClock().now(), folder)
        try:
            yield made
        finally:
            await made.daemon.kill()


def free_port() -> int:
    """A port of loopback nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def in_turn(events: int, second: float, each: float) -> Sequence[int]:
    """Which event is flooded at a second of the run: one after the other, each for so many seconds."""
    return (int(second / each) % events,)
