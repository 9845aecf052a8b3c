"""Slack, as an app: what may have arrived is looked for before it is sent again, and buttons act in Slack itself."""

from datetime import timedelta

import pytest
from aiohttp import web
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.links import STATUSES, Action
from monitor.errors import DeliveryError
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.chats import line
from tests.fakes.desk import LINKS
from tests.fakes.limits import broken_slack


async def test_an_attempt_that_arrived_is_found_and_nothing_is_posted_twice() -> None:
    async with line("slack-bot") as (chat, receiver):
        first = await receiver.send(a_notification())
        await receiver.send(a_notification(alert=an_alert(id="a2")))
        again = await receiver.send(replace(a_notification(), repeat=True))
        assert again == first
        assert len(chat.messages) == 2
        assert not any(words.REPEAT in text for text in chat.shown())
        assert [one.path.rpartition("/")[2] for one in chat.asked[2:]] == ["conversations.history"] * 2


async def test_an_attempt_that_did_not_arrive_is_sent_and_marked() -> None:
    async with line("slack-bot") as (chat, receiver):
        await receiver.send(a_notification(alert=an_alert(id="a2")))
        await receiver.send(replace(a_notification(), repeat=True))
        assert [words.REPEAT in text for text in chat.shown()] == [False, True]


async def test_a_line_in_the_thread_is_looked_for_there() -> None:
    async with line("slack-bot") as (chat, receiver):
        receipt = await receiver.send(a_notification())
        step = replace(a_notification(alert=an_alert(claims=99, at=AT + timedelta(minutes=5))), earlier=receipt or "")
        await receiver.send(step)
        await receiver.send(replace(step, repeat=True))
        assert len(chat.replies) == 1
        later = replace(
            a_notification(alert=an_alert(claims=120, at=AT + timedelta(minutes=9))), earlier=receipt or "", repeat=True
        )
        await receiver.send(later)
        assert [words.REPEAT in reply for reply in chat.replies] == [False, True]


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response({"ok": False, "error": "missing_scope", "needed": "channels:history"}),
        web.json_response({"ok": False, "error": "ratelimited"}, status=429),
        web.Response(text="no JSON"),
        web.Response(status=500),
    ],
    ids=["scope", "patience", "nonsense", "broken"],
)
async def test_an_app_that_may_not_look_back_marks_what_it_sends(answer: web.Response) -> None:
    async with line("slack-bot") as (chat, receiver):
        await receiver.send(a_notification())
        chat.answers.append(answer)
        await receiver.send(replace(a_notification(), repeat=True))
        assert [words.REPEAT in text for text in chat.shown()] == [False, True]


async def test_a_network_that_fails_while_looking_back_sends_nothing() -> None:
    async with line("slack-bot", limit=0.2) as (chat, receiver):
        chat.answers.append(web.StreamResponse(headers={"Content-Length": "1000"}))
        with pytest.raises(DeliveryError) as failed:
            await receiver.send(replace(a_notification(), repeat=True))
        assert failed.value.retry
        assert chat.shown() == []


async def test_with_a_signing_secret_buttons_bring_the_alert_back_and_a_status_has_its_page() -> None:
    async with line("slack-bot", signing_secret_env="SIGNING") as (chat, receiver):
        links = LINKS.of(an_alert(), "desk")
        await receiver.send(replace(a_notification(), actions=links))
        body = chat.asked[0].body
        assert broken_slack(body) == ""
        buttons = body["blocks"][-1]["elements"]
        assert [one["action_id"] for one in buttons] == [one.value for one in Action]
        status = [one for one in buttons if one["action_id"] in STATUSES]
        assert [one["url"] for one in status] == [one.url for one in links if one.action in STATUSES]
        assert not any("value" in one for one in status)
        assert [one.get("value") for one in buttons if one not in status] == ["a1"] * (len(Action) - 2)


async def test_where_there_are_no_pages_no_button_sets_a_status() -> None:
    async with line("slack-bot", signing_secret_env="SIGNING") as (chat, receiver):
        await receiver.send(a_notification())
        buttons = chat.asked[0].body["blocks"][-1]["elements"]
        assert [one["action_id"] for one in buttons] == [one.value for one in Action if one not in STATUSES]


async def test_without_one_they_open_links_where_there_are_any() -> None:
    async with line("slack-bot") as (chat, receiver):
        links = LINKS.of(an_alert(), "desk")
        await receiver.send(replace(a_notification(), actions=links))
        await receiver.send(a_notification(alert=an_alert(id="a2")))
        with_links, without = (one.body["blocks"] for one in chat.asked)
        assert [one["url"] for one in with_links[-1]["elements"]] == [one.url for one in links]
        assert [block["type"] for block in without] == ["header", "rich_text"]
