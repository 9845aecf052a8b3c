"""What every receiver over HTTP promises about a network that fails; a new one adds itself to `tests.fakes.chats`."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.receivers.chat import WEIGHTY
from monitor.alert.receivers.receiver import Reason, Receiver
from monitor.errors import DeliveryError
from monitor.records import Notification
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.chats import SECRET, TAKES, line, made, raw_server
from tests.fakes.mosquitto import certificates, free_ports, installed

kinds = pytest.mark.parametrize("kind", TAKES)
EDITS = {"discord", "matrix", "slack-bot", "telegram"}
"""Those that edit the card that is there."""
READS = {"matrix", "slack-bot", "telegram"}
"""Those to which the answer's status says nothing without its body."""


async def failure(receiver: Receiver, note: Notification | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await receiver.send(note or a_notification())
    assert failed.value.reason in set(Reason)
    assert SECRET not in f"{failed.value} {failed.value.__cause__}"
    return failed.value


@kinds
async def test_a_card_arrives(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        await receiver.send(a_notification())
        (text,) = chat.shown()
        for said in ("UNCONFIRMED", "the valley has fallen", "41 claims against 3 denials", "telegram blind"):
            assert said in text


@kinds
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
async def test_a_refusal_is_not_tried_again_and_repeats_no_secret(kind: str, status: int) -> None:
    async with line(kind) as (chat, receiver):
        chat.answers.append(web.Response(status=status, text=f"no\x1b[2J, {chat_path(kind)} and {SECRET}"))
        error = await failure(receiver)
        assert (error.reason, error.retry, error.unknown) == ("refused", False, False)
        assert str(error).startswith(f"refused: HTTP {status}: no␛[2J")


def chat_path(kind: str) -> str:
    """Where the secret stands in the address, which a server may repeat."""
    paths = {
        "slack-webhook": "/services/T0/B0/",
        "discord": "/api/webhooks/1/",
        "mattermost": "/hooks/",
        "teams": "/workflows/",
        "telegram": "/bot",
    }
    return f"{paths[kind]}{SECRET}" if kind in paths else ""


@kinds
@pytest.mark.parametrize("asked", ["120", None])
async def test_too_many_are_tried_again_when_the_chat_says(kind: str, asked: str | None) -> None:
    async with line(kind) as (chat, receiver):
        headers = {"Retry-After": asked} if asked else {}
        chat.answers.append(web.Response(status=429, headers=headers, text="{}"))
        error = await failure(receiver)
        assert (error.reason, error.retry, error.unknown) == ("busy", True, False)
        assert error.retry_after == (float(asked) if asked else None)


@kinds
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_broken_chat_is_tried_again_and_may_have_taken_it(kind: str, status: int) -> None:
    async with line(kind) as (chat, receiver):
        chat.answers.append(web.Response(status=status))
        error = await failure(receiver)
        assert (error.reason, error.retry, error.unknown) == ("server_error", True, status != 503)


@kinds
async def test_a_redirect_is_not_followed(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        chat.answers.append(web.Response(status=307, headers={"Location": "/elsewhere"}))
        error = await failure(receiver)
        assert (error.reason, error.retry, len(chat.asked)) == ("redirected", False, 1)


@kinds
async def test_a_closed_port_did_not_take_it(kind: str) -> None:
    async with ClientSession() as session:
        error = await failure(made(kind, f"http://127.0.0.1:{free_ports(1)[0]}", session))
        assert (error.reason, error.retry, error.unknown) == ("unreachable", True, False)


@kinds
async def test_an_answer_that_does_not_come_may_have_been_taken(kind: str) -> None:
    async with raw_server(b"HTTP", pause=timedelta(seconds=2)) as at, ClientSession() as session:
        error = await failure(made(kind, at, session, limit=0.1))
        assert (error.reason, error.retry, error.unknown) == ("timeout", True, True)


@kinds
async def test_a_connection_that_breaks_may_have_been_taken(kind: str) -> None:
    async with raw_server() as at, ClientSession() as session:
        error = await failure(made(kind, at, session))
        assert (error.reason, error.retry, error.unknown) == ("unreachable", True, True)


@kinds
async def test_an_answer_that_drips_takes_no_longer_than_the_timeout(kind: str) -> None:
    head = b"HTTP/1.1 500 Broken\r\nContent-Length: 1000\r\n\r\n"
    drops = [b"x"] * 100
    async with raw_server(head, *drops, pause=timedelta(milliseconds=20)) as at, ClientSession() as session:
        error = await failure(made(kind, at, session, limit=0.15))
        assert (error.reason, error.retry) == ("timeout", True)


@kinds
async def test_an_answer_of_half_a_body_counts_as_its_status_where_that_says_all(kind: str) -> None:
    half = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"event'
    async with raw_server(half) as at, ClientSession() as session:
        receiver = made(kind, at, session)
        if kind in READS:
            assert (await failure(receiver)).retry
        else:
            await receiver.send(a_notification())


@kinds
async def test_a_certificate_that_does_not_hold_is_not_trusted(kind: str, tmp_path: Path) -> None:
    installed("openssl")
    certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=context)
    async with ClientSession() as session:
        error = await failure(made(kind, f"https://localhost:{server.port}", session))
        assert (error.reason, error.retry, error.unknown) == ("untrusted", True, False)
    await server.close()


@kinds
async def test_a_step_of_an_alert_edits_its_card_or_is_a_short_update(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        receipt = await receiver.send(a_notification())
        later = replace(a_notification(alert=an_alert(claims=99, at=AT + timedelta(minutes=5))), earlier=receipt or "")
        again = await receiver.send(later)
        if kind in EDITS:
            assert again == receipt
            (text,) = chat.shown()
        else:
            text = chat.shown()[-1]
        assert "99 claims against 3 denials" in text


@pytest.mark.parametrize("kind", sorted(EDITS))
@pytest.mark.parametrize("change", [*sorted(WEIGHTY), "doubled", "acknowledged"])
async def test_what_must_be_heard_is_said_beside_the_edit_and_marked_where_it_may_be_said_twice(
    kind: str, change: str
) -> None:
    async with line(kind) as (chat, receiver):
        receipt = await receiver.send(a_notification())
        later = a_notification(alert=an_alert(claims=99, change=change, at=AT + timedelta(minutes=5)))
        step = replace(later, earlier=receipt or "")
        assert await receiver.send(step) == receipt
        threads = kind in {"matrix", "slack-bot"}
        assert len(chat.replies) == int(change in WEIGHTY or threads)
        assert all("99 claims against 3 denials" in said and words.REPEAT not in said for said in chat.replies)
        if kind == "slack-bot":
            assert chat.asked[-1].body["reply_broadcast"] == (change in WEIGHTY)
        if not threads:
            assert receiver.repeats(step)
            assert await receiver.send(replace(step, repeat=True)) == receipt
            assert [words.REPEAT in said for said in chat.replies] == [False, True] * (change in WEIGHTY)
            assert not any(words.REPEAT in text for text in chat.shown())


@pytest.mark.parametrize("kind", ["discord", "telegram"])
async def test_a_line_that_does_not_arrive_is_tried_again_with_the_edit(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        receipt = await receiver.send(a_notification())
        chat.refusals[2] = web.Response(status=500)
        later = a_notification(alert=an_alert(claims=99, change="status_set", at=AT + timedelta(minutes=5)))
        error = await failure(receiver, replace(later, earlier=receipt or ""))
        assert (error.retry, error.unknown) == (True, True)
        assert await receiver.send(replace(later, earlier=receipt or "", repeat=True)) == receipt
        assert [words.REPEAT in said for said in chat.replies] == [True]


@pytest.mark.parametrize("kind", sorted(EDITS))
@pytest.mark.parametrize("receipt", ["HTTP 200", "1 elsewhere", "receipt 7"])
async def test_a_receipt_of_another_place_edits_nothing(kind: str, receipt: str) -> None:
    async with line(kind) as (chat, receiver):
        note = replace(a_notification(), earlier=receipt)
        assert receiver.repeats(note) == (kind != "matrix")
        assert await receiver.send(note)
        assert len(chat.asked) == len(chat.shown()) == 1


@pytest.mark.parametrize("kind", sorted(EDITS - {"matrix"}))
async def test_a_card_that_people_have_deleted_is_posted_anew(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        receipt = await receiver.send(a_notification())
        chat.messages.clear()
        later = replace(a_notification(alert=an_alert(claims=99)), earlier=receipt or "")
        assert receiver.repeats(later)
        assert await receiver.send(later) != ""
        assert "99 claims" in chat.shown()[0]
        assert await receiver.send(replace(later, earlier="", repeat=True)) != ""
        assert (words.REPEAT in chat.shown()[-1]) == (kind != "slack-bot")


@kinds
async def test_what_may_be_seen_twice_says_so(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        note = a_notification()
        await receiver.send(note)
        chat.labels.clear()  # so that whoever looks back finds nothing
        await receiver.send(replace(note, repeat=True))
        if receiver.repeats(note):
            assert [words.REPEAT in text for text in chat.shown()] == [False, True]
        else:
            assert len(chat.shown()) == 1
            await receiver.send(replace(note, key="another", repeat=True))
            assert not any(words.REPEAT in text for text in chat.shown())
