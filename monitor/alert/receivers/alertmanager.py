"""Prometheus Alertmanager, API v2: alerts fire there, are posted again while they fire, and resolve.

Labels say what an alert is about and stay the same in all its steps: `alertname`, `monitor` (this receiver's name),
`event`, `rule`, `fingerprint`. Annotations say how it stands: `summary`, `description` (the whole card), `status`,
`narrative`, `first_post`. An alert that is not posted again ends after `_HOLDS` of `again`, as with Prometheus.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from aiohttp import ClientSession
from msgspec import Meta, Struct

from monitor.alert.card import card, plain
from monitor.alert.receivers.chat import JSON
from monitor.alert.receivers.http import Http
from monitor.clock import Clock, first_of
from monitor.errors import DeliveryError
from monitor.records import Alert, AlertState, Notification
from monitor.watched import Duration, Name

AT_ONCE = 100
"""Alerts in one request."""
_HOLDS = 5

log = logging.getLogger(__name__)

Standing = Callable[[str], Awaitable[Sequence[Alert]]]
"""Receiver → the alerts it was told of that have not ended."""


class AlertmanagerSettings(
    Struct, tag="alertmanager", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """An Alertmanager."""

    name: Name
    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*[^\s?#/])?$(?!\n)",
            max_length=500,
            description="an address such as http://alertmanager.example.org:9093, without a slash at its end",
        ),
    ]
    """Where it listens, with the path it is served under if there is one."""
    token_env: str | None = None
    """Environment variable with the token that a proxy before it asks for (`Authorization: Bearer …`)."""
    token_file: str | None = None
    """File with that token, as an alternative to `token_env`."""
    again: Duration = Duration(minutes=1)
    """Alerts that fire are posted again so often; five times as long after the last time they end by themselves."""
    deadline: Duration = Duration(hours=6)
    """A step that could not be delivered for this long is a dead letter."""
    timeout: Duration = Duration(seconds=10)
    """One attempt takes at most this long."""


class Alertmanager:
    """Posts steps as they come; `run` posts what fires again and again, while the daemon runs."""

    def __init__(self, settings: AlertmanagerSettings, token: str | None, session: ClientSession, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = None
        self._url = f"{settings.url}/api/v2/alerts"
        self._again = settings.again
        self._headers = JSON if token is None else {**JSON, "Authorization": f"Bearer {token}"}
        self._clock = clock
        self._http = Http(session, clock, settings.timeout, [token] if token is not None else [])
        self._standing: dict[str, Alert] = {}
        self._ended: set[str] | None = set()
        """What ended before it was known what had fired."""
        self._one_at_a_time = asyncio.Lock()

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Never: the same labels are the same alert."""
        return False

    async def send(self, notification: Notification) -> str | None:
        """Posts a step; the receipt is the answer's status. Raises DeliveryError."""
        alert = notification.alert
        if alert.state is AlertState.RESOLVED:
            self._standing.pop(alert.id, None)
            if self._ended is not None:
                self._ended.add(alert.id)
        async with self._one_at_a_time:
            receipt = await self._post([alert])
        if alert.state is not AlertState.RESOLVED:
            self._standing[alert.id] = alert
        return receipt

    async def run(self, stop: asyncio.Event, standing: Standing) -> None:
        """Posts what fires again until `stop`; `standing` says what fired before this start."""
        fired = await standing(self.name)
        ended, self._ended = self._ended or (), None
        self._standing = {one.id: one for one in fired if one.id not in ended} | self._standing
        failing = False
        while not stop.is_set():
            failing = await self._post_again(failing=failing)
            await first_of(self._clock.sleep(self._again), stop.wait())

    async def _post_again(self, *, failing: bool) -> bool:
        """Whether it failed; said once."""
        alerts = list(self._standing.values())
        try:
            for begin in range(0, len(alerts), AT_ONCE):
                async with self._one_at_a_time:
                    await self._post([one for one in alerts[begin : begin + AT_ONCE] if one.id in self._standing])
        except DeliveryError as error:
            if not failing:
                said = "receiver %s: what fires could not be posted again, goes on trying: %s"
                log.warning(said, self.name, error, extra={"receiver": self.name, "reason": error.reason})
            return True
        return False

    async def _post(self, alerts: Sequence[Alert]) -> str:
        now = self._clock.now()
        body = msgspec.json.encode([posted(one, self.name, now, now + _HOLDS * self._again) for one in alerts])
        answer = await self._http.post(self._url, body, self._headers)
        return f"HTTP {answer.status}"


def posted(alert: Alert, monitor: str, now: datetime, ends: datetime) -> dict[str, Any]:
    """The alert as Alertmanager takes it: it ends now where it is resolved, and else at `ends`."""
    shown = card(alert)
    over = alert.state is AlertState.RESOLVED
    annotations = {
        "summary": f"{shown.status}: {shown.claim}",
        "description": plain(shown),
        "status": alert.status.value,
        "narrative": alert.narrative,
        "first_post": shown.first_link or "",
    }
    return {
        "labels": {
            "alertname": "ViralClaim",
            "monitor": monitor,
            "event": alert.event,
            "rule": alert.rule,
            "fingerprint": alert.fingerprint,
        },
        "annotations": {name: text for name, text in annotations.items() if text},
        "startsAt": min(alert.since, now),
        "endsAt": now if over else ends,
    }
