"""Alerts by e-mail over a real SMTP server: encrypted, in threads, and every failure with its word."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.chart import picture
from monitor.alert.receivers.mail import Encryption, Mail, MailSettings
from monitor.errors import DeliveryError
from monitor.records import Notification
from monitor.watched import Duration
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.chats import raw_server
from tests.fakes.clock import ManualClock
from tests.fakes.corpus import hostile
from tests.fakes.mail_server import PASSWORD, MailServer, mail_server
from tests.fakes.mosquitto import free_ports
from tests.fakes.pictures import charted
from tests.fakes.seen import of_html


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    async with mail_server(tmp_path) as running:
        yield running


def mail(port: int, folder: Path, password: str | None = PASSWORD, **fields: Any) -> Mail:  # noqa: ANN401
    plain: dict[str, Any] = {
        "name": "desk",
        "host": "localhost",
        "port": port,
        "username": "monitor" if password else None,
        "sender": "monitor@example.org",
        "to": ("desk@example.org", "night@example.org"),
        "ca_file": str(folder / "ca.pem"),
        "timeout": Duration(seconds=5),
    }
    return Mail(MailSettings(**plain | fields), password, ManualClock(AT))


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


async def failure(one: Mail, note: Notification | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await one.send(note or a_notification())
    assert PASSWORD not in str(failed.value)
    return failed.value


async def test_a_card_arrives_as_text_and_html_and_the_next_step_is_in_its_thread(
    server: MailServer, tmp_path: Path
) -> None:
    one = mail(server.port, tmp_path)
    receipt = await one.send(a_notification())
    later = replace(a_notification(alert=an_alert(claims=99, at=AT + timedelta(hours=1))), earlier=receipt or "")
    await one.send(later)
    first, second = server.taken
    assert server.recipients[0] == ["desk@example.org", "night@example.org"]
    assert first["Subject"] == "UNCONFIRMED: the valley has fallen"
    assert first["Message-ID"] == receipt == f"<{a_notification().key}@example.org>"
    assert second["In-Reply-To"] == second["References"] == receipt
    text, html = (part.get_content() for part in first.iter_parts())
    assert "41 claims against 3 denials" in text
    assert "41 claims against 3 denials" in html
    assert "https://example.org/0" in html
    assert words.UPDATE.partition("{")[0] in part(second, "plain")


async def test_the_chart_stands_in_the_message_and_is_fetched_from_nowhere(server: MailServer, tmp_path: Path) -> None:
    note = a_notification(alert=charted())
    await mail(server.port, tmp_path).send(note)
    await mail(server.port, tmp_path, chart=False).send(note)
    pictured, plain = server.taken
    (image,) = [one for one in pictured.walk() if one.get_content_type() == "image/png"]
    assert image.get_content() == picture(note.alert)
    assert image["Content-ID"].strip("<>") == re.findall(r'<img src="cid:([^"]+)"', part(pictured, "html"))[0]
    assert "█ denials" in part(pictured, "plain")
    assert not [one for one in plain.walk() if one.get_content_type() == "image/png"]
    assert "<img" not in part(plain, "html")


async def test_a_step_that_may_have_arrived_says_so_under_the_same_id(server: MailServer, tmp_path: Path) -> None:
    one, note = mail(server.port, tmp_path), a_notification()
    assert one.repeats(note)
    await one.send(note)
    await one.send(replace(note, repeat=True))
    assert server.taken[0]["Message-ID"] == server.taken[1]["Message-ID"]
    assert words.REPEAT in part(server.taken[1], "plain")


@pytest.mark.parametrize("receipt", ["HTTP 200", "1693751520.000100 C024BE91L", "$event:a\nBcc: x@example.org !b:a"])
async def test_a_receipt_of_another_kind_of_receiver_begins_no_thread(
    receipt: str, server: MailServer, tmp_path: Path
) -> None:
    await mail(server.port, tmp_path).send(replace(a_notification(), earlier=receipt))
    (message,) = server.taken
    assert not {"In-Reply-To", "References", "Bcc"} & set(message.keys())
    assert words.UPDATE.partition("{")[0] not in part(message, "plain")


async def test_hostile_texts_make_no_header_no_markup_and_no_link(server: MailServer, tmp_path: Path) -> None:
    one = mail(server.port, tmp_path)
    for text in hostile()[::12]:
        alert = an_alert(label=text, evidence=(a_piece(text=text), a_piece(1, text=text, url=None)))
        await one.send(a_notification(alert=alert))
        message = server.taken[-1]
        assert set(message.keys()) <= {
            "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        }, text  # fmt: skip
        assert str(message["Subject"]).startswith("UNCONFIRMED: ")
        body = part(message, "html").partition('<body dir="auto">')[2].partition("</body>")[0]
        seen = of_html(body, frozenset({"h4", "br", "p", "ul", "li", "strong", "a"}))
        assert set(seen.links) == {"https://example.org/0"}


@pytest.mark.parametrize(
    ("answer", "reason", "retry"),
    [
        ("451 try again later", "busy", True),
        ("452 too much", "busy", True),
        ("550 spam", "refused", False),
        ("552 too large", "refused", False),
    ],
)
async def test_what_the_server_answers_says_whether_to_try_again(
    answer: str, reason: str, *, retry: bool, server: MailServer, tmp_path: Path
) -> None:
    server.answers.append(answer)
    error = await failure(mail(server.port, tmp_path))
    assert (error.reason, error.retry, error.unknown) == (reason, retry, False)
    assert answer[:3] in str(error)


async def test_one_unknown_mailbox_keeps_the_mail_from_nobody_else(server: MailServer, tmp_path: Path) -> None:
    server.unknown.add("night@example.org")
    await mail(server.port, tmp_path).send(a_notification())
    assert server.recipients == [["desk@example.org"]]
    server.unknown.add("desk@example.org")
    error = await failure(mail(server.port, tmp_path))
    assert (error.reason, error.retry) == ("refused", False)


async def test_a_wrong_password_is_refused(server: MailServer, tmp_path: Path) -> None:
    error = await failure(mail(server.port, tmp_path, "wrong"))
    assert (error.reason, error.retry) == ("refused", False)


async def test_a_certificate_that_does_not_hold_is_not_trusted(server: MailServer, tmp_path: Path) -> None:
    error = await failure(mail(server.port, tmp_path, ca_file=None))
    assert (error.reason, error.retry, error.unknown) == ("untrusted", True, False)


async def test_a_server_without_starttls_gets_nothing(tmp_path: Path) -> None:
    async with mail_server(tmp_path, encrypts=False) as server:
        error = await failure(mail(server.port, tmp_path))
        assert (error.reason, error.retry) == ("untrusted", True)
        assert server.taken == []
        await mail(server.port, tmp_path, None, encryption=Encryption.NONE).send(a_notification())
        assert len(server.taken) == 1


async def test_a_closed_port_is_unreachable(tmp_path: Path, server: MailServer) -> None:
    assert server.port
    error = await failure(mail(free_ports(1)[0], tmp_path))
    assert (error.reason, error.retry, error.unknown) == ("unreachable", True, False)


async def test_a_server_that_says_nothing_times_out(tmp_path: Path, server: MailServer) -> None:
    assert server.port
    async with raw_server(b"", pause=timedelta(seconds=3)) as at:
        error = await failure(mail(int(at.rpartition(":")[2]), tmp_path, timeout=Duration(milliseconds=100)))
    assert (error.reason, error.retry) in {("timeout", True), ("unreachable", True)}
