"""A connection on which no request arrives is closed; one with a request in hand is not."""

import asyncio
from datetime import timedelta

from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from monitor.web.idle import Idle
from tests.fakes.clock import ManualClock

LIMIT = timedelta(seconds=20)


def inner(server: BaseTestServer) -> web.Server:
    assert server.runner is not None
    assert server.runner.server is not None
    return server.runner.server


async def test_headers_that_do_not_come_close_the_connection_and_work_does_not() -> None:
    clock = ManualClock()
    idle = Idle(clock, LIMIT, 10)
    begun, done = asyncio.Event(), asyncio.Event()

    async def work(_: web.Request) -> web.StreamResponse:
        begun.set()
        await done.wait()
        return web.Response(text="done")

    application = web.Application(middlewares=[idle.at_work])
    application.add_routes([web.get("/", work)])
    async with TestServer(application) as server, asyncio.timeout(20):
        slow, slow_writer = await asyncio.open_connection("127.0.0.1", server.port)
        slow_writer.write(b"GET / HTTP/1.1\r\nHost: local")
        busy, busy_writer = await asyncio.open_connection("127.0.0.1", server.port)
        busy_writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await begun.wait()
        idle.close(inner(server))
        await clock.advance(LIMIT)
        idle.close(inner(server))
        assert await slow.read() == b""
        done.set()
        assert (await busy.readline()).startswith(b"HTTP/1.1 200")
        slow_writer.close()
        busy_writer.close()


async def test_too_many_connections_cost_the_oldest_idle_one() -> None:
    idle = Idle(ManualClock(), LIMIT, 1)
    async with TestServer(web.Application(middlewares=[idle.at_work])) as server, asyncio.timeout(20):
        first, first_writer = await asyncio.open_connection("127.0.0.1", server.port)
        second, second_writer = await asyncio.open_connection("127.0.0.1", server.port)
        while len(inner(server).connections) < 2:
            await asyncio.wait([asyncio.ensure_future(first.read(0))])
        idle.close(inner(server))
        ended, _ = await asyncio.wait(
            [asyncio.create_task(first.read()), asyncio.create_task(second.read())],
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert len(ended) == 1
        first_writer.close()
        second_writer.close()
