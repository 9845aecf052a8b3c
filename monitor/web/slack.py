"""`POST /slack/actions`: buttons that people press in Slack (docs.slack.dev, "Verifying requests from Slack").

A request counts when it is signed under a receiver's signing secret (HMAC-SHA256 of `v0:`, time, `:` and body), is at
most five minutes old, and did not come before. Slack wants an answer within three seconds, and a change takes as long
as the store does: so it is answered as soon as it is understood, and what became of it is told to whoever pressed the
button, at the address that the request brings.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs

import msgspec
from aiohttp import web
from msgspec import Struct

from monitor.alert import words
from monitor.alert.harmless import harmless
from monitor.alert.links import STATUSES, Action
from monitor.clock import Clock
from monitor.web.acting import Acts, Deed
from monitor.web.body import Bodies
from monitor.web.once import Once
from monitor.web.refused import RefusedError, refuse

PATH = "/slack/actions"
MOST_BYTES = 1 << 20
WITHIN = timedelta(seconds=3)
WINDOW = timedelta(minutes=5)
_STAMP = re.compile(r"[0-9]{1,12}")
_REPLIES = "https://hooks.slack.com/"
_SHOWN = 80

Secrets = Callable[[], Mapping[str, bytes]]
"""Receiver → its app's signing secret, as configured now."""
Tell = Callable[[str, str], Awaitable[None]]
"""Shows a text, at an address that Slack gave, to nobody but who pressed the button; never fails."""


class _User(Struct, frozen=True):
    id: str = ""
    username: str = ""
    name: str = ""


class _Pressed(Struct, frozen=True):
    action_id: str = ""
    value: str = ""


class _Payload(Struct, frozen=True):
    type: str = ""
    user: _User = _User()
    actions: tuple[_Pressed, ...] = ()
    response_url: str = ""


class SlackButtons:
    """Does what is pressed in Slack."""

    def __init__(self, secrets: Secrets, acts: Acts, tell: Tell, clock: Clock) -> None:
        self._secrets = secrets
        self._acts = acts
        self._tell = tell
        self._clock = clock
        self._bodies = Bodies(8 * MOST_BYTES)
        self._came = Once(2 * WINDOW)

    def routes(self) -> list[web.RouteDef]:
        """The one address of all apps."""
        return [web.post(PATH, self._pressed)]

    async def _pressed(self, request: web.Request) -> web.StreamResponse:
        async with self._bodies.read(request, MOST_BYTES, WITHIN) as raw:
            receiver = self._signer(request.headers, raw)
            payload = _payload(raw)
        answer = web.Response()
        await answer.prepare(request)
        await answer.write_eof()
        for deed in _deeds(payload, receiver):
            said = await self._done(deed)
            if payload.response_url.startswith(_REPLIES):
                await self._tell(payload.response_url, said)
        return answer

    async def _done(self, deed: Deed) -> str:
        """What became of it, in a sentence."""
        try:
            return await self._acts.do(deed)
        except RefusedError as error:
            return f"{words.PAGE['refused']}. {error.body.detail}"

    def _signer(self, headers: Mapping[str, str], raw: bytes) -> str:
        """The receiver whose secret signs the request; raises RefusedError if none does, or it is old or a repeat."""
        stamp, given = headers.get("X-Slack-Request-Timestamp", ""), headers.get("X-Slack-Signature", "")
        if not _STAMP.fullmatch(stamp):
            raise refuse(401, "timestamp_missing", "a request of Slack brings X-Slack-Request-Timestamp")
        signers = [name for name, secret in self._secrets().items() if _signed(secret, stamp, raw, given)]
        if not signers:
            raise refuse(401, "signature_wrong", "X-Slack-Signature fits no signing secret of a receiver")
        now = self._clock.now()
        if abs(int(stamp) - now.timestamp()) > WINDOW.total_seconds():
            raise refuse(401, "timestamp_stale", "the request is more than five minutes from our clock")
        if not self._came.take(given, now):
            raise refuse(401, "replayed", "this very request came before")
        return signers[0]


def signature(secret: bytes, stamp: str, raw: bytes) -> str:
    """The value of `X-Slack-Signature`."""
    return "v0=" + hmac.new(secret, b"v0:" + stamp.encode() + b":" + raw, sha256).hexdigest()


def _signed(secret: bytes, stamp: str, raw: bytes, given: str) -> bool:
    return hmac.compare_digest(signature(secret, stamp, raw).encode(), given.encode("utf-8", "surrogateescape"))


def _payload(raw: bytes) -> _Payload:
    try:
        fields = parse_qs(raw.decode("ascii"), max_num_fields=10)
        return msgspec.json.decode(fields.get("payload", [""])[0], type=_Payload)
    except (ValueError, msgspec.DecodeError):
        raise refuse(400, "bad_body", "a button's request is a form with a payload in JSON") from None


def _deeds(payload: _Payload, receiver: str) -> list[Deed]:
    """What the buttons ask for; nothing where they open a link, or are none of ours.

    A button says nothing that a status could rest on: that of an older card is refused, others open a page that asks.
    """
    if payload.type != "block_actions":
        return []
    name = harmless(payload.user.name or payload.user.username, _SHOWN)
    by = f"{name} ({harmless(payload.user.id, _SHOWN)}, Slack)"
    pressed = [one for one in payload.actions[:1] if one.value and one.action_id in set(Action)]
    return [Deed(Action(one.action_id), one.value, by, "slack", receiver, _said(one)) for one in pressed]


def _said(pressed: _Pressed) -> str:
    return (
        "" if pressed.action_id in STATUSES else words.PAGE["from_chat"].format(alert=harmless(pressed.value, _SHOWN))
    )
