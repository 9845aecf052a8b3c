"""Apprise, for every chat and pager that has no receiver of its own here: the card as plain text, and no more.

Apprise blocks while it sends, and says only whether it went well: it has a thread of its own for each receiver, and a
failure of any kind is tried again until the deadline, as one that may have arrived. Its log is silenced, because what
it logs may hold the address, which is a secret. Needs the extra: `pip install virality-monitor[apprise]`.
"""

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from monitor.alert.card import Card, fitted, plain, size, update
from monitor.alert.harmless import harmless
from monitor.alert.receivers.chat import Hook, no_emoji_names, shown
from monitor.alert.receivers.http import hidden_parts
from monitor.alert.receivers.receiver import Reason
from monitor.errors import DeliveryError
from monitor.records import Notification

_RECEIPT = "apprise"
_TITLE = 200
_LINE = 120
_DETAIL = 200
_LOGGERS = ("apprise", "urllib3")
"""Whose lines may carry addresses."""


class AppriseSettings(Hook, tag="apprise", tag_field="kind", frozen=True, kw_only=True):
    """Whatever an Apprise address stands for; `url_env` or `url_file` holds one address of its own kinds."""


class _Outcome(NamedTuple):
    """What Apprise says."""

    known: bool
    """Whether it knows this kind of address."""
    sent: bool
    why: str = ""


class Apprise:
    """Sends through Apprise, to one address."""

    def __init__(self, settings: AppriseSettings, url: str) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._url = url
        self._pool = ThreadPoolExecutor(1, f"apprise {settings.name}")
        self._last: Future[_Outcome] | None = None
        self._pool.submit(_loaded)  # seconds, which no alert has to wait for

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Always: Apprise knows no idempotency keys."""
        return True

    async def send(self, notification: Notification) -> str | None:
        """Sends the card, or what has changed since the last one. Raises DeliveryError."""
        if self._last is not None and not self._last.done():
            raise DeliveryError(Reason.TIMEOUT, retry=True, detail="the one before still blocks")
        card = shown(notification, self._settings)
        self._last = self._pool.submit(_sent, self._url, update(card) if notification.earlier else card)
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                outcome = await asyncio.wrap_future(self._last)
        except TimeoutError:
            raise DeliveryError(Reason.TIMEOUT, retry=True, unknown=True) from None
        if not outcome.known:
            raise DeliveryError(Reason.REFUSED, retry=False, detail="Apprise knows no such address")
        if not outcome.sent:
            raise DeliveryError(Reason.UNREACHABLE, retry=True, unknown=True, detail=self._shown(outcome.why))
        return _RECEIPT

    def _shown(self, why: str) -> str:
        for word in hidden_parts([self._url]):
            why = why.replace(word, "…")
        return harmless(why, _DETAIL)


def _sent(url: str, card: Card) -> _Outcome:
    """Runs in the receiver's own thread."""
    import apprise  # noqa: PLC0415 -- an extra, which may not be there

    asset = apprise.AppriseAsset(
        secure_logging=True, storage_mode=apprise.PersistentStoreMode.MEMORY, service_timeout=0
    )
    asset.async_mode = False
    asset.http_redirects = False
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        return _Outcome(known=False, sent=False)
    teller = apprise.Apprise(asset=asset)
    teller.add(service)
    title = harmless(card.head, _TITLE)
    body = text(card, service.body_maxlen - size(title) - 2)
    result = teller.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT)
    return _Outcome(known=True, sent=bool(result), why="; ".join(entry.message for entry in result.logs()))


def _loaded() -> None:
    """Loads Apprise and all that it knows; nothing that it logs reaches a log of ours."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.addHandler(logging.NullHandler())  # with none, Python would write warnings to standard error
    import apprise  # noqa: PLC0415 -- an extra, which may not be there

    apprise.Apprise.instantiate("json://localhost")


def text(card: Card, room: int) -> str:
    """The card below its title in at most `room` UTF-16 units where that can be: whole, shorter, or its claim alone."""
    made = fitted(
        card, lambda shorter: no_emoji_names(plain(shorter)).partition("\n")[2], lambda one: size(one) <= room
    )
    return made if size(made) <= room else no_emoji_names(harmless(card.claim, max(1, min(room // 2, _LINE))))
