"""What every receiver promises, whatever it delivers to; a new receiver adds itself to `RECEIVERS`."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, web
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.example import example_alert
from monitor.alert.receivers.file import File, FileSettings
from monitor.alert.receivers.mail import Mail, MailSettings
from monitor.alert.receivers.mqtt import Mqtt, MqttSettings
from monitor.alert.receivers.receiver import Reason, Receiver
from monitor.alert.receivers.terminal import Terminal, TerminalSettings
from monitor.alert.receivers.webhook import Webhook, WebhookSettings
from monitor.errors import DeliveryError
from monitor.records import Notification
from tests.alert.receivers.test_apprise import chat as apprise_chat
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.chats import TAKES, line
from tests.fakes.clock import ManualClock
from tests.fakes.mail_server import PASSWORD, mail_server
from tests.fakes.mosquitto import mosquitto, password
from tests.fakes.receiver import ScriptedReceiver
from tests.fakes.webhook_sink import SECRET, webhook_sink


class Bench:
    """A receiver and what can be seen of it from outside."""

    def __init__(
        self,
        receiver: Receiver,
        delivered: Callable[[], list[str]],
        break_it: Callable[[], object],
        *,
        looks_back: bool = False,
    ) -> None:
        self.receiver = receiver
        self.delivered = delivered
        """The texts that people were shown, one per notification."""
        self.break_it = break_it
        """After this nothing can be delivered for now."""
        self.looks_back = looks_back
        """It sees for itself whether an attempt arrived."""


@asynccontextmanager
async def webhook(_: Path) -> AsyncIterator[Bench]:
    async with webhook_sink() as sink, ClientSession() as session:
        settings = WebhookSettings(name="desk", url=sink.url, secret_env="SECRET")
        yield Bench(
            Webhook(settings, SECRET, session, ManualClock(AT)),
            lambda: [str(document["text"]) for document in sink.taken.values()],
            lambda: sink.answers.append(web.Response(status=503)),
        )


@asynccontextmanager
async def terminal(_: Path) -> AsyncIterator[Bench]:
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")

    def delivered() -> list[str]:
        written = stream.buffer.getvalue().decode()
        return [card for card in written.split("\n\n") if card]

    yield Bench(Terminal(TerminalSettings(name="desk"), stream), delivered, stream.detach)


@asynccontextmanager
async def file(directory: Path) -> AsyncIterator[Bench]:
    path = directory / "alerts.ndjson"

    def delivered() -> list[str]:
        return [str(msgspec.json.decode(line)["text"]) for line in path.read_bytes().splitlines()]

    def break_it() -> None:
        path.unlink(missing_ok=True)
        path.mkdir()

    yield Bench(File(FileSettings(name="desk", path=str(path))), delivered, break_it)


class Witnessed:
    """A receiver whose `send` ends when the other side has what was sent."""

    def __init__(self, receiver: Receiver, arrived: Callable[[str], Awaitable[None]]) -> None:
        self.name = receiver.name
        self.timeout = receiver.timeout
        self.pace = receiver.pace
        self.repeats = receiver.repeats
        self._receiver = receiver
        self._arrived = arrived

    async def send(self, notification: Notification) -> str | None:
        receipt = await self._receiver.send(notification)
        await self._arrived(notification.key)
        return receipt


@asynccontextmanager
async def mqtt(directory: Path) -> AsyncIterator[Bench]:
    shown: dict[str, str] = {}
    async with mosquitto(directory) as broker, broker.client() as client:
        await client.subscribe("vm/alerts/+", qos=1)

        async def arrived(key: str) -> None:
            document = {"key": ""}
            while document["key"] != key:
                message = await anext(client.messages)
                assert isinstance(message.payload, bytes)
                document = msgspec.json.decode(message.payload)
                shown.setdefault(document["key"], document["text"])

        settings = MqttSettings(name="desk", host="127.0.0.1", port=broker.port, username="monitor")
        receiver = Mqtt(settings, password("monitor"))
        yield Bench(Witnessed(receiver, arrived), lambda: list(shown.values()), broker.shoot)


@asynccontextmanager
async def fake(_: Path) -> AsyncIterator[Bench]:
    receiver = ScriptedReceiver()
    broken = DeliveryError(Reason.UNREACHABLE, retry=True)
    yield Bench(receiver, lambda: receiver.shown, lambda: receiver.errors.append(broken))


@asynccontextmanager
async def email(directory: Path) -> AsyncIterator[Bench]:
    async with mail_server(directory) as server:
        settings = MailSettings(
            name="desk",
            host="localhost",
            port=server.port,
            username="monitor",
            sender="monitor@example.org",
            to=("desk@example.org",),
            ca_file=str(directory / "ca.pem"),
        )

        def delivered() -> list[str]:
            return [mail_text(message) for message in server.taken]

        receiver = Mail(settings, PASSWORD, ManualClock(AT))
        yield Bench(receiver, delivered, lambda: server.answers.append("451 later"))


@asynccontextmanager
async def apprise(_: Path) -> AsyncIterator[Bench]:
    async with apprise_chat() as (there, receiver):

        def delivered() -> list[str]:
            return [f"{one['title']}\n{one['message']}" for one in there.taken]

        yield Bench(receiver, delivered, lambda: there.answers.append(web.Response(status=503)))


def mail_text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


Builder = Callable[[Path], AbstractAsyncContextManager[Bench]]


LOOKS_BACK = {"slack-bot"}


def over_http(kind: str) -> Builder:
    @asynccontextmanager
    async def chat(_: Path) -> AsyncIterator[Bench]:
        async with line(kind) as (there, receiver):
            broken = web.Response(status=503)
            yield Bench(receiver, there.shown, lambda: there.answers.append(broken), looks_back=kind in LOOKS_BACK)

    return chat


HTTP = {kind: over_http(kind) for kind in TAKES if kind not in {"webhook", "alertmanager"}}
RECEIVERS: dict[str, Builder] = {
    "webhook": webhook, "terminal": terminal, "file": file, "mqtt": mqtt, "email": email, "fake": fake, **HTTP,
}  # fmt: skip
"""Alertmanager keeps one alert per label set, not one per notification; it has tests of its own."""
receivers = pytest.mark.parametrize(
    "build",
    [*RECEIVERS.values(), pytest.param(apprise, marks=pytest.mark.filterwarnings("ignore::DeprecationWarning"))],
    ids=[*RECEIVERS, "apprise"],
)


@receivers
async def test_what_is_sent_arrives_with_claim_and_status(build: Builder, tmp_path: Path) -> None:
    async with build(tmp_path) as bench:
        await bench.receiver.send(a_notification())
        (card,) = bench.delivered()
        assert card.startswith("UNCONFIRMED")
        assert "the valley has fallen" in card


@receivers
async def test_a_notification_that_comes_again_reaches_people_once_or_says_so(build: Builder, tmp_path: Path) -> None:
    async with build(tmp_path) as bench:
        await bench.receiver.send(a_notification())
        repeats = bench.receiver.repeats(a_notification())
        await bench.receiver.send(replace(a_notification(), repeat=True))
        await bench.receiver.send(a_notification(alert=an_alert(id="a2", label="another claim")))
        first, *marked, second = bench.delivered()
        assert [words.REPEAT in card for card in marked] == [True] * (repeats and not bench.looks_back)
        assert "another claim" not in first
        assert "another claim" in second


@receivers
async def test_hostile_text_arrives_harmless(build: Builder, tmp_path: Path) -> None:
    hostile = "\x1b[2J@everyone <!channel> \u202e[x](javascript:alert)\n\nUNCONFIRMED"
    async with build(tmp_path) as bench:
        pieces = (a_piece(text=hostile, url="javascript:alert(1)"),)
        await bench.receiver.send(a_notification(alert=an_alert(label=hostile, evidence=pieces)))
        (card,) = bench.delivered()
        assert not set(card) & set("\x1b\u202e@<>")
        assert "](" not in card
        assert "alert(1)" not in card


@receivers
async def test_a_failure_says_why_in_a_bounded_word_and_that_it_is_worth_a_retry(
    build: Builder, tmp_path: Path
) -> None:
    async with build(tmp_path) as bench:
        bench.break_it()
        with pytest.raises(DeliveryError) as failed:
            await bench.receiver.send(a_notification())
        assert failed.value.reason in set(Reason)
        assert failed.value.retry


@receivers
async def test_the_example_alert_goes_through(build: Builder, tmp_path: Path) -> None:
    async with build(tmp_path) as bench:
        await bench.receiver.send(a_notification(alert=example_alert(AT)))
        assert "TEST" in bench.delivered()[0]


@receivers
async def test_it_has_a_name_and_a_limit(build: Builder, tmp_path: Path) -> None:
    async with build(tmp_path) as bench:
        assert bench.receiver.name == "desk"
        assert bench.receiver.timeout.total_seconds() > 0
