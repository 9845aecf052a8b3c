"""Chats on loopback that answer as the real ones do, refuse what those refuse, and keep what people there see."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from monitor.alert.card import size
from monitor.alert.receivers.alertmanager import Alertmanager, AlertmanagerSettings
from monitor.alert.receivers.discord import Discord, DiscordSettings
from monitor.alert.receivers.matrix import Matrix, MatrixSettings
from monitor.alert.receivers.mattermost import MattermostSettings
from monitor.alert.receivers.receiver import Receiver
from monitor.alert.receivers.slack_bot import SlackBot, SlackBotSettings
from monitor.alert.receivers.slack_hook import SlackHookSettings
from monitor.alert.receivers.teams import TeamsSettings
from monitor.alert.receivers.telegram import Telegram, TelegramSettings
from monitor.alert.receivers.webhook import Webhook, WebhookSettings
from monitor.app.chats import chat
from monitor.clock import SystemClock
from monitor.watched import Duration
from tests.fakes.alerts import AT
from tests.fakes.chat import Asked, Chat
from tests.fakes.chat_pictures import is_png, picture_of, slack_file, slack_upload, telegram_photo, telegram_refuses
from tests.fakes.clock import ManualClock
from tests.fakes.limits import broken_discord, broken_slack, broken_teams
from tests.fakes.seen import Seen, of_html, of_markdown, of_slack, of_teams

SECRET = "tellNobody12345"
MATRIX_TAGS = frozenset({"h4", "br", "p", "ul", "li", "strong", "a"})


def slack_hook(chat: Chat, asked: Asked) -> web.Response:
    if asked.path != f"/services/T0/B0/{SECRET}":
        return web.Response(status=404, text="no_service")
    if broken := broken_slack(asked.body):
        return web.Response(status=400, text=f"invalid_blocks {broken}")
    chat.put(of_slack(asked.body))
    return web.Response(text="ok")


def discord(chat: Chat, asked: Asked) -> web.Response:
    here = f"/api/webhooks/1/{SECRET}"
    if not asked.path.startswith(here):
        return web.json_response({"message": "Unknown Webhook", "code": 10015}, status=404)
    multipart = "payload_json" in asked.body
    body = msgspec.json.decode(asked.body["payload_json"]) if multipart else asked.body
    if "embeds" not in body:
        assert (asked.method, asked.path, body["allowed_mentions"]) == ("POST", here, {"parse": []})
        assert 0 < size(body["content"]) <= 2_000
        chat.replies.append(of_markdown(body["content"]).text)
        return web.json_response({"id": f"9{len(chat.replies)}"})
    if broken := broken_discord(body):
        return web.json_response({"code": 50035, "message": "Invalid Form Body", "errors": broken}, status=400)
    embed = body["embeds"][0]
    of_markdown(body["content"])
    seen = of_markdown(f"{embed['title']}\n{embed['description']}")
    png = picture_of(body, asked.body) if multipart else b""
    if asked.method == "POST" and asked.path == here:
        key = chat.put(seen)
        chat.pictures |= {key: png} if png else {}
        return web.json_response({"id": key}) if "wait=true" in asked.query else web.Response(status=204)
    key = asked.path.removeprefix(f"{here}/messages/")
    if asked.method != "PATCH" or key not in chat.messages:
        return web.json_response({"message": "Unknown Message", "code": 10008}, status=404)
    chat.put(seen, key)
    chat.pictures |= {key: png} if png else {}
    return web.json_response({"id": key})


def matrix(chat: Chat, asked: Asked) -> web.Response:
    if asked.headers.get("Authorization") != f"Bearer {SECRET}":
        return web.json_response({"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token"}, status=401)
    if asked.path == "/_matrix/media/v3/upload":
        assert (asked.method, asked.headers["Content-Type"]) == ("POST", "image/png")
        chat.files[address := f"mxc://test.local/{len(chat.files)}"] = is_png(asked.body)
        return web.json_response({"content_uri": address})
    place, _, transaction = asked.path.rpartition("/")
    assert asked.method == "PUT"
    assert place == "/_matrix/client/v3/rooms/!room:test.local/send/m.room.message"
    if transaction not in chat.transactions:
        chat.transactions[transaction] = f"$event{len(chat.transactions)}"
        _matrix_event(chat, asked.body, chat.transactions[transaction])
    return web.json_response({"event_id": chat.transactions[transaction]})


def _matrix_event(chat: Chat, content: dict[str, Any], event: str) -> None:
    relation = content.get("m.relates_to", {})
    assert content["m.mentions"] == {}
    if content["msgtype"] == "m.image":
        assert relation["rel_type"] == "m.thread"
        chat.pictures[relation["event_id"]] = chat.files[content["url"]]
        return
    if relation.get("rel_type") == "m.thread":
        chat.replies.append(content["body"])
        return
    new = content.get("m.new_content", content)
    chat.put(of_html(new["formatted_body"], MATRIX_TAGS), relation.get("event_id", event))


def slack_bot(chat: Chat, asked: Asked) -> web.Response:
    if asked.path.startswith("/api/upload/"):
        return slack_upload(chat, asked)
    if asked.headers.get("Authorization") != f"Bearer {SECRET}":
        return web.json_response({"ok": False, "error": "invalid_auth"})
    body, method = asked.body, asked.path.removeprefix("/api/")
    if not method.startswith("chat."):
        return slack_file(chat, asked, method) if method.startswith("files.") else slack_history(chat, body, method)
    assert body["mrkdwn"] is False
    assert body["parse"] == "none"
    if "thread_ts" in body:
        assert body["thread_ts"] in chat.messages
        chat.replies.append(body["text"])
        chat.labels[f"9.{len(chat.replies)}"] = body["metadata"]["event_payload"]["key"]
        return web.json_response({"ok": True, "channel": "C1", "ts": f"9.{len(chat.replies)}"})
    gone = method == "chat.update" and body["ts"] not in chat.messages
    broken = broken_slack(body)
    if broken or gone:
        return web.json_response({"ok": False, "error": f"invalid_blocks {broken}" if broken else "message_not_found"})
    ts = chat.put(of_slack(body), body["ts"] if method == "chat.update" else f"1503435956.{len(chat.asked)}")
    if "metadata" in body:
        chat.labels[ts] = body["metadata"]["event_payload"]["key"]
    return web.json_response({"ok": True, "channel": "C1", "ts": ts})


def slack_history(chat: Chat, asked: dict[str, str], method: str) -> web.Response:
    """One message on a page, the newest first; metadata only where it is asked for."""
    within = asked["ts"] if method == "conversations.replies" else ""
    there = [ts for ts in reversed(chat.labels) if ts.startswith("9.") == bool(within)]
    assert float(asked["oldest"]) > 0
    place = int(asked.get("cursor", "0"))
    labels = [{"event_type": "virality_alert", "event_payload": {"key": chat.labels[ts]}} for ts in there]
    shown = [{"ts": ts, "metadata": label} for ts, label in zip(there, labels, strict=True)][place : place + 1]
    if asked.get("include_all_metadata") != "true":
        shown = [{"ts": one["ts"]} for one in shown]
    cursor = str(place + 1) if place + 1 < len(there) else ""
    answer = {"ok": True, "messages": shown, "response_metadata": {"next_cursor": cursor}}
    return web.json_response(answer)


def mattermost(chat: Chat, asked: Asked) -> web.Response:
    if asked.path != f"/hooks/{SECRET}":
        return web.json_response({"id": "web.incoming_webhook.invalid.app_error"}, status=400)
    attachment, *_ = asked.body["attachments"]
    if size(asked.body["text"]) > 4_000 or any(size(one["text"]) > 4_000 for one in asked.body["attachments"]):
        return web.json_response({"id": "model.post.is_valid.msg.app_error"}, status=400)
    of_markdown(asked.body["text"])
    of_markdown(attachment["fallback"])
    chat.put(of_markdown(attachment["text"]))
    return web.Response(text="ok")


def telegram(chat: Chat, asked: Asked) -> web.Response:
    method = asked.path.removeprefix(f"/bot{SECRET}/")
    if method == asked.path:
        return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
    if method in {"sendPhoto", "editMessageMedia"}:
        return telegram_photo(chat, asked, method)
    seen = of_html(asked.body["text"], frozenset({"b", "a"}))
    if not 0 < size(seen.text) <= 4_096:
        return telegram_refuses("Bad Request: message is too long")
    key = str(asked.body.get("message_id", 100 + len(chat.messages)))
    if method == "editMessageText":
        if key not in chat.messages:
            return telegram_refuses("Bad Request: message to edit not found")
        if chat.messages[key] == seen:
            return telegram_refuses("Bad Request: message is not modified: …")
    if "reply_parameters" in asked.body:
        assert str(asked.body["reply_parameters"]["message_id"]) in chat.messages
        chat.replies.append(seen.text)
    else:
        chat.put(seen, key)
    return web.json_response({"ok": True, "result": {"message_id": int(key), "text": seen.text}})


def teams(chat: Chat, asked: Asked) -> web.Response:
    if not asked.path.endswith(SECRET):
        return web.json_response({"error": {"code": "DirectApiAuthorizationRequired"}}, status=401)
    if broken := broken_teams(asked.body):
        return web.json_response({"error": {"code": "BadRequest", "message": broken}}, status=400)
    chat.put(of_teams(asked.body))
    return web.Response(status=202)


def alertmanager(chat: Chat, asked: Asked) -> web.Response:
    assert asked.path == "/api/v2/alerts"
    for alert in asked.body:
        if alert["startsAt"] > alert["endsAt"]:
            return web.json_response("start time must be before end time", status=400)
        key = msgspec.json.encode(alert["labels"], order="deterministic").decode()
        chat.put(Seen(alert["annotations"]["description"], ()), key)
    return web.Response(status=200)


def webhook(chat: Chat, asked: Asked) -> web.Response:
    chat.put(Seen(asked.body["text"], ()), asked.headers["Idempotency-Key"])
    return web.Response(status=204)


def made(kind: str, at: str, session: ClientSession, *, limit: float = 10.0, **fields: Any) -> Receiver:  # noqa: ANN401
    """The receiver of a kind that speaks to the address `at` (`http://127.0.0.1:1`)."""
    common: dict[str, Any] = {"name": "desk", "timeout": Duration(seconds=limit), **fields}
    clock = ManualClock(AT)
    builders: dict[str, Callable[[], Receiver]] = {
        "webhook": lambda: Webhook(WebhookSettings(url=f"{at}/hook", **common), SECRET.encode(), session, clock),
        "slack-webhook": lambda: chat(SlackHookSettings(**common), f"{at}/services/T0/B0/{SECRET}", session, clock),
        "slack-bot": lambda: SlackBot(
            SlackBotSettings(channel="C1XX", api=f"{at}/api", **common), SECRET, session, clock
        ),
        "mattermost": lambda: chat(MattermostSettings(**common), f"{at}/hooks/{SECRET}", session, clock),
        "telegram": lambda: Telegram(TelegramSettings(chat="-1001", api=at, **common), SECRET, session, clock),
        "teams": lambda: chat(TeamsSettings(**common), f"{at}/workflows/{SECRET}", session, clock),
        "discord": lambda: Discord(DiscordSettings(**common), f"{at}/api/webhooks/1/{SECRET}", session, clock),
        "matrix": lambda: Matrix(
            MatrixSettings(homeserver=at, room="!room:test.local", **common), SECRET, session, clock
        ),
        "alertmanager": lambda: Alertmanager(AlertmanagerSettings(url=at, **common), SECRET, session, clock),
    }
    return builders[kind]()


TAKES = {
    "webhook": webhook,
    "slack-webhook": slack_hook,
    "slack-bot": slack_bot,
    "mattermost": mattermost,
    "telegram": telegram,
    "teams": teams,
    "discord": discord,
    "matrix": matrix,
    "alertmanager": alertmanager,
}
"""Every kind of receiver that speaks HTTP, and the fake of what it speaks to."""


class Line(NamedTuple):
    chat: Chat
    receiver: Receiver


@asynccontextmanager
async def line(kind: str, **fields: Any) -> AsyncIterator[Line]:  # noqa: ANN401 -- any setting
    """A receiver and the chat it speaks to."""
    async with served(kind) as (chat, at), ClientSession() as session:
        yield Line(chat, made(kind, at, session, **fields))


@asynccontextmanager
async def served(kind: str) -> AsyncIterator[tuple[Chat, str]]:
    """A chat, and the address where it is served."""
    chat = Chat(TAKES[kind])
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", chat.take)
    server = TestServer(app)
    await server.start_server()
    try:
        yield chat, str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@asynccontextmanager
async def raw_server(*pieces: bytes, pause: timedelta = timedelta()) -> AsyncIterator[str]:
    """Answers every request with these bytes, a pause before each, and closes; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            for piece in pieces:
                await SystemClock().sleep(pause)
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
