"""Closes connections on which no request arrives: a client that opens many and says nothing keeps none of them."""

from datetime import timedelta

from aiohttp import web

from monitor.clock import Clock
from monitor.web.refused import Respond

SWEEP = timedelta(seconds=1)


class Idle:
    """When each connection of a server was last at work."""

    def __init__(self, clock: Clock, limit: timedelta, most: int) -> None:
        """`limit` is how long headers may take, `most` how many connections there may be."""
        self._clock = clock
        self._limit = limit.total_seconds()
        self._most = most
        self._busy: set[object] = set()
        self._since: dict[web.RequestHandler, float] = {}

    @web.middleware
    async def at_work(self, request: web.Request, handler: Respond) -> web.StreamResponse:
        """Notes that the connection has a whole request in hand."""
        self._busy.add(request.protocol)
        try:
            return await handler(request)
        finally:
            self._busy.discard(request.protocol)
            self._since.pop(request.protocol, None)

    async def sweep(self, server: web.Server) -> None:
        """Closes what waits too long, for ever."""
        while True:
            self.close(server)
            await self._clock.sleep(SWEEP)

    def close(self, server: web.Server) -> None:
        """Closes connections that have had no whole request for too long, the oldest too where there are too many."""
        now = self._clock.monotonic()
        waiting = [connection for connection in server.connections if connection not in self._busy]
        self._since = {connection: self._since.get(connection, now) for connection in waiting}
        crowd = len(server.connections) - self._most
        for place, connection in enumerate(sorted(waiting, key=self._since.__getitem__)):
            if now - self._since[connection] >= self._limit or place < crowd:
                connection.force_close()
