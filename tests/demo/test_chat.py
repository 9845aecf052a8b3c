"""The chat of the demo, spoken to by the real webhook receiver and by impostors."""

from datetime import timedelta

import msgspec
import pytest
from aiohttp import ClientSession

from monitor.alert.message import card_text
from monitor.alert.receivers.webhook import Webhook, WebhookSettings, signature
from monitor.clock import SystemClock
from monitor.demo.chat import Chat
from monitor.errors import DeliveryError
from tests.fakes.alerts import a_notification, an_alert

SECRET = "a word both know"


def webhook(chat: Chat, session: ClientSession, secret: str = SECRET) -> Webhook:
    return Webhook(WebhookSettings(name="desk", url=chat.url), secret.encode(), session, SystemClock())


async def answer(chat: Chat, body: bytes, leave_out: str = "") -> int:
    """Posts `body` as the receiver would, without one header, and answers the status."""
    headers = {"X-Timestamp": "1", "X-Signature-256": signature(SECRET.encode(), "1", body), "Idempotency-Key": "k"}
    headers.pop(leave_out, None)
    async with ClientSession() as session, session.post(chat.url, data=body, headers=headers) as response:
        return response.status


async def test_shows_the_card_that_the_webhook_receiver_sent() -> None:
    async with Chat(SECRET) as chat, ClientSession() as session:
        await webhook(chat, session).send(a_notification())
    assert [message.text for message in chat.messages] == [card_text(an_alert())]


async def test_keeps_messages_in_the_order_in_which_they_came() -> None:
    sent = [a_notification(alert=an_alert(id=f"a{number}")) for number in range(3)]
    async with Chat(SECRET) as chat, ClientSession() as session:
        for notification in sent:
            await webhook(chat, session).send(notification)
    assert [message.key for message in chat.messages] == [notification.key for notification in sent]


async def test_a_repeated_key_is_taken_without_being_shown_again() -> None:
    async with Chat(SECRET) as chat, ClientSession() as session:
        for _ in range(3):
            await webhook(chat, session).send(a_notification())
    assert len(chat.messages) == 1
    assert chat.repeats == 2


async def test_another_secret_is_refused_for_good() -> None:
    async with Chat(SECRET) as chat, ClientSession() as session:
        with pytest.raises(DeliveryError) as caught:
            await webhook(chat, session, "another word").send(a_notification())
    assert not caught.value.retry
    assert chat.messages == []
    assert chat.refused == 1


@pytest.mark.parametrize("leave_out", ["X-Timestamp", "X-Signature-256", "Idempotency-Key"])
async def test_a_message_without_one_of_the_headers_is_refused(leave_out: str) -> None:
    async with Chat(SECRET) as chat:
        assert await answer(chat, msgspec.json.encode({"text": "hello"}), leave_out) == 401
    assert chat.messages == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"text": 5}', b"\xff\xfe"])
async def test_a_signed_body_that_is_no_message_is_refused(body: bytes) -> None:
    async with Chat(SECRET) as chat:
        assert await answer(chat, body) == 400
    assert chat.messages == []


async def test_tells_whoever_waits_for_a_number_of_messages() -> None:
    async with Chat(SECRET) as chat, ClientSession() as session:
        await webhook(chat, session).send(a_notification())
        assert await chat.has(1, within=timedelta(seconds=5))
        assert not await chat.has(2, within=timedelta(0))
