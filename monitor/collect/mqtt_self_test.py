"""Proves at every connection that what is published on the subscribed topics reaches us.

A broker may grant a subscription and then hold every message back, because the account lacks the right to read; nothing
tells that from a quiet time but a message of our own. It is published where it comes back through the rights of the
filter – the wildcards replaced by the word `self-test` – and carries a user property by which every monitor knows that
it is no post. Posts that come meanwhile are read as ever.
"""

import asyncio

from monitor.broker import BrokerError, Message, Trouble
from monitor.mqtt_connection import Connection

_MARK = "virality-monitor-self-test"
"""The user property that says of a message that it is no post."""
_WORD = "self-test"
_BODY = b'{"self_test":true}'


class SelfTest:
    """One connection's test; whoever reads the connection shows it every message."""

    def __init__(self, connection: Connection, mark: str) -> None:
        """`mark` is different for every monitor and connection."""
        self._connection = connection
        self._mark = mark
        self._back: set[str] = set()
        self._news = asyncio.Event()

    def took(self, message: Message) -> bool:
        """Whether the message is a self-test, ours or another monitor's; then it is dealt with."""
        mark = message.properties.get(_MARK)
        if mark is None:
            return False
        self._connection.ack(message.number)
        if mark == self._mark:
            self._back.add(message.topic)
        self._news.set()
        return True

    async def prove(self, topics: str, patience: float) -> None:
        """Publishes and waits until it is back; raises BrokerError that says which right is missing.

        It is given up after `patience` seconds in which whoever reads was not held up by posts.
        """
        topic = topic_for(topics)
        beside = topic != topics
        if beside:
            await self._connection.listen(topic, qos=0)  # a group would give it to another member
        await self._publish(topic)
        held_up = False
        while topic not in self._back:
            pauses = self._connection.pauses
            try:
                async with asyncio.timeout(patience):
                    await self._returned(topic)
            except TimeoutError as error:
                before, held_up = held_up, not self._connection.idle or self._connection.pauses > pauses
                if before or held_up:
                    continue
                why = f"published on {topic}, but nothing came back; the account needs the right to read {topic}"
                raise BrokerError(Trouble.SILENT, why) from error
        if beside:
            await self._connection.leave(topic)

    async def _returned(self, topic: str) -> None:
        while topic not in self._back:
            self._news.clear()
            await self._news.wait()

    async def _publish(self, topic: str) -> None:
        try:
            await self._connection.tell(topic, _BODY, {_MARK: self._mark})
        except BrokerError as error:
            if error.trouble is not Trouble.REFUSED:
                raise
            why = f"{error}; give the account the right to publish there, or set self_test = false"
            raise BrokerError(Trouble.REFUSED, why) from error


def topic_for(topics: str) -> str:
    """A topic that the filter takes in, be it shared or not."""
    own = topics.split("/", 2)[2] if topics.startswith("$share/") else topics
    return "/".join(_WORD if level in {"+", "#"} else level for level in own.split("/"))
