"""Settings → the things they configure: one `match` arm per kind of source and of receiver."""

import sys
from collections.abc import Sequence

from aiohttp import ClientSession
from msgspec.structs import replace

from monitor import settings
from monitor.alert.calm import Calm
from monitor.alert.links import Links
from monitor.alert.receivers.alertmanager import Alertmanager, AlertmanagerSettings
from monitor.alert.receivers.apprise import AppriseSettings
from monitor.alert.receivers.chat import Chat
from monitor.alert.receivers.file import File, FileSettings
from monitor.alert.receivers.linked import Linked
from monitor.alert.receivers.mqtt import Mqtt, MqttSettings
from monitor.alert.receivers.receiver import Receiver
from monitor.alert.receivers.terminal import Terminal, TerminalSettings
from monitor.alert.receivers.webhook import Webhook, WebhookSettings
from monitor.app.chats import chat
from monitor.app.platforms import polled
from monitor.clock import Clock
from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.collector import Collector
from monitor.collect.file import FileCollector, FileSource
from monitor.collect.ingest import IngestCollector, IngestSource
from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.mqtt import MqttCollector, MqttSource
from monitor.collect.terms import Events
from monitor.metrics import Metrics


def collector(
    source: settings.Source, secret: settings.Secret | None, clock: Clock, metrics: Metrics, events: Events = tuple
) -> Collector:
    """The collector of a configured source; `secret` as settings found it, `events` those that are watched now."""
    word = secret.reveal() if secret else None
    match source:
        case FileSource():
            return FileCollector(source, clock)
        case IngestSource():
            return IngestCollector(source)
        case MqttSource():
            return MqttCollector(source, word, clock)
        case BlueskySource():
            return BlueskyCollector(source, clock, metrics, password=word, events=events)
        case MastodonSource():
            return MastodonCollector(source, word or "", clock, metrics, events)
        case _:
            return polled(source, word, clock, metrics, events)


def receivers(configured: settings.Settings, session: ClientSession, clock: Clock) -> list[Receiver]:
    """Everything that is told of alerts."""
    secrets, made = configured.receiver_secrets, links(configured)
    return [
        receiver(addressed(one, configured), secrets.get(one.name), session, clock, made)
        for one in configured.monitor.receivers
    ]


def addressed(one: settings.Receiver, configured: settings.Settings) -> settings.Receiver:
    """The same receiver, with its address where that is kept with the secrets; not to be shown."""
    found = configured.receiver_addresses.get(one.name)
    return replace(one, url=found.reveal()) if isinstance(one, WebhookSettings) and found is not None else one


def calm_of(configured: Sequence[settings.Receiver], name: str) -> Calm | None:
    """When a receiver is left in peace; None where it asked for nothing of the kind."""
    chats = [one for one in configured if isinstance(one, Chat) and one.name == name]
    return next((one.calm for one in chats if one.quiet_hours or one.per_hour), None)


def receiver(
    configured: settings.Receiver,
    secret: settings.Secret | None,
    session: ClientSession,
    clock: Clock,
    links: Links | None = None,
) -> Receiver:
    """The receiver of a configured one; `secret` as settings found it; `links` for the cards of chats."""
    word = secret.reveal() if secret else None
    match configured:
        case WebhookSettings():
            return Webhook(configured, word.encode() if word else None, session, clock)
        case TerminalSettings():
            return Terminal(configured, sys.stdout)
        case FileSettings():
            return File(configured)
        case MqttSettings():
            return Mqtt(configured, word)
        case AlertmanagerSettings():
            return Alertmanager(configured, word, session, clock)
        case _:
            made = chat(configured, word or "", session, clock)
            known = not isinstance(configured, AppriseSettings)  # what that leads to may be a log
            return Linked(made, links) if links is not None and known else made


def links(configured: settings.Settings) -> Links | None:
    """How links are made; None where cards have none."""
    made, key = configured.monitor.actions, configured.actions_key
    return None if made.url is None or key is None else Links(made.url, key.reveal().encode(), made.lasts)
