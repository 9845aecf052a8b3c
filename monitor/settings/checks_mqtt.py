"""What the types cannot say of a broker and its topics."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from monitor.alert.receivers.mqtt import MqttSettings
from monitor.broker import Broker
from monitor.collect.mqtt import MqttSource
from monitor.settings.readable import unreadable
from monitor.settings.sentences import shown

_MOST_SECONDS = 65_535
"""What MQTT can say of a keep-alive."""
_LONGEST = timedelta(seconds=0xFFFF_FFFE)
"""What it can say of a session's expiry."""


def of_broker(broker: Broker, path: str) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in how a broker is reached."""
    if broker.username is None and (broker.password_env is not None or broker.password_file is not None):
        yield f"{path}.username: is missing; needed: the account that the password belongs to"
    if not broker.tls:
        for name in ("ca_file", "cert_file", "key_file"):
            if getattr(broker, name) is not None:
                yield f"{path}.{name}: is of no use without encryption; write tls = true, or leave it out"
    if (broker.cert_file is None) != (broker.key_file is None):
        missing = "key_file" if broker.key_file is None else "cert_file"
        yield f"{path}.{missing}: is missing; a certificate and its key go together"
    for name in ("ca_file", "cert_file", "key_file"):
        yield from _of_file(getattr(broker, name), f"{path}.{name}")
    if not timedelta(seconds=1) <= broker.keep_alive <= timedelta(seconds=_MOST_SECONDS):
        yield f'{path}.keep_alive: is out of range; write at least "1s" and at most "18h"'
    if not broker.timeout:
        yield f'{path}.timeout: no time at all, nothing could be answered; write a length of time, as in "10s"'


def of_source(source: MqttSource, path: str) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in an MQTT source."""
    yield from of_broker(source, path)
    for i, topics in enumerate(source.topics):
        yield from of_filter(topics, f"{path}.topics[{i}]")
    if source.session_expiry > _LONGEST:
        yield f'{path}.session_expiry: is longer than MQTT can say; write at most "49710d"'
    if source.stale is not None and source.stale <= source.timeout:
        yield f"{path}.stale: is not longer than timeout; write a longer time, or leave it out"


def of_receiver(receiver: MqttSettings, path: str) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in an MQTT receiver; its timeout is checked with all receivers'."""
    yield from (said for said in of_broker(receiver, path) if not said.startswith(f"{path}.timeout"))
    if receiver.prefix.startswith(("/", "$")) or receiver.prefix.endswith("/"):
        yield f"{path}.prefix: {shown(receiver.prefix)} begins or ends with a sign of its own; write levels, as in 'vm'"


def of_client_ids(sources: Sequence[object], receivers: Sequence[object]) -> Iterator[str]:
    """Yields `path: sentence` for each that would throw another one off its broker."""
    taken: dict[tuple[str, str], str] = {}
    for kind, configured in (("source", sources), ("receiver", receivers)):
        for i, one in enumerate(configured):
            if isinstance(one, MqttSource | MqttSettings):
                path = f"$.{kind}[{i}]"
                first = taken.setdefault((one.address, one.client_id_used), path)
                if first != path:
                    yield f"{path}.client_id: is that of {first}; give each a client_id of its own"


def of_filter(topics: str, path: str) -> Iterator[str]:
    """Yields `path: sentence` if `topics` is no topic filter."""
    levels = topics.split("/")
    if topics.startswith("$share/"):
        yield f"{path}: {shown(topics)} names a group; write the name of the group as share and the rest as the topic"
    elif any("+" in level and level != "+" for level in levels):
        yield f"{path}: {shown(topics)} has a + beside other letters; it stands alone between slashes"
    elif any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        yield f"{path}: {shown(topics)} has a # elsewhere than alone at the end; it stands for all that follows"
    elif "\0" in topics:
        yield f"{path}: {shown(topics)} has a character that no topic may have; leave it out"


def _of_file(name: str | None, path: str) -> Iterator[str]:
    if name is not None and (why := unreadable(name)):
        yield f"{path}: cannot read {shown(name)} ({why}); write the path of a file"
