"""E-mail over SMTP: the card as plain text and as HTML; later steps are short updates in the same thread.

Encrypted by STARTTLS, or from the first byte; certificates are verified. `Message-ID` comes from the idempotency key
and is the same at every attempt: some mailboxes drop the second, not all, so it is marked too.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import SMTP as LINES
from email.utils import format_datetime
from enum import StrEnum
from typing import Annotated

from aiosmtplib import (
    SMTP,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
from aiosmtplib.errors import SMTPConnectTimeoutError
from msgspec import Meta

from monitor.alert import words
from monitor.alert.card import Card, plain, update
from monitor.alert.chart_drawing import WIDTH
from monitor.alert.harmless import harmless
from monitor.alert.receivers.chat import Chat, PerMinute, shown
from monitor.alert.receivers.html_card import card_html
from monitor.alert.receivers.picture import FILE, drawn
from monitor.alert.receivers.receiver import Reason
from monitor.clock import Clock
from monitor.errors import DeliveryError
from monitor.records import Notification

_SUBJECT = 150
_DETAIL = 200
_PERMANENT = 5  # hundred
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[A-Za-z0-9.-]+>")
Address = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$(?!\n)",
        max_length=254,
        description="an address such as desk@example.org",
    ),
]


class Encryption(StrEnum):
    """How the way to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MailSettings(Chat, tag="email", tag_field="kind", frozen=True, kw_only=True):
    """People who get alerts by e-mail."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    """The mail server that takes mail from us."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    """Its port: 587 with `starttls`, 465 with `tls`."""
    encryption: Encryption = Encryption.STARTTLS
    """`starttls`, `tls` from the first byte, or `none`, for a server on this machine."""
    ca_file: str | None = None
    """The authority that signed the server's certificate, where the machine does not trust it already."""
    username: Annotated[str, Meta(min_length=1, max_length=254)] | None = None
    """The account, where the server asks for one."""
    password_env: str | None = None
    """Environment variable that holds the account's password."""
    password_file: str | None = None
    """File that holds it, as an alternative to `password_env`."""
    sender: Address
    """Whom the mail is from."""
    to: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=50)]
    """Who gets it; each sees the others."""
    per_minute: PerMinute = 10
    """Messages a minute, evenly spread."""
    chart: bool = True
    """Shows the chart: within the message, beside the card."""


class Mail:
    """Sends over a connection made for each message."""

    def __init__(self, settings: MailSettings, password: str | None, clock: Clock) -> None:
        self.name = settings.name
        self.timeout = settings.timeout
        self.pace = settings.pace
        self._settings = settings
        self._password = password
        self._clock = clock

    def repeats(self, notification: Notification) -> bool:  # noqa: ARG002 -- the same for every one
        """Always: not every mailbox drops a message that it has already."""
        return True

    async def send(self, notification: Notification) -> str | None:
        """Hands the message to the server; the receipt is its `Message-ID`. Raises DeliveryError."""
        card = shown(notification, self._settings)
        before = _message_id(notification.earlier)
        png = await drawn(notification, self._settings.zone, wanted=self._settings.chart)
        message = self._message(update(card) if before else card, notification.key, before, png)
        async with self._connected() as client:
            await client.send_message(message)
        return str(message["Message-ID"])

    async def log_in(self) -> None:
        """Logs in and sends nothing. Raises DeliveryError where the server does not let us."""
        async with self._connected():
            pass

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[SMTP]:
        """The library's errors → DeliveryError, those of what is done with it too."""
        try:
            async with self._client() as client:
                yield client
        except (SMTPConnectTimeoutError, SMTPConnectError) as error:
            raise self._unreached(error) from None
        except (TimeoutError, SMTPTimeoutError):
            raise DeliveryError(Reason.TIMEOUT, retry=True, unknown=True) from None
        except SMTPRecipientsRefused as error:
            raise self._refused(min(one.code for one in error.recipients), "no recipient was taken") from None
        except SMTPResponseException as error:
            raise self._refused(error.code, error.message) from None
        except (SMTPServerDisconnected, OSError) as error:
            raise self._broken(error) from None
        except (SMTPException, ValueError) as error:  # no STARTTLS there, or no AUTH
            raise DeliveryError(Reason.UNTRUSTED, retry=True, detail=self._shown(str(error))) from None

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[SMTP]:
        made = self._settings
        trusted = None
        if made.encryption is not Encryption.NONE:
            trusted = await asyncio.to_thread(ssl.create_default_context, cafile=made.ca_file)
        client = SMTP(
            hostname=made.host,
            port=made.port,
            use_tls=made.encryption is Encryption.TLS,
            start_tls=made.encryption is Encryption.STARTTLS,
            tls_context=trusted,
            username=made.username,
            password=self._password,
            local_hostname=_domain(made.sender),
            timeout=made.timeout.total_seconds(),
        )
        try:
            await client.connect()
            yield client
        finally:
            line = client.transport
            client.close()
            if isinstance(line, asyncio.WriteTransport):
                line.abort()  # closing alone waits for the server's end of TLS, half a minute where it does not come

    def _message(self, card: Card, key: str, before: str, png: bytes | None) -> EmailMessage:
        message = EmailMessage(policy=LINES)
        message["Subject"] = harmless(f"{card.status}: {card.claim}", _SUBJECT)
        message["From"] = self._settings.sender
        message["To"] = ", ".join(self._settings.to)
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{key}@{_domain(self._settings.sender)}>"
        message["Auto-Submitted"] = "auto-generated"
        if before:
            message["In-Reply-To"] = message["References"] = before
        message.set_content(plain(card))
        name = f"chart-{key}@{_domain(self._settings.sender)}"
        chart = f'<p><img src="cid:{name}" width="{WIDTH // 2}" alt="{words.CHART}"></p>' if png is not None else ""
        page = f'<!doctype html><html><body dir="auto">{card_html(card)}{chart}</body></html>'
        message.add_alternative(page, subtype="html")
        if png is not None:
            html = message.get_body(("html",))
            if isinstance(html, EmailMessage):
                html.add_related(png, "image", "png", cid=f"<{name}>", filename=FILE, disposition="inline")
        return message

    def _unreached(self, error: SMTPException) -> DeliveryError:
        reason = Reason.UNTRUSTED if _is_about_trust(error) else Reason.UNREACHABLE
        return DeliveryError(reason, retry=True, detail=type(error).__name__)

    def _broken(self, error: Exception) -> DeliveryError:
        if _is_about_trust(error):
            return DeliveryError(Reason.UNTRUSTED, retry=True, detail=type(error).__name__)
        return DeliveryError(Reason.UNREACHABLE, retry=True, unknown=True, detail=type(error).__name__)

    def _refused(self, code: int, said: str) -> DeliveryError:
        """4xx asks for patience, 5xx is a refusal."""
        detail = f"SMTP {code}: {self._shown(said)}"
        if code // 100 == _PERMANENT:
            return DeliveryError(Reason.REFUSED, retry=False, detail=detail)
        return DeliveryError(Reason.BUSY, retry=True, detail=detail)

    def _shown(self, said: str) -> str:
        return harmless(said.replace(self._password, "…") if self._password else said, _DETAIL)


def _is_about_trust(error: BaseException | None) -> bool:
    """Whether the certificate is what went wrong, also where the library has wrapped that."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _message_id(receipt: str) -> str:
    """The message that a receipt names; "" where it is none of e-mail: the receiver's kind was changed."""
    return receipt if _MESSAGE_ID.fullmatch(receipt) else ""


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
