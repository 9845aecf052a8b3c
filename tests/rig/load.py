"""As many posts as fast as they are taken: made before the clock runs, sent over several connections."""

import asyncio
import hmac
import json
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from aiomqtt import Client
from aiomqtt.client import ProtocolVersion

from monitor.clock import SystemClock
from tests.rig.feed import Login, Writer

_LANES = 4
_REQUESTS = 96
"""In flight: a request is answered after its commit, a quarter of a second later."""
_EVENTS = 10
_AGAIN = timedelta(milliseconds=200)


def bodies(seed: int, posts: int, each: int, mentions: float) -> list[bytes]:
    """Arrays of `each` posts about ten events, `posts` in all."""
    writer = Writer(seed, mentions=mentions, answers=0)
    writer.on = range(_EVENTS)
    return [
        json.dumps([writer.post()[0] for _ in range(each)], ensure_ascii=False).encode() for _ in range(posts // each)
    ]


async def publish_all(broker: Login, topic: str, messages: Sequence[bytes]) -> None:
    """Publishes with QoS 1, each lane one message after the other."""

    async def lane(mine: Sequence[bytes], number: int) -> None:
        client = Client(
            "127.0.0.1",
            broker.port,
            username=broker.user,
            password=broker.password,
            identifier=f"load-{number}",
            protocol=ProtocolVersion.V5,
        )
        async with client:
            for message in mine:
                await client.publish(topic, message, qos=1, timeout=60)

    async with asyncio.TaskGroup() as tasks:
        for number in range(_LANES):
            tasks.create_task(lane(messages[number::_LANES], number))


async def post_all(base: str, secret: bytes, requests: Sequence[bytes]) -> int:
    """Posts all until each is answered 202; how often one was asked to come again."""
    refused = 0
    connector = TCPConnector(limit=_REQUESTS)
    async with ClientSession(timeout=ClientTimeout(total=120), connector=connector) as session:

        async def lane(mine: Sequence[bytes]) -> None:
            nonlocal refused
            for body in mine:
                headers = {
                    "X-Timestamp": str(int(SystemClock().now().timestamp())),
                    "X-Signature-256": "sha256=" + hmac.new(secret, body, sha256).hexdigest(),
                }
                while True:
                    async with session.post(f"{base}/ingest/v1/posts", data=body, headers=headers) as answer:
                        await answer.read()
                        if answer.status == 202:
                            break
                        assert answer.status in {429, 503}, answer.status
                    refused += 1
                    await SystemClock().sleep(_AGAIN)

        async with asyncio.TaskGroup() as tasks:
            for number in range(_REQUESTS):
                tasks.create_task(lane(requests[number::_REQUESTS]))
    return refused
