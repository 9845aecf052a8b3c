"""A Jetstream server that floods: in a process of its own, so many events a second, for so long, then it ends."""

import asyncio
import sys
from datetime import datetime, timedelta

from aiohttp import web

from monitor.clock import SystemClock
from tests.fakes.jetstream import BEGIN

BURSTS = 50
"""Events come in so many bursts a second."""
KINDS = 20
"""Of so many events 3 are posts, 2 reposts, 1 the delete of a post, 14 likes."""


def event(number: int, at: datetime) -> str:
    """The event of this number, as the wire has it."""
    of, kind = divmod(number, KINDS)
    who = f"did:plc:{number % 5000:024d}"
    subject = f"at://did:plc:{(of * KINDS) % 5000:024d}/app.bsky.feed.post/3p{of * KINDS:011d}"
    time = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    operation, collection, rkey = "create", "app.bsky.feed.like", f"3l{number:011d}"
    record = f'{{"$type":"app.bsky.feed.like","subject":{{"uri":"{subject}","cid":"bafy"}},"createdAt":"{time}"}}'
    if kind < 3:
        collection, rkey = "app.bsky.feed.post", f"3p{number:011d}"
        words = f"Post {number} from the harbour, where the ferry is late again and nobody says why #harbour"
        record = f'{{"$type":"app.bsky.feed.post","text":"{words}","langs":["en"],"createdAt":"{time}"}}'
    elif kind < 5:
        collection, rkey = "app.bsky.feed.repost", f"3r{number:011d}"
    elif kind == 5:
        operation, collection, rkey = "delete", "app.bsky.feed.post", f"3p{max(0, of - 100) * KINDS:011d}"
    tail = (
        f',"cid":"bafyreihtsqapy7xgxgrb4gz2qrfwh23li5smyofdtrvpqjbaon5doq6ble","record":{record}'
        if operation == "create"
        else ""
    )
    return (
        '{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit",'
        f'"seq":{number + 1},"did":"{who}","time":"{time}","rev":"r{number}","operation":"{operation}",'
        f'"collection":"{collection}","rkey":"{rkey}"{tail}}}}}'
    )


async def serve(per_second: int, seconds: int) -> None:
    """Prints its port, and at the end how many events it sent and how late the last one was."""
    clock, done = SystemClock(), asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        begun, number = clock.monotonic(), 0
        for burst in range(seconds * BURSTS):
            at = BEGIN + timedelta(seconds=burst / BURSTS)
            for _ in range(per_second // BURSTS):
                await socket.send_str(event(number, at))
                number += 1
            ahead = (burst + 1) / BURSTS - (clock.monotonic() - begun)
            if ahead > 0:
                await clock.sleep(timedelta(seconds=ahead))
        sys.stdout.write(f"{number} {clock.monotonic() - begun - seconds:.2f}\n")
        sys.stdout.flush()
        await socket.close()
        done.set()
        return socket

    app = web.Application()
    app.router.add_get("/{rest:.*}", stream)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await done.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
