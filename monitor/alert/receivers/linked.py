"""A receiver whose cards carry links to act by: they are made as a card leaves, and are kept nowhere."""

from datetime import timedelta

from msgspec.structs import replace

from monitor.alert.bucket import Pace
from monitor.alert.links import Links
from monitor.alert.receivers.receiver import Receiver
from monitor.records import Notification


class Linked:
    """Another receiver, with links on what it sends."""

    def __init__(self, receiver: Receiver, links: Links) -> None:
        self._receiver = receiver
        self._links = links

    @property
    def name(self) -> str:
        """As the other's."""
        return self._receiver.name

    @property
    def timeout(self) -> timedelta:
        """As the other's."""
        return self._receiver.timeout

    @property
    def pace(self) -> Pace | None:
        """As the other's."""
        return self._receiver.pace

    def repeats(self, notification: Notification) -> bool:
        """As the other's."""
        return self._receiver.repeats(notification)

    async def send(self, notification: Notification) -> str | None:
        """As the other's, with links; a digest has none, because it is about many."""
        if notification.digest:
            return await self._receiver.send(notification)
        links = self._links.of(notification.alert, notification.receiver)
        return await self._receiver.send(replace(notification, actions=links))
