"""A real SMTP server on loopback that wants STARTTLS and a password, and keeps what it took."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage  # noqa: TC003 -- no type-checking blocks in this house
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.mosquitto import certificates, installed

PASSWORD = "between us 12345"


class MailServer:
    """`answers` are given to `DATA` first, one to a message; `unknown` are mailboxes that it does not have."""

    def __init__(self) -> None:
        self.port = 0
        self.taken: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers: list[str] = []
        self.unknown: set[str] = set()

    async def handle_RCPT(self, *asked: Any) -> str:  # noqa: ANN401, N802 -- as aiosmtpd calls it
        _, _, envelope, address, options = asked
        if address in self.unknown:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"


def _login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:  # noqa: ANN401, ARG001
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"monitor", PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def mail_server(folder: Path, *, encrypts: bool = True) -> AsyncIterator[MailServer]:
    """One that runs while the context lasts; its authority is `folder / "ca.pem"`."""
    installed("openssl")
    certificates(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    one = MailServer()

    def protocol() -> SMTP:
        if not encrypts:
            return SMTP(one, hostname="mail.test")
        return SMTP(
            one,
            hostname="mail.test",
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=_login,
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await server.wait_closed()
