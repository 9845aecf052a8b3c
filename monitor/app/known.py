"""Whether a service takes our credentials: it is asked what changes nothing there and wants them."""

from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple

import aiohttp
import msgspec
from aiohttp import ClientSession, ClientTimeout

from monitor.alert.receivers.discord import DiscordSettings
from monitor.alert.receivers.mail import Mail, MailSettings
from monitor.alert.receivers.matrix import MatrixSettings
from monitor.alert.receivers.mqtt import MqttSettings
from monitor.alert.receivers.slack_bot import SlackBotSettings
from monitor.alert.receivers.telegram import TelegramSettings
from monitor.app.reach import LONGEST
from monitor.broker import Broker, BrokerError, Session, Trouble
from monitor.clock import Clock
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.factcheck import FactcheckSource
from monitor.collect.http_settings import HttpSource
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.mqtt import MqttSource
from monitor.collect.reddit import RedditSource
from monitor.collect.x_settings import XSource
from monitor.collect.youtube import YoutubeSource
from monitor.errors import DeliveryError
from monitor.mqtt_connection import connected
from monitor.settings import Receiver, Source

_PASSES = frozenset({408, 425, 429})
_SERVERS = 500


class Asked(NamedTuple):
    """A question to a service."""

    method: str
    url: str
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes | None = None
    params: tuple[tuple[str, str], ...] = ()


class Known(NamedTuple):
    """Whether a service knows us."""

    why_not: str = ""
    """"" if it does; no more of an answer than its status, for it may say too much."""
    passes: bool = False
    """It was too busy to say."""


async def known(configured: Source | Receiver, secret: str, session: ClientSession, clock: Clock) -> Known | None:
    """Asks; None where there is nothing to ask with, or nothing to ask but to send."""
    match configured:
        case MqttSource() | MqttSettings():
            return await _by_broker(configured, f"{configured.client_id_used}-doctor", secret)
        case MailSettings():
            return await _by_mail(Mail(configured, secret or None, clock)) if configured.username else None
        case _:
            asked = asked_of(configured, secret) if secret else None
            return await _by_http(asked, session) if asked else None


def asked_of(configured: Source | Receiver, secret: str) -> Asked | None:
    """What is asked over HTTP; None where that is nothing."""
    asked = _asked_of_source(configured, secret) if isinstance(configured, HttpSource) else None
    if asked is not None and isinstance(configured, HttpSource):
        return asked._replace(headers={"User-Agent": configured.user_agent, **asked.headers})
    bearer = {"Authorization": f"Bearer {secret}"}
    match configured:
        case TelegramSettings():
            return Asked("GET", f"{configured.api}/bot{secret}/getMe")
        case DiscordSettings():
            return Asked("GET", secret)
        case MatrixSettings():
            return Asked("GET", f"{configured.homeserver}/_matrix/client/v3/account/whoami", bearer)
        case SlackBotSettings():
            return Asked("POST", f"{configured.api}/auth.test", bearer)
        case _:
            return None


def _asked_of_source(source: HttpSource, secret: str) -> Asked | None:
    bearer = {"Authorization": f"Bearer {secret}"}
    asked = None
    match source:
        case MastodonSource():  # a timeline that is public answers without a token too
            asked = Asked("GET", f"{_base(source.instance)}/api/v1/timelines/home", bearer, params=(("limit", "1"),))
        case XSource():
            asked = Asked("GET", f"{_base(source.api)}/2/tweets/search/stream/rules", bearer)
        case YoutubeSource():  # costs one unit of ten thousand
            params = (("part", "id"), ("id", "none"), ("key", secret))
            asked = Asked("GET", f"{_base(source.api)}/videos", params=params)
        case FactcheckSource():
            params = (("query", "none"), ("pageSize", "1"), ("key", secret))
            asked = Asked("GET", f"{_base(source.api)}/claims:search", params=params)
        case RedditSource():
            basic = b64encode(f"{source.client_id}:{secret}".encode()).decode()
            headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
            address = f"{_base(source.accounts)}/api/v1/access_token"
            asked = Asked("POST", address, headers, b"grant_type=client_credentials")
        case BlueskySource():
            body = msgspec.json.encode({"identifier": source.login, "password": secret})
            address = f"{_base(source.service)}/xrpc/com.atproto.server.createSession"
            asked = Asked("POST", address, {"Content-Type": "application/json"}, body)
        case _:
            pass
    return asked


def _base(address: str) -> str:
    return address.rstrip("/")


async def _by_http(asked: Asked, session: ClientSession) -> Known:
    try:
        async with session.request(
            asked.method,
            asked.url,
            params=list(asked.params) or None,
            headers=asked.headers,
            data=asked.body,
            timeout=ClientTimeout(total=LONGEST),
            allow_redirects=False,
        ) as answer:
            body = await answer.content.read(64 * 1024)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a secret that no header can hold
        return Known(f"it cannot be asked ({type(error).__name__})")
    if answer.status in _PASSES or answer.status >= _SERVERS or b"quotaExceeded" in body:
        return Known(f"it is too busy to say whether it knows us (status {answer.status})", passes=True)
    said_no = b'"ok":false' in body.replace(b" ", b"")  # Slack says so with a 200
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES or said_no:
        return Known(f"it refuses the credentials (status {answer.status})")
    return Known()


async def _by_broker(broker: Broker, client_id: str, password: str) -> Known:
    """As a client of another name than the daemon's, with a session that ends with the connection."""
    try:
        async with connected(broker, password or None, Session(client_id)):
            return Known()
    except BrokerError as error:
        return Known(str(error), passes=error.trouble is Trouble.BUSY)


async def _by_mail(mail: Mail) -> Known:
    try:
        await mail.log_in()
    except DeliveryError as error:
        return Known(f"it does not let us in ({error})", passes=error.reason == "busy")
    return Known()
