"""Proves at every connection that what is published on the subscribed topics reaches us.

A broker may grant a subscription and then hold every message back, because the account lacks the right to read; nothing
tells that from a quiet time but a message of our own. It is published where it comes back through the rights of the
filter – the wildcards replaced by the word `self-test` – and carries a user property by which every monitor knows that
it is no post.
"""

import asyncio

from monitor.broker import BrokerError, Message, Trouble
from monitor.mqtt_connection import Connection

MARK = "virality-monitor-self-test"
"""The user property that says of a message that it is no post."""
_WORD = "self-test"
_BODY = b'{"self_test":true}'


async def prove(connection: Connection, filters: tuple[str, ...], mark: str, limit: float) -> list[Message]:
    """Publishes and reads back on each filter; answers all messages that came meanwhile, of which ours are some.

    Raises BrokerError that says which right is missing.
    """
    early: list[Message] = []
    for topics in filters:
        early += await _proved(connection, topics, mark, limit)
    return early


def topic_for(topics: str) -> str:
    """A topic that the filter takes in, be it shared or not."""
    own = topics.split("/", 2)[2] if topics.startswith("$share/") else topics
    return "/".join(_WORD if level in {"+", "#"} else level for level in own.split("/"))


async def _proved(connection: Connection, topics: str, mark: str, limit: float) -> list[Message]:
    topic = topic_for(topics)
    beside = topic != topics
    if beside:
        await connection.listen(topic, qos=0)  # past the messages that wait, and past the other members of a group
    await _publish(connection, topic, mark)
    early: list[Message] = []
    try:
        async with asyncio.timeout(limit):
            while all(message.properties.get(MARK) != mark for message in early):
                early += await connection.heard()
    except TimeoutError as error:
        if not any(MARK not in message.properties for message in early):
            why = f"published on {topic}, but nothing came back; the account needs the right to read {topic}"
            raise BrokerError(Trouble.SILENT, why) from error
    if beside:
        await connection.leave(topic)
    return early


async def _publish(connection: Connection, topic: str, mark: str) -> None:
    try:
        await connection.tell(topic, _BODY, {MARK: mark})
    except BrokerError as error:
        if error.trouble is not Trouble.REFUSED:
            raise
        why = f"{error}; give the account the right to publish there, or set self_test = false"
        raise BrokerError(Trouble.REFUSED, why) from error
