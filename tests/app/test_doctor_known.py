"""Every service that can be asked says whether our credentials are good, by one question that changes nothing there."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from aiohttp import ClientSession, web

from monitor.alert.receivers.mail import MailSettings
from monitor.alert.receivers.mqtt import MqttSettings
from monitor.app.known import Known, known
from monitor.clock import SystemClock
from monitor.collect.mqtt import MqttSource
from monitor.settings import Receiver, Source
from tests.fakes import bluesky_account, mastodon, searches, x_api
from tests.fakes.mail_server import PASSWORD, mail_server
from tests.fakes.mosquitto import mosquitto, password
from tests.fakes.polled import Answers, platform

WRONG = "an-old-word"
REFUSED = "it refuses the credentials (status {})"


class Answering(NamedTuple):
    """A platform of the tests, and how a source is set to ask it."""

    answers: Callable[[], Answers]
    secret: str
    asked: str
    refuses: int
    address: str = "api"
    settings: dict[str, object] = {}  # noqa: RUF012 -- never changed


SERVICES = {
    "mastodon": Answering(
        lambda: mastodon.Instance(SystemClock()).handle,
        mastodon.TOKEN,
        "GET /api/v1/timelines/home",
        401,
        address="instance",
        settings={"tags": ["flood"]},
    ),
    "x": Answering(
        lambda: x_api.FakeX().answers, x_api.TOKEN, "GET /2/tweets/search/stream/rules", 401, settings={"budget": 1.0}
    ),
    "youtube": Answering(lambda: searches.FakeYoutube().answers, searches.KEY, "GET /videos", 403),
    "factcheck": Answering(lambda: searches.FakeFactChecks().answers, searches.KEY, "GET /claims:search", 403),
    "reddit": Answering(
        lambda: searches.FakeReddit().answers,
        searches.KEY,
        "POST /api/v1/access_token",
        401,
        address="accounts",
        settings={"client_id": "app"},
    ),
    "bluesky": Answering(
        lambda: bluesky_account.Account().handle,
        bluesky_account.PASSWORD,
        "POST /xrpc/com.atproto.server.createSession",
        401,
        address="service",
        settings={"login": bluesky_account.LOGIN},
    ),
}


async def told(configured: Source | Receiver, secret: str) -> Known | None:
    async with ClientSession() as session:
        return await known(configured, secret, session, SystemClock())


@pytest.mark.parametrize("kind", SERVICES)
async def test_a_platform_is_asked_once_whether_it_knows_us(kind: str) -> None:
    service = SERVICES[kind]
    async with platform(service.answers()) as server:
        set_so = {"kind": kind, "name": "one", service.address: server.url, "user_agent": "desk", **service.settings}
        source = msgspec.convert(set_so, Source)
        assert await told(source, service.secret) == Known()
        assert [f"{one.method} {one.path}" for one in server.asked] == [service.asked]
        assert server.asked[0].headers["User-Agent"] == "desk"
        assert await told(source, WRONG) == Known(REFUSED.format(service.refuses))
        assert await told(source, "") is None, "there is nothing to ask with"
        server.faults = [503, 429]
        for status in (503, 429):
            busy = f"it is too busy to say whether it knows us (status {status})"
            assert await told(source, service.secret) == Known(busy, passes=True)


async def test_what_needs_no_account_is_not_asked() -> None:
    async def never(_: web.Request) -> web.StreamResponse:
        pytest.fail("it was asked")

    async with platform(never) as server:
        for kind in ("gdelt", "rss"):
            more = {"feeds": [f"{server.url}/feed"]} if kind == "rss" else {"api": server.url}
            assert await told(msgspec.convert({"kind": kind, "name": "one", **more}, Source), WRONG) is None


async def test_a_mail_server_is_logged_in_to_and_gets_no_mail(tmp_path: Path) -> None:
    async with mail_server(tmp_path) as server:
        settings = MailSettings(
            name="desk",
            host="localhost",
            port=server.port,
            ca_file=str(tmp_path / "ca.pem"),
            username="monitor",
            sender="monitor@example.org",
            to=("desk@example.org",),
        )
        assert await told(settings, PASSWORD) == Known()
        wrong = await told(settings, WRONG)
        assert wrong is not None
        assert wrong.why_not.startswith("it does not let us in (refused: SMTP 535")
        assert WRONG not in wrong.why_not
        assert await told(msgspec.structs.replace(settings, username=None), "") is None
        assert server.taken == []


async def test_a_broker_is_asked_by_an_account_and_another_name(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        place = {"host": "127.0.0.1", "port": broker.port, "username": "sensor", "name": "bus"}
        both: tuple[MqttSource | MqttSettings, ...]
        both = msgspec.convert(place, MqttSource), msgspec.convert(place, MqttSettings)
        for configured in both:
            assert await told(configured, password("sensor")) == Known()
            wrong = await told(configured, WRONG)
            assert wrong is not None
            assert "Not authorized" in wrong.why_not
            assert not wrong.passes
        log = (tmp_path / "mosquitto.log").read_text("utf-8")
        names = re.findall(r" as (\S+) ", log)
        assert set(names) == {f"{one.client_id_used}-doctor" for one in both}, "the daemon's own would be thrown off"
