"""What every chat that takes pictures promises of the chart: it is seen, it is kept true, and it holds no card back."""

from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.chart import picture
from monitor.errors import DeliveryError
from monitor.records import EVIDENCE_DELETED, Alert, Notification
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.chats import SECRET, TAKES, line
from tests.fakes.pictures import charted

PICTURED = {"discord", "matrix", "slack-bot", "telegram"}
pictured = pytest.mark.parametrize("kind", sorted(PICTURED))
FIRST_OF_THE_PICTURE = {"discord": 0, "matrix": 1, "slack-bot": 1, "telegram": 1}
"""Which request of a new card is the first one that its picture needs."""


def note(alert: Alert | None = None, **fields: Any) -> Notification:  # noqa: ANN401 -- any field of the alert
    return a_notification(alert=alert or charted(**fields))


@pictured
async def test_the_chart_is_seen_with_the_card(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        await receiver.send(note())
        assert list(chat.pictures.values()) == [picture(charted())]
        assert list(chat.pictures) == list(chat.messages)


@pictured
async def test_a_later_step_shows_the_chart_as_it_stands_then(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        receipt = await receiver.send(note())
        later = charted(claims=99, at=AT + timedelta(minutes=5), minutes=60)
        again = await receiver.send(replace(note(later), earlier=receipt or ""))
        assert again == receipt
        assert list(chat.pictures.values()) == [picture(later)]
        assert len(chat.messages) == 1


@pytest.mark.parametrize("kind", sorted(TAKES))
async def test_an_alert_without_counts_is_a_card_as_ever(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        await receiver.send(note(an_alert()))
        assert (len(chat.shown()), len(chat.asked), chat.pictures) == (1, 1, {})


@pictured
async def test_a_desk_may_do_without(kind: str) -> None:
    async with line(kind, chart=False) as (chat, receiver):
        await receiver.send(note())
        assert (len(chat.shown()), len(chat.asked), chat.pictures) == (1, 1, {})


@pytest.mark.parametrize("kind", sorted(set(TAKES) - PICTURED - {"alertmanager"}))
async def test_chats_that_take_no_pictures_get_bars(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        await receiver.send(note())
        (text,) = chat.shown()
        assert "█ denials" in text


@pictured
@pytest.mark.parametrize("status", [400, 413])
async def test_a_picture_that_is_refused_holds_no_card_back(
    kind: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with line(kind) as (chat, receiver):
        said = {"ok": False, "error": f"missing_scope {SECRET}"}
        chat.refusals[FIRST_OF_THE_PICTURE[kind]] = web.json_response(said, status=status)
        assert await receiver.send(note())
        assert (len(chat.shown()), chat.pictures) == (1, {})
        assert SECRET not in caplog.text
        if kind != "discord":  # which gets the card without it in the next request
            assert "the chart was not taken: refused" in caplog.text


@pytest.mark.parametrize("kind", sorted(PICTURED - {"discord"}))
async def test_a_picture_that_hangs_ends_before_the_attempt_does(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    async with line(kind, limit=0.5) as (chat, receiver):
        waiting = chat.hang(FIRST_OF_THE_PICTURE[kind])
        assert await receiver.send(note())
        assert len(chat.shown()) == 1
        assert "no time was left for the chart" in caplog.text
        waiting.set()


async def test_a_limit_of_discord_is_one_of_the_card() -> None:
    async with line("discord") as (chat, receiver):
        chat.answers.append(web.json_response({"retry_after": 2.5}, status=429))
        with pytest.raises(DeliveryError) as failed:
            await receiver.send(note())
        assert (failed.value.reason, failed.value.retry_after) == ("busy", 2.5)


async def test_slack_may_not_send_the_file_anywhere() -> None:
    async with line("slack-bot") as (chat, receiver):
        place = {"ok": True, "upload_url": "http://169.254.169.254/latest", "file_id": "F1"}
        chat.refusals[1] = web.json_response(place)
        assert await receiver.send(note())
        assert [asked.path for asked in chat.asked] == ["/api/chat.postMessage", "/api/files.getUploadURLExternal"]


@pytest.mark.parametrize("kind", sorted(PICTURED))
async def test_a_deletion_edits_the_card_and_makes_no_new_one(kind: str) -> None:
    async with line(kind) as (chat, receiver):
        receipt = await receiver.send(note())
        pieces = (a_piece(0, text="", url=None, author=None), a_piece(1, tag="denial"))
        gone = charted(change=EVIDENCE_DELETED, evidence=pieces)
        assert await receiver.send(replace(note(gone), key="k2", earlier=receipt or "")) == receipt
        (text,) = chat.shown()
        assert a_piece(0).text not in text
        assert words.REMOVED in text
        assert words.TOLD_BECAUSE[EVIDENCE_DELETED] in text
        if kind != "matrix":  # where an edit of nothing is an event like any other
            chat.messages.clear()
            await receiver.send(replace(note(gone), key="k3", earlier=receipt or ""))
            assert chat.shown() == []
