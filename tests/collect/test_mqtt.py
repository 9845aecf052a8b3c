"""Posts over a real broker: sessions, groups, acknowledgement after the commit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.arrivals import Contact, Payload
from monitor.clock import SystemClock
from monitor.errors import SourceUnavailableError
from monitor.marks import GapMark
from monitor.watched import Duration
from tests.fakes.mosquitto import PATIENCE, Mosquitto, mosquitto
from tests.fakes.mqtt_source import collector, pause, post, reading, send, settle


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path) as running:
        yield running


async def test_an_object_an_array_and_lines_are_posts(broker: Mosquitto) -> None:
    one = collector(broker)
    async with reading(one) as arrivals:
        await arrivals.connected()
        await send(broker, post(1), b"[" + post(2) + b"," + post(3) + b"]", post(4) + b"\n" + post(5), b"nonsense")
        payloads = await arrivals.payloads(4)
    assert [payload.posts for payload in payloads] == [1, 2, 2, 1]
    parsed = one.parse([payload.body for payload in payloads], SystemClock().now())
    assert parsed.posts["id"].to_list() == ["1", "2", "3", "4", "5"]
    assert parsed.payload.to_list() == [0, 1, 1, 2, 2]
    assert [dict(found) for found in parsed.rejected] == [{}, {}, {}, {"not_json": 1}]


async def test_what_is_published_while_we_are_away_arrives(broker: Mosquitto) -> None:
    async with reading(collector(broker)) as arrivals:
        await arrivals.connected()
    await send(broker, *map(post, range(5)))
    async with reading(collector(broker)) as arrivals:
        assert [payload.body for payload in await arrivals.payloads(5)] == [post(number) for number in range(5)]


async def test_a_message_comes_again_until_it_is_settled(broker: Mosquitto) -> None:
    async with reading(collector(broker)) as arrivals:
        await arrivals.connected()
        await send(broker, post(1), post(2))
        first, second = await arrivals.payloads(2)
        settle(first)
    async with reading(collector(broker)) as arrivals:
        again = await arrivals.payload()
        assert again.body == second.body
        settle(second)  # of a connection that is gone: does nothing
        settle(again)
        await send(broker, post(3))
        assert (await arrivals.payload()).body == post(3)
    async with reading(collector(broker)) as arrivals:
        assert (await arrivals.payload()).body == post(3)


async def test_no_more_messages_come_than_may_be_on_the_way(broker: Mosquitto) -> None:
    taken: list[Payload] = []
    async with reading(collector(broker, receive_maximum=10, self_test=False)) as arrivals:
        await arrivals.connected()
        await send(broker, *map(post, range(40)))
        rest = asyncio.create_task(arrivals.into(taken))
        for settled in range(5):
            await pause()
            assert len(taken) <= settled + 10 + 1
            settle(taken[settled])
        settle(*taken[5:])
        while len(taken) < 40:
            before = len(taken)
            await arrivals.more.wait()
            arrivals.more.clear()
            settle(*taken[before:])
        rest.cancel()
        await asyncio.wait([rest])
    assert [payload.body for payload in taken] == [post(number) for number in range(40)]


async def test_a_group_shares_the_messages(broker: Mosquitto) -> None:
    taken: list[list[Payload]] = [[], []]
    one, other = (collector(broker, share="classify", client_id=name) for name in ("one", "other"))
    async with reading(one) as first, reading(other) as second:
        await first.connected()
        await second.connected()
        tasks = [asyncio.create_task(first.into(taken[0])), asyncio.create_task(second.into(taken[1]))]
        await send(broker, *map(post, range(40)))
        async with asyncio.timeout(PATIENCE):
            while sum(map(len, taken)) < 40:
                await pause()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert all(taken)
    assert sorted(payload.body for part in taken for payload in part) == sorted(map(post, range(40)))


async def test_what_is_not_settled_outlives_a_restart_of_the_broker(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, persistent=True) as broker:
        one = collector(broker)
        async with reading(one) as arrivals:
            await arrivals.connected()
            await send(broker, post(1))
            await arrivals.payload()
            await broker.stop()
            with pytest.raises(SourceUnavailableError, match=r"the broker closed the connection|the connection broke"):
                await arrivals.payload()
        await broker.start()
        await send(broker, post(2))
        async with reading(one) as arrivals:
            assert [payload.body for payload in await arrivals.payloads(2)] == [post(1), post(2)]


async def test_a_broker_that_is_killed_is_gone_at_once_and_knows_the_session_when_it_is_back(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, persistent=True) as broker:
        one = collector(broker)
        async with reading(one) as arrivals:
            await arrivals.connected()
            await broker.kill()
            with pytest.raises(SourceUnavailableError, match=r"the broker closed the connection|the connection broke"):
                await arrivals.payload()
        await broker.start()
        await send(broker, post(1))
        async with reading(one) as arrivals:
            assert (await arrivals.payload()).body == post(1)


async def test_a_session_that_the_broker_lost_is_a_gap(broker: Mosquitto) -> None:
    one = collector(broker)
    async with reading(one) as arrivals:
        await arrivals.connected()
    left = SystemClock().now()
    await broker.kill()
    await broker.start()
    async with reading(one) as arrivals:
        await arrivals.connected()
        gap = await arrivals.next()
        assert isinstance(gap, GapMark)
        assert gap.begins <= left <= gap.ends
        assert gap.source == "bus"
        await send(broker, post(1))
        await arrivals.payload()
    async with reading(one) as arrivals:
        assert isinstance(await arrivals.next(), Payload)


async def test_the_older_of_two_monitors_of_one_client_id_loses_its_connection(broker: Mosquitto) -> None:
    async with reading(collector(broker)) as first:
        await first.connected()
        async with reading(collector(broker)) as second:
            await second.connected()
            with pytest.raises(SourceUnavailableError):
                await first.payload()


async def test_filters_of_the_last_run_are_left(broker: Mosquitto) -> None:
    async with reading(collector(broker, topics=("vm/posts/+", "vm/old/#"))) as arrivals:
        await arrivals.connected()
        await send(broker, post(1))
        resume = (await arrivals.payload()).resume
    async with reading(collector(broker), resume) as arrivals:
        assert (await arrivals.payload()).body == post(1)
        await arrivals.connected()
        await send(broker, post(2), topic="vm/old/x")
        await send(broker, post(3))
        assert (await arrivals.payload()).body == post(3)


async def test_a_quiet_broker_gives_signs_of_life(broker: Mosquitto) -> None:
    async with reading(collector(broker, keep_alive=Duration(seconds=1))) as arrivals:
        await arrivals.connected()
        assert isinstance(await arrivals.next(), Contact)


async def test_where_silence_is_an_error_only_messages_count(broker: Mosquitto) -> None:
    one = collector(broker, stale=Duration(minutes=3))
    assert one.stale_after == Duration(minutes=3)
