"""Apprise: a card arrives as text, blocks nobody, says nothing of its address, and is sent once at a time."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.card import card, size
from monitor.alert.receivers.apprise import Apprise, AppriseSettings, text
from monitor.errors import DeliveryError
from monitor.watched import Duration
from tests.fakes.alerts import a_notification, an_alert
from tests.fakes.chats import SECRET, raw_server
from tests.fakes.corpus import alerts, hostile
from tests.fakes.mosquitto import certificates, free_ports, installed

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
"""Apprise loads modules that an older Python has announced to drop, and goes without them where they are gone."""


class Chat:
    """What is reached over `json://`."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.answers: list[web.Response] = []

    async def take(self, request: web.Request) -> web.Response:
        if self.answers:
            return self.answers.pop(0)
        self.taken.append(msgspec.json.decode(await request.read()))
        return web.Response()


def made(at: str, *, limit: float = 10.0) -> Apprise:
    return Apprise(AppriseSettings(name="desk", timeout=Duration(seconds=limit)), f"json://{at}/hook/{SECRET}")


@asynccontextmanager
async def chat() -> AsyncIterator[tuple[Chat, Apprise]]:
    there = Chat()
    app = web.Application()
    app.router.add_post(f"/hook/{SECRET}", there.take)
    server = TestServer(app)
    await server.start_server()
    yield there, made(f"127.0.0.1:{server.port}")
    await server.close()


async def failure(receiver: Apprise) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await receiver.send(a_notification())
    assert SECRET not in f"{failed.value} {failed.value.__cause__}"
    return failed.value


async def test_a_card_arrives_as_title_and_text_and_a_step_as_a_short_update() -> None:
    async with chat() as (there, receiver):
        receipt = await receiver.send(a_notification())
        await receiver.send(replace(a_notification(alert=an_alert(claims=99)), earlier=receipt or ""))
        first, second = there.taken
        assert first["title"].startswith("UNCONFIRMED · firing")
        assert "Claim: the valley has fallen" in first["message"]
        assert "41 claims against 3 denials" in first["message"]
        assert "99 claims" in second["message"]
        assert "Update of an earlier message" in second["message"]


async def test_what_may_be_a_repeat_says_so() -> None:
    async with chat() as (there, receiver):
        assert receiver.repeats(a_notification())
        await receiver.send(replace(a_notification(), repeat=True))
        assert words.REPEAT in there.taken[0]["message"]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_every_failure_is_tried_again_and_its_reason_holds_no_secret(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, "aiohttp.access")
    async with chat() as (there, receiver):
        there.answers.append(web.Response(status=status, text=f"no, /hook/{SECRET}"))
        error = await failure(receiver)
        assert (error.reason, error.retry, error.unknown) == ("unreachable", True, True)
        assert str(status) in str(error)
        assert SECRET not in caplog.text


async def test_nobody_there_is_a_failure() -> None:
    error = await failure(made(f"127.0.0.1:{free_ports(1)[0]}"))
    assert (error.reason, error.retry) == ("unreachable", True)


async def test_a_certificate_that_does_not_hold_is_not_trusted(tmp_path: Path) -> None:
    installed("openssl")
    certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    there = Chat()
    app = web.Application()
    app.router.add_post(f"/hook/{SECRET}", there.take)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    address = f"jsons://localhost:{server.port}/hook/{SECRET}"
    error = await failure(Apprise(AppriseSettings(name="desk"), address))
    assert (error.reason, error.retry, there.taken) == ("unreachable", True, [])
    await server.close()


async def test_an_answer_that_drips_takes_no_longer_than_the_timeout() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    async with raw_server(head, *[b"x"] * 40, pause=timedelta(milliseconds=20)) as at:
        error = await failure(made(at.removeprefix("http://"), limit=0.2))
        assert (error.reason, error.retry, error.unknown) == ("timeout", True, True)


async def test_an_answer_of_half_a_body_is_a_failure_that_may_have_been_taken() -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf") as at:
        error = await failure(made(at.removeprefix("http://")))
        assert (error.reason, error.retry, error.unknown) == ("unreachable", True, True)


async def test_a_hanging_chat_holds_nobody_up_and_nothing_waits_behind_it() -> None:
    async with raw_server(b"HTTP", pause=timedelta(seconds=1)) as at:
        receiver = made(at.removeprefix("http://"), limit=0.3)
        beside = asyncio.create_task(asyncio.to_thread(int))
        error = await failure(receiver)
        assert beside.done()
        assert (error.reason, error.retry, error.unknown) == ("timeout", True, True)
        again = await failure(receiver)
        assert (again.reason, again.retry, again.unknown) == ("timeout", True, False)


async def test_an_address_of_no_known_kind_is_a_refusal() -> None:
    error = await failure(Apprise(AppriseSettings(name="desk"), f"nosuchthing://{SECRET}"))
    assert (error.reason, error.retry) == ("refused", False)


@pytest.mark.parametrize("room", [40, 160, 1_000, 4_096, 32_768])
def test_a_card_fits_whatever_there_is_room_for(room: int) -> None:
    for alert in alerts(60, seed=9):
        assert 0 < size(text(card(alert), room)) <= room


def test_nothing_hostile_acts_in_the_text() -> None:
    for one in hostile():
        said = text(card(an_alert(label=one)), 4_096)
        assert not set(said) & set("@<>`\x1b\u202e")
        assert "](" not in said
