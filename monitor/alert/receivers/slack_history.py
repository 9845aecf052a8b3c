"""Looks back into a Slack channel: did an attempt of which nobody knows the outcome leave its message there?

Messages carry the idempotency key as their metadata. Reading needs the scope `channels:history` (`groups:history` in a
private channel) beside `chat:write`; an app that lacks it finds nothing, and the next message is marked.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from monitor.alert.receivers.http import Http, told

TYPE = "virality_alert"
_BEFORE = timedelta(minutes=5)
"""Slack's clock and ours may differ so much."""
_PAGES = 5
_AT_ONCE = 200


class _Payload(Struct, frozen=True):
    key: str = ""


class _Metadata(Struct, frozen=True):
    event_type: str = ""
    event_payload: _Payload = _Payload()


class _Message(Struct, frozen=True):
    ts: str
    metadata: _Metadata = _Metadata()


class _Next(Struct, frozen=True):
    next_cursor: str = ""


class _History(Struct, frozen=True):
    ok: bool
    messages: tuple[_Message, ...] = ()
    response_metadata: _Next = _Next()


def labelled(key: str) -> dict[str, Any]:
    """What a message carries so that it is found again."""
    return {"event_type": TYPE, "event_payload": {"key": key}}


async def found(
    http: Http, api: str, headers: Mapping[str, str], *, place: Mapping[str, str], key: str, since: datetime
) -> str:
    """The time of the message with this key, "" if none is found; `place` is a channel, or a thread of one (`ts`).

    Raises DeliveryError where Slack does not answer.
    """
    method = "conversations.replies" if "ts" in place else "conversations.history"
    oldest = f"{(since - _BEFORE).timestamp():.6f}"
    asked = {**place, "oldest": oldest, "limit": _AT_ONCE, "include_all_metadata": "true"}
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    cursor: dict[str, str] = {}
    for _ in range(_PAGES):
        answer = await http.ask("POST", f"{api}/{method}", urlencode({**asked, **cursor}).encode(), form)
        history = told(answer, _History) if answer.taken else None
        if history is None or not history.ok:
            return ""
        for message in history.messages:
            if message.metadata == _Metadata(TYPE, _Payload(key)):
                return message.ts
        if not history.response_metadata.next_cursor:
            return ""
        cursor = {"cursor": history.response_metadata.next_cursor}
    return ""
