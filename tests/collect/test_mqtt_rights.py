"""What can be wrong with a broker or with our rights there is found, named, and leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.arrivals import Contact, Payload
from monitor.clock import SystemClock
from monitor.collect.mqtt import MqttCollector
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.watched import Duration
from tests.fakes.mosquitto import Mosquitto, free_ports, mosquitto, silent_broker
from tests.fakes.mqtt_source import collector, first_arrival, pause, post, reading, send, settle, source


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path) as running:
        yield running


async def test_encrypted_it_reads_what_an_authority_we_trust_vouches_for(broker: Mosquitto) -> None:
    encrypted = {"port": broker.tls_port, "tls": True, "host": "localhost"}
    async with reading(collector(broker, **encrypted, ca_file=str(broker.ca_file))) as arrivals:
        await arrivals.connected()
        await send(broker, post(1))
        assert (await arrivals.payload()).body == post(1)


async def test_an_authority_we_do_not_know_is_named_and_tried_again(broker: Mosquitto) -> None:
    with pytest.raises(SourceUnavailableError, match=r"^the certificate of localhost:\d+ does not hold \(.+\)$"):
        await first_arrival(collector(broker, port=broker.tls_port, tls=True, host="localhost"))


async def test_certificates_that_cannot_be_read_are_named(broker: Mosquitto, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError, match=r"^certificates cannot be read from .*none.pem \(No such file"):
        await first_arrival(collector(broker, port=broker.tls_port, tls=True, ca_file=str(tmp_path / "none.pem")))


async def test_a_wrong_password_stops_the_source_with_one_line_without_it(broker: Mosquitto) -> None:
    wrong = MqttCollector(source(broker), "hunter2", SystemClock())
    with pytest.raises(SourceRefusedError, match=r"^the broker refuses us \(Not authorized\)$") as refused:
        await first_arrival(wrong)
    assert "hunter2" not in str(refused.value)


async def test_a_broker_that_accepts_and_says_nothing_is_given_up_in_time(broker: Mosquitto) -> None:
    with silent_broker() as port, pytest.raises(SourceUnavailableError, match=rf"^127.0.0.1:{port} does not answer"):
        await first_arrival(collector(broker, port=port, timeout=Duration(milliseconds=200)))


async def test_something_that_is_no_broker_is_given_up(broker: Mosquitto) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x20\xff\xff\xff\xff\xff" + b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SourceUnavailableError):
            await first_arrival(collector(broker, port=port))


async def test_nobody_there_and_no_such_host_are_tried_again(broker: Mosquitto) -> None:
    (port,) = free_ports(1)
    with pytest.raises(SourceUnavailableError, match=r"cannot be reached \(Connection refused"):
        await first_arrival(collector(broker, port=port))
    with pytest.raises(SourceUnavailableError, match=r"cannot be reached"):
        await first_arrival(collector(broker, host="broker.invalid"))


async def test_the_right_to_publish_is_missed_by_name(broker: Mosquitto) -> None:
    with pytest.raises(
        SourceRefusedError, match=r"publish to vm/posts/self-test \(Not authorized\); .* self_test = false"
    ):
        await first_arrival(collector(broker, username="reader"))


async def test_the_right_to_read_is_missed_by_name(broker: Mosquitto) -> None:
    blind = collector(broker, username="writer", timeout=Duration(seconds=2))
    with pytest.raises(
        SourceUnavailableError, match=r"nothing came back; the account needs the right to read vm/posts"
    ):
        await first_arrival(blind)


async def test_an_account_that_may_only_read_reads_without_the_self_test(broker: Mosquitto) -> None:
    async with reading(collector(broker, username="reader", self_test=False)) as arrivals:
        await arrivals.connected()
        await send(broker, post(1))
        assert (await arrivals.payload()).body == post(1)


async def test_a_self_test_is_no_post_to_anybody(broker: Mosquitto) -> None:
    one, other = (collector(broker, client_id=name, topics=("vm/posts/#",)) for name in ("one", "other"))
    async with reading(one) as first:
        await first.connected()
        async with reading(other) as second:
            await second.connected()
        await send(broker, post(1))
        assert (await first.payload()).body == post(1)


async def test_a_reader_that_is_held_up_by_posts_does_not_fail_the_self_test(broker: Mosquitto) -> None:
    few = collector(broker, receive_maximum=3, timeout=Duration(seconds=1))
    async with reading(few) as arrivals:
        await arrivals.connected()
    await send(broker, *map(post, range(20)))
    bodies: list[bytes] = []
    proven = False
    async with reading(few) as arrivals:
        while len(bodies) < 20 or not proven:
            arrival = await arrivals.next()
            if isinstance(arrival, Payload):
                if not bodies:
                    await SystemClock().sleep(Duration(seconds=1.5))
                bodies.append(arrival.body)
                settle(arrival)
            proven = proven or isinstance(arrival, Contact)
    assert bodies == [post(number) for number in range(20)]


async def test_a_reading_that_is_cancelled_leaves_nothing_behind(broker: Mosquitto) -> None:
    with silent_broker() as port:
        for target in (broker.port, port):
            task = asyncio.create_task(first_arrival(collector(broker, port=target, username="writer")))
            await pause()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    await pause()
    assert asyncio.all_tasks() == {asyncio.current_task()}
