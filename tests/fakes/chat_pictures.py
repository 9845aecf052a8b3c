"""How pictures come to the chats that take them, and where they are seen."""

from typing import Any

import msgspec
from aiohttp import web

from tests.fakes.chat import Asked, Chat


def picture_of(body: dict[str, Any], form: dict[str, Any]) -> bytes:
    """The file that the embed of a multipart message shows."""
    (attachment,) = body["attachments"]
    assert body["embeds"][0]["image"] == {"url": f"attachment://{attachment['filename']}"}
    assert attachment["description"]
    return is_png(form[f"files[{attachment['id']}]"])


def is_png(data: bytes) -> bytes:
    assert data.startswith(b"\x89PNG")
    return data


def slack_upload(chat: Chat, asked: Asked) -> web.Response:
    assert "Authorization" not in asked.headers
    name = asked.path.removeprefix("/api/upload/")
    assert len(chat.files[name]) == len(asked.body)
    chat.files[name] = asked.body
    return web.Response(text=f"OK - {len(asked.body)}")


def slack_file(chat: Chat, asked: Asked, method: str) -> web.Response:
    """The way of a file: a place is asked for, it is put there, it is shared under a message."""
    if method == "files.getUploadURLExternal":
        name = f"F{len(chat.files)}"
        chat.files[name] = b" " * int(asked.body["length"])
        assert asked.body["alt_txt"]
        where = f"http://{asked.headers['Host']}/api/upload/{name}"
        return web.json_response({"ok": True, "upload_url": where, "file_id": name})
    (file,) = asked.body["files"]
    assert asked.body["channel_id"] == "C1XX"
    assert asked.body["thread_ts"] in chat.messages
    chat.pictures[asked.body["thread_ts"]] = is_png(chat.files[file["id"]])
    return web.json_response({"ok": True, "files": [file]})


def telegram_photo(chat: Chat, asked: Asked, method: str) -> web.Response:
    body = asked.body
    if method == "editMessageMedia":
        media = msgspec.json.decode(body["media"])
        if body["message_id"] not in chat.files:
            return telegram_refuses("Bad Request: message to edit not found")
        png = is_png(body[media["media"].removeprefix("attach://")])
        if chat.files[body["message_id"]] == png:
            return telegram_refuses("Bad Request: message is not modified: …")
        chat.files[body["message_id"]] = chat.pictures[next(iter(chat.messages))] = png
        return web.json_response({"ok": True, "result": {"message_id": int(body["message_id"])}})
    under = msgspec.json.decode(body["reply_parameters"])
    assert "parse_mode" not in body
    key = str(500 + len(chat.files))
    chat.files[key] = chat.pictures[str(under["message_id"])] = is_png(body["photo"])
    return web.json_response({"ok": True, "result": {"message_id": int(key)}})


def telegram_refuses(why: str) -> web.Response:
    return web.json_response({"ok": False, "error_code": 400, "description": why}, status=400)
