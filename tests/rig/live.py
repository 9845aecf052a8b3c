"""A live feed over MQTT and HTTP into a daemon that is about to suffer, and the books afterwards."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from monitor.clock import SystemClock
from tests.fakes.mosquitto import Mosquitto, mosquitto, password
from tests.rig.audit import Audit
from tests.rig.feed import HttpFeed, Login, MqttFeed, Writer
from tests.rig.rig import Rig, rig
from tests.rig.world import World

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "20"))
"""How often each fault of `make prove` comes."""
WHOLE = ROUNDS >= 20
"""Whether a run of them sees the end of a minute, when alerts fire."""
SECRET = "between feed and monitor"
TOPIC = "vm/posts/feed"
EACH = 66.0
"""Seconds for which events are flooded: some minute ends within it, and with it all that was claimed is judged."""
AT_ONCE = 5
"""Events that are flooded at a time."""
_PAUSE = timedelta(milliseconds=50)


def sources(broker: Mosquitto, host: str = "127.0.0.1") -> str:
    """The `[[source]]` tables of a broker, under the name by which it is called, and of the ingest door."""
    return (
        f'[[source]]\nkind = "mqtt"\nname = "bus"\nhost = "{host}"\nport = {broker.port}\n'
        'username = "monitor"\npassword_env = "BUS"\nreceive_maximum = 500\n'
        '[[source]]\nkind = "ingest"\nname = "push"\nsecret_env = "PUSH"\n'
    )


class Live:
    """A rig with a broker and two feeds."""

    def __init__(self, rig: Rig, broker: Mosquitto, events: int) -> None:
        self.rig = rig
        self.broker = broker
        self.chance = random.Random(events)
        self._events = events
        self._writers = [Writer(seed, known=rig.ledger.known) for seed in (1, 2)]
        self._over_mqtt = MqttFeed(
            Login(broker.port, "writer", password("writer")), TOPIC, rig.ledger, self._writers[0]
        )
        self._over_http = HttpFeed(lambda: rig.daemon.base, SECRET.encode(), rig.ledger, self._writers[1])

    async def suffer(self, deed: Callable[[], Awaitable[None]], *, posts: int = 5) -> Audit:
        """Feeds while `deed` is done, then lets everything settle, stops the daemon in order and does the books."""
        stop = asyncio.Event()
        await self.rig.daemon.start()
        await self.rig.daemon.ready()
        await self.hears()  # a broker forgets what nobody has subscribed to yet
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._over_mqtt.run(stop, posts=posts, pause=_PAUSE))
            tasks.create_task(self._over_http.run(stop, posts=posts, pause=_PAUSE))
            turning = tasks.create_task(self._turn())
            await deed()
            stop.set()
            turning.cancel()
        await self.rig.settled()
        assert await self.rig.daemon.stop() == 0
        return self.rig.audit()

    async def hears(self) -> None:
        """Until the daemon reads from the broker."""
        while not (await self.rig.daemon.metrics()).get('monitor_source_up{source="bus"}'):
            await self.rest(0.05)

    async def killed(self, between: tuple[float, float] = (0.2, 3.0)) -> None:
        """One kill at a random moment, and the start after it."""
        await self.rest(self.chance.uniform(*between))
        await self.rig.daemon.kill()
        await self.rig.daemon.start()
        await self.rig.daemon.ready()

    async def rest(self, seconds: float) -> None:
        """Lets the feed go on for a while."""
        await SystemClock().sleep(timedelta(seconds=seconds))

    async def _turn(self) -> None:
        """Floods some events after the others."""
        number = 0
        while True:
            for writer in self._writers:
                writer.on = tuple({event % self._events for event in range(number, number + AT_ONCE)})
            number += AT_ONCE
            await SystemClock().sleep(timedelta(seconds=EACH))


@asynccontextmanager
async def live(
    folder: Path,
    *,
    events: int,
    persistent: bool = False,
    store: str = "",
    more: str = "",
    words: Mapping[str, str] | None = None,
    world: World | None = None,
    history: bool = True,
) -> AsyncIterator[Live]:
    """A live rig whose daemon is not started yet; `more` tables of its configuration, and `words` they name.

    In a world where names can be unknown, broker and webhook are called by name.
    """
    (folder / "broker").mkdir(parents=True)
    by_name = world is not None and bool(world.names)
    environ = {"BUS": password("monitor"), "PUSH": SECRET, **(words or {})}
    async with (
        mosquitto(folder / "broker", persistent=persistent) as broker,
        rig(
            folder,
            sources(broker, "broker.test" if by_name else "127.0.0.1") + more,
            environ,
            events=events,
            history=history,
            store=store,
            world=world,
            sink_host="hook.test" if by_name else "127.0.0.1",
        ) as made,
    ):
        yield Live(made, broker, events)
