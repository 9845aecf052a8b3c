"""Slack, as an app with a bot token: one card for each alert, edited in place; its thread says what has changed.

The app needs the scope `chat:write`, for charts `files:write` and to look back `channels:history` too, and must be in
the channel; with a signing secret its buttons act in Slack itself, but for those that set a status: they open the page
that asks what it rests on, where there is one.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from aiohttp import ClientSession
from msgspec import Meta, Struct

from monitor.alert import words
from monitor.alert.card import Card, step
from monitor.alert.links import STATUSES, offered
from monitor.alert.receivers.chat import JSON, Bot, receipt, shown, there, weighty, withdraws
from monitor.alert.receivers.http import Http, told
from monitor.alert.receivers.picture import FILE, TYPE, beside_the_card, drawn, time_limit
from monitor.alert.receivers.receiver import Reason
from monitor.alert.receivers.slack_blocks import encoded, fallback, message
from monitor.alert.receivers.slack_history import found, labelled
from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.records import Notification, Offered

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_BUSY = frozenset({"ratelimited", "rate_limited"})
_BROKEN = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"})
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


class SlackBotSettings(Bot, tag="slack-bot", tag_field="kind", frozen=True, kw_only=True):
    """A Slack channel, as an app that can edit what it posted."""

    channel: Annotated[
        str, Meta(pattern=r"^[A-Z0-9]{3,40}$(?!\n)", description="a channel's id such as C024BE91L, not its name")
    ]
    """The channel's id."""
    api: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/@?#]+/[^\s?#]*[^\s?#/]$(?!\n)",
            max_length=500,
            description="an address such as https://slack.com/api, without a slash at its end",
        ),
    ] = "https://slack.com/api"
    """Where Slack's Web API answers."""
    signing_secret_env: str | None = None
    """Environment variable with the app's signing secret: with it buttons act in Slack, but for a status."""
    signing_secret_file: str | None = None
    """File that holds it, as an alternative to `signing_secret_env`."""
    thread: bool = True
    """Says what has changed in the card's thread; an end, a status and denials that overtook in the channel too."""
    chart: bool = True
    """Shows the chart: in the card's thread, which needs the scope `files:write`."""


class _Said(Struct):
    ok: bool
    error: str = ""
    ts: str = ""
    upload_url: str = ""
    file_id: str = ""


class SlackBot:
    """Posts and edits as the app whose token it is given."""

    def __init__(self, settings: SlackBotSettings, token: str, session: ClientSession, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._headers = {**JSON, "Authorization": f"Bearer {token}"}
        self._http = Http(session, clock, settings.timeout, [token])
        self._interactive = settings.signing_secret_env is not None or settings.signing_secret_file is not None

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Always: a new card, a line in a thread, or a card anew where people have deleted the one to edit."""
        return True

    async def send(self, notification: Notification) -> str | None:
        """Posts the card, or edits it and says what has changed; the receipt is time and channel of the card.

        Where an attempt before may have arrived, looks back whether it did, and posts nothing twice.
        """
        channel, until = self._settings.channel, time_limit(self.timeout)
        ts = there(notification, channel)
        if ts:
            card = self._card(notification, marked=False)
            said = await self._call("chat.update", {"channel": channel, "ts": ts, **message(card)})
            if said.ok:
                if self._settings.thread and not withdraws(notification):
                    if not await self._arrived(notification, ts):
                        await self._reply(notification, ts)
                    await self._show(notification, ts, until)
                return notification.earlier
        if withdraws(notification):
            return notification.earlier
        if before := await self._arrived(notification):
            return receipt(before, channel)
        document = {"channel": channel, "metadata": labelled(notification.key), **message(self._card(notification))}
        said = await self._call("chat.postMessage", document)
        await self._show(notification, said.ts, until)
        return receipt(said.ts, channel)

    def _card(self, notification: Notification, *, marked: bool = True) -> Card:
        card = shown(notification, self._settings, marked=marked)
        if not self._interactive or notification.digest:
            return card
        pages = {one.action: one for one in notification.actions}
        alert = notification.alert
        acts = [
            pages.get(action.value) if action in STATUSES else Offered(action.value, value=alert.id)
            for action in offered(alert)
        ]
        return card._replace(actions=tuple(one for one in acts if one is not None))

    async def _arrived(self, notification: Notification, ts: str = "") -> str:
        """The message of an attempt before this one, in the channel or in a card's thread; "" if none is known."""
        if not notification.repeat:
            return ""
        place = {"channel": self._settings.channel, **({"ts": ts} if ts else {})}
        api, since = self._settings.api, notification.alert.at
        return await found(self._http, api, self._headers, place=place, key=notification.key, since=since)

    async def _show(self, notification: Notification, ts: str, until: float) -> None:
        """The chart, in the thread of the card: a place for it, the file itself, and that it belongs there."""
        async with beside_the_card(self.name, until):
            png = await drawn(notification, self._settings.zone, wanted=self._settings.chart and bool(ts))
            if png is None:
                return
            asked = urlencode({"filename": FILE, "length": len(png), "alt_txt": words.CHART}).encode()
            place = await self._ask("files.getUploadURLExternal", asked, {**self._headers, **_FORM})
            if not place.upload_url.startswith(("https://", self._settings.api)):
                raise DeliveryError(Reason.REFUSED, retry=False, detail="Slack named no place for the file")
            await self._http.post(place.upload_url, png, {"Content-Type": TYPE})
            shared = {"channel_id": self._settings.channel, "thread_ts": ts}
            await self._call(
                "files.completeUploadExternal", {"files": [{"id": place.file_id, "title": words.CHART}], **shared}
            )

    async def _reply(self, notification: Notification, ts: str) -> None:
        reply = {
            "channel": self._settings.channel,
            "thread_ts": ts,
            "reply_broadcast": weighty(notification),
            "text": fallback(step(shown(notification, self._settings))),
            "metadata": labelled(notification.key),
            "mrkdwn": False,
            "parse": "none",
        }
        await self._call("chat.postMessage", {**reply, "link_names": False, "unfurl_links": False})

    async def _call(self, method: str, asked: dict[str, Any]) -> _Said:
        """What Slack says: yes, or that the message to edit is gone. Raises DeliveryError for all else."""
        return await self._ask(method, encoded(asked), self._headers)

    async def _ask(self, method: str, body: bytes, headers: Mapping[str, str]) -> _Said:
        answer = await self._http.ask("POST", f"{self._settings.api}/{method}", body, headers)
        if not answer.taken:
            raise self._http.trouble(answer)
        said = told(answer, _Said)
        if said is None:
            raise DeliveryError(Reason.UNREACHABLE, retry=True, unknown=True, detail="the answer broke off")
        if said.ok or (method == "chat.update" and said.error in _GONE):
            return said
        shown_error = self._http.shown(said.error.encode())
        if said.error in _BUSY:
            raise DeliveryError(Reason.BUSY, retry=True, detail=shown_error)
        if said.error in _BROKEN:
            raise DeliveryError(Reason.SERVER_ERROR, retry=True, unknown=True, detail=shown_error)
        raise DeliveryError(Reason.REFUSED, retry=False, detail=shown_error)
