"""Mail servers that break off: whether to try again, and whether the mail may have been taken, is always known."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from monitor.alert.receivers.mail import Encryption, Mail, MailSettings
from monitor.clock import SystemClock
from monitor.errors import DeliveryError
from monitor.watched import Duration
from tests.fakes.alerts import AT, a_notification
from tests.fakes.clock import ManualClock

GREETS = b"220 mail.test\r\n"
KNOWS = b"250 mail.test\r\n"
TAKES = b"250 OK\r\n"
SEND = b"354 go on\r\n"


@asynccontextmanager
async def server(answers: Sequence[bytes], *, drips: bool = False) -> AsyncIterator[int]:
    """Says its answers, one to each command, and breaks off, in the middle of the mail where that has begun."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                if drips:
                    for letter in answer:
                        writer.write(bytes([letter]))
                        await SystemClock().sleep(timedelta(milliseconds=50))
                writer.write(b"" if drips else answer)
                await writer.drain()
                if not answer.endswith(b"\r\n"):
                    break
                await (reader.read(50) if answer == SEND else reader.readline())
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def failure(port: int) -> DeliveryError:
    settings = MailSettings(
        name="desk",
        host="127.0.0.1",
        port=port,
        encryption=Encryption.NONE,
        sender="monitor@example.org",
        to=("desk@example.org",),
        timeout=Duration(seconds=0.5),
    )
    with pytest.raises(DeliveryError) as failed:
        await Mail(settings, None, ManualClock(AT)).send(a_notification())
    return failed.value


@pytest.mark.parametrize(
    "answers",
    [
        (GREETS,),
        (GREETS, KNOWS),
        (GREETS, KNOWS, TAKES),
        (GREETS, KNOWS, TAKES, TAKES),
        (GREETS, KNOWS, TAKES, TAKES, SEND),
        (GREETS, KNOWS, TAKES, TAKES, b"354 go"),
    ],
    ids=["greeting", "hello", "sender", "recipient", "half a body", "half an answer"],
)
async def test_a_connection_that_breaks_is_tried_again_and_may_have_been_taken(answers: Sequence[bytes]) -> None:
    async with server(answers) as port:
        error = await failure(port)
        assert (error.reason, error.retry, error.unknown) == ("unreachable", True, True)


@pytest.mark.parametrize("answer", [b"421 too busy\r\n", b"451 later\r\n"])
async def test_a_server_that_asks_for_patience_at_once_took_nothing(answer: bytes) -> None:
    async with server([answer]) as port:
        error = await failure(port)
        assert error.retry
        assert not error.unknown


async def test_a_server_that_drips_takes_no_longer_than_the_timeout() -> None:
    async with server([GREETS * 100], drips=True) as port:
        error = await failure(port)
        assert error.reason in {"timeout", "unreachable"}
        assert error.retry
