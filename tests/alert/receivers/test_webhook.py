from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

import msgspec
import pytest
from aiohttp import ClientSession, web
from hypothesis import given
from hypothesis import strategies as st

from monitor.alert.receivers.http import Http, retry_after
from monitor.alert.receivers.webhook import Webhook, WebhookSettings, signature
from monitor.clock import SystemClock
from monitor.errors import DeliveryError
from monitor.marks import Status, StatusMark
from monitor.records import Alert
from monitor.watched import Duration
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.clock import ManualClock
from tests.fakes.webhook_sink import SECRET, WebhookSink, webhook_sink


class Line(NamedTuple):
    sink: WebhookSink
    webhook: Webhook


@asynccontextmanager
async def line(secret: bytes | None = SECRET, limit: float = 10.0) -> AsyncIterator[Line]:
    async with webhook_sink() as sink, ClientSession() as session:
        made = WebhookSettings(name="desk", url=sink.url, timeout=Duration(seconds=limit))
        yield Line(sink, Webhook(made, secret, session, ManualClock(AT)))


async def refused(answer: web.StreamResponse) -> DeliveryError:
    async with line() as (sink, webhook):
        sink.answers.append(answer)
        with pytest.raises(DeliveryError) as failed:
            await webhook.send(a_notification())
        return failed.value


async def test_a_post_is_signed_timed_and_named_and_its_signature_verifies() -> None:
    async with line() as (sink, webhook):
        assert await webhook.send(a_notification()) == "HTTP 204"
        headers = sink.requests[0].headers
        assert headers["X-Timestamp"] == str(int(AT.timestamp()))
        assert headers["Idempotency-Key"] == a_notification().key
        assert headers["Content-Type"] == "application/json"
        assert list(sink.taken) == [a_notification().key]


async def test_a_signature_under_another_secret_or_of_another_body_does_not_verify() -> None:
    async with line(secret=b"guessed") as (_, webhook):
        with pytest.raises(DeliveryError, match=r"refused: HTTP 401: wrong signature"):
            await webhook.send(a_notification())
    assert len({signature(SECRET, "1", b"a"), signature(SECRET, "2", b"a"), signature(SECRET, "1", b"b")}) == 3


async def test_without_a_secret_a_post_carries_no_signature() -> None:
    async with line(secret=None) as (sink, webhook):
        sink.answers.append(web.Response(status=200))
        await webhook.send(a_notification())
        assert "X-Signature-256" not in sink.requests[0].headers


async def test_the_body_is_version_1_with_the_alert_the_card_and_no_author() -> None:
    async with line() as (sink, webhook):
        note = a_notification()
        await webhook.send(note)
        document = msgspec.json.decode(sink.bodies[0])
        assert set(document) == {"version", "key", "sent_to", "text", "alert"}
        assert (document["version"], document["key"], document["sent_to"]) == (1, note.key, "desk")
        alert = msgspec.convert(document["alert"], Alert)
        assert (alert.claims, alert.at, alert.numbers) == (41, AT, note.alert.numbers)
        assert [piece.author for piece in alert.evidence] == [None, None]
        assert b"author-0" not in sink.bodies[0]


async def test_who_set_the_status_is_harmless_too() -> None:
    mark = StatusMark(
        at=AT, event="fall", narrative="n1", status=Status.DENIED, by="desk\u202e", evidence="javascript:alert(1)\n"
    )
    async with line() as (sink, webhook):
        await webhook.send(a_notification(alert=an_alert(said=mark, status=Status.DENIED)))
        alert = msgspec.convert(msgspec.json.decode(sink.bodies[0])["alert"], Alert)
    assert alert.said is not None
    assert "\u202e" not in alert.said.by
    assert "\n" not in alert.said.evidence


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_receiver_in_trouble_is_tried_again_when_it_asks_for_it(status: int) -> None:
    error = await refused(web.Response(status=status, headers={"Retry-After": "120"}))
    assert (error.reason, error.retry, error.retry_after) == (
        "busy" if status < 500 else "server_error",
        True,
        120.0,
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
async def test_a_refusal_is_not_tried_again(status: int) -> None:
    error = await refused(web.Response(status=status, text="no\x1b[2J such hook"))
    assert (error.reason, error.retry) == ("refused", False)
    assert str(error) == f"refused: HTTP {status}: no␛[2J such hook"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with line() as (sink, webhook):
        sink.answers.append(web.Response(status=status, headers={"Location": sink.url}))
        with pytest.raises(DeliveryError) as failed:
            await webhook.send(a_notification())
        assert (failed.value.reason, failed.value.retry, len(sink.requests)) == ("redirected", False, 1)


async def test_a_long_answer_is_not_read_to_its_end() -> None:
    error = await refused(web.Response(status=500, body=b"x" * 5_000_000))
    assert len(str(error)) < 300


async def test_a_closed_port_is_unreachable() -> None:
    async with line() as (sink, webhook):
        pass
    async with ClientSession() as session:
        settings = WebhookSettings(name="desk", url=sink.url)
        webhook = Webhook(settings, SECRET, session, ManualClock(AT))
        with pytest.raises(DeliveryError) as failed:
            await webhook.send(a_notification())
    assert (failed.value.reason, failed.value.retry) == ("unreachable", True)


async def test_an_answer_that_does_not_come_times_out() -> None:
    async with line(limit=0.05) as (sink, webhook):
        sink.open.clear()
        with pytest.raises(DeliveryError) as failed:
            await webhook.send(a_notification())
        sink.open.set()
    assert (failed.value.reason, failed.value.retry) == ("timeout", True)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 0.0),
        (" 17 ", 17.0),
        ("Fri, 03 Sep 2021 14:32:00 GMT", 120.0),
        ("Fri, 03 Sep 2021 14:00:00 GMT", 0.0),
        ("9" * 40, 999_999_999.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("Fri, 99 Sep 2021 14:00:00 GMT", None),
        ("Fri, 03 Sep 2021 14:00:00 +99999999999999999999", None),
        ("Fri, 03 Sep 99999999999999999999 14:00:00 GMT", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(asked: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": asked}, AT) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_breaks_the_reader(asked: str) -> None:
    wait = retry_after({"Retry-After": asked}, AT)
    assert wait is None or wait >= 0
    assert retry_after({}, AT) is None


async def test_a_secret_of_an_address_is_hidden_however_an_answer_repeats_it() -> None:
    address = "https://flow.example.org/workflows/0a1b2c3d/invoke?sp=%2Ftriggers%2Fmanual&sig=Tz4%2BsecretSig"
    async with ClientSession() as session:
        http = Http(session, SystemClock(), timedelta(seconds=1), [address])
        for told in ("Tz4%2BsecretSig", "Tz4+secretSig", "sig=Tz4%2BsecretSig", "/triggers/manual", "0a1b2c3d"):
            assert http.shown(f"no flow: {told}!".encode()) == "no flow: …!"


async def test_of_any_address_in_an_answer_its_host_alone_is_shown() -> None:
    async with ClientSession() as session:
        http = Http(session, SystemClock(), timedelta(seconds=1), [])
        said = http.shown(b'moved to "https://hooks.example.org/T0/B1/word?x=1", ask https://example.org')
    assert said == 'moved to "https://hooks.example.org/…", ask https://example.org'


@pytest.mark.parametrize("url", ["ftp://example.org/", "https://user:word@example.org/", "example.org", "https://a b/"])
def test_an_address_of_no_use_is_refused_by_the_settings(url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "webhook", "name": "desk", "url": url}, WebhookSettings)


def test_the_deadline_is_longer_than_the_timeout() -> None:
    settings = WebhookSettings(name="desk", url="https://example.org/hook")
    assert timedelta(0) < settings.timeout < settings.deadline
