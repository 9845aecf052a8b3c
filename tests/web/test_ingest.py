"""The door for posts: what it takes, and what it answers to what came before."""

import asyncio
import json
from typing import Any

import pytest

from monitor.arrivals import Request, Settled, about
from monitor.collect.ingest import IngestSource
from monitor.watched import Duration
from monitor.web.ingest import Ingest
from monitor.web.refused import RefusedError
from tests.fakes.clock import ManualClock
from tests.fakes.door import NOW, ONE, SOURCE, Pipeline, door, opened, sent, until
from tests.fakes.senders import a_post, posts, send, signed


@pytest.mark.parametrize(
    "body",
    [ONE, b"[" + ONE + b"]", ONE + b"\n" + ONE + b"\n", json.dumps(a_post(1), indent=2).encode()],
    ids=["object", "array", "lines", "object over several lines"],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
async def test_a_body_is_handed_on_as_it_came_whatever_it_says_it_is(body: bytes, kind: str) -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        answer = await sent(port, body, Content_Type=kind)
    assert (answer.status, answer.body) == (202, {"accepted": 1, "rejected": {}})
    assert [payload.body for payload in pipeline.payloads] == [body]
    assert pipeline.payloads[0].source == "pushed"
    assert pipeline.counted == [("pushed", 202, "")]


async def test_a_payload_says_about_how_many_posts_it_holds() -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        await sent(port, posts(0, 7))
    assert pipeline.payloads[0].posts == 7


def test_posts_that_spell_their_fields_otherwise_are_posts_too() -> None:
    escaped = posts(0, 500).replace(b'"platform"', b'"pl\\u0061tform"')
    assert len(json.loads(escaped)) == 500
    assert len(escaped) // 500 <= about(escaped) <= 500
    assert about(json.dumps(a_post(1, text="ب" * 20_000)).encode()) == 1
    assert about(b"") == 1


async def test_nothing_is_answered_before_the_commit() -> None:
    pipeline = Pipeline()
    pipeline.commits.clear()
    async with door(pipeline) as port, asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(sent(port, ONE))
        await until(lambda: bool(pipeline.payloads))
        assert not asking.done()
        pipeline.outcome = Settled(1, {"bad_time": 2})
        pipeline.commit(pipeline.payloads[0])
        assert (await asking).body == {"accepted": 1, "rejected": {"bad_time": 2}}


@pytest.mark.parametrize(
    ("settled", "status", "body"),
    [
        (Settled(0, {"not_json": 3}), 400, {"error": "nothing_usable", "accepted": 0, "rejected": {"not_json": 3}}),
        (Settled(0, {}, quarantined=True), 422, {"error": "quarantined"}),
    ],
    ids=["all rejected", "quarantined"],
)
async def test_a_body_that_brought_nothing_is_an_error(settled: Settled, status: int, body: dict[str, Any]) -> None:
    pipeline = Pipeline()
    pipeline.outcome = settled
    async with door(pipeline) as port:
        for _ in range(2):
            answer = await sent(port, ONE, key="a")
            assert answer.status == status
            assert answer.body | body == answer.body
    assert len(pipeline.payloads) == 1


async def test_a_request_that_comes_again_gets_the_same_answer_and_is_not_processed_again() -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        pipeline.outcome = Settled(5, {"bad_id": 1})
        for key in ("a", "a", None, None):
            body = ONE if key else ONE + b"\n"
            answer = await sent(port, body, key=key)
            assert (answer.status, answer.body) == (202, {"accepted": 5, "rejected": {"bad_id": 1}})
    assert len(pipeline.payloads) == 2


async def test_a_request_that_comes_again_before_the_commit_waits_for_the_same_answer() -> None:
    pipeline = Pipeline()
    pipeline.commits.clear()
    async with door(pipeline) as port, asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(sent(port, ONE, key="a")) for _ in range(2)]
        await until(lambda: bool(pipeline.payloads))
        other = await sent(port, ONE + b"\n", key="a")
        assert (other.status, other.body["error"]) == (409, "key_in_use")
        replayed = await sent(port, ONE, key="b")
        assert (replayed.status, replayed.body["error"]) == (401, "replayed")
        pipeline.commit(pipeline.payloads[0])
        assert [(await one).status for one in asking] == [202, 202]
    assert len(pipeline.payloads) == 1


async def test_a_key_belongs_to_one_body_and_a_signed_body_to_one_key() -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        assert (await sent(port, ONE, key="a")).status == 202
        reused = await sent(port, ONE + b"\n", key="a")
        assert (reused.status, reused.body["error"]) == (422, "key_reused")
        for key in ("b", None):
            replayed = await sent(port, ONE, key=key)
            assert (replayed.status, replayed.body["error"]) == (401, "replayed")
    assert len(pipeline.payloads) == 1


async def test_without_a_secret_the_same_body_may_come_under_another_key() -> None:
    pipeline = Pipeline()
    async with door(pipeline, secret=None) as port:
        for key in ("a", "b"):
            assert (await send(port, ONE, {}, key=key)).status == 202
    assert len(pipeline.payloads) == 2


async def test_a_full_channel_asks_to_come_again() -> None:
    pipeline = Pipeline()
    pipeline.room = 0
    async with door(pipeline) as port:
        answer = await sent(port, ONE, key="a")
        assert (answer.status, answer.body["error"]) == (429, "queue_full")
        assert int(answer.headers["Retry-After"]) > 0
        pipeline.room = 1
        assert (await sent(port, ONE, key="a")).status == 202


async def test_too_many_requests_in_hand_ask_to_come_again() -> None:
    pipeline = Pipeline()
    pipeline.commits.clear()
    async with door(pipeline) as port, asyncio.TaskGroup() as tasks:
        for number in range(3):
            tasks.create_task(sent(port, ONE + b"\n" * number))
        await until(lambda: len(pipeline.payloads) == 3)
        answer = await sent(port, ONE + b" ")
        assert (answer.status, answer.body["error"]) == (429, "too_many_requests")
        for payload in pipeline.payloads:
            pipeline.commit(payload)


async def test_a_commit_that_takes_too_long_is_no_answer_yet() -> None:
    pipeline = Pipeline()
    pipeline.commits.clear()
    source = IngestSource(name="pushed", answer_timeout=Duration(milliseconds=50))
    async with door(pipeline, source) as port:
        answer = await sent(port, ONE, key="a")
        assert (answer.status, answer.body["error"]) == (503, "not_yet")
        pipeline.commit(pipeline.payloads[0])
        assert (await sent(port, ONE, key="a")).status == 202
    assert len(pipeline.payloads) == 1


async def test_a_store_that_cannot_be_read_or_a_monitor_that_stops_asks_to_come_again() -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        pipeline.broken = True
        answer = await sent(port, ONE)
        assert (answer.status, answer.body["error"]) == (503, "store")
        assert "fire" not in answer.body["detail"]
        pipeline.broken, pipeline.closed = False, True
        assert (await sent(port, ONE)).body["error"] == "stopping"
    assert not pipeline.payloads


async def test_a_request_that_could_not_be_begun_may_come_again() -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        pipeline.unforeseen = TimeoutError("no connection is free")
        with pytest.raises(json.JSONDecodeError):  # a plain 500
            await sent(port, ONE, key="a")
        assert pipeline.counted == [("pushed", 500, "failed")]
        pipeline.unforeseen = None
        assert (await sent(port, ONE, key="a")).status == 202
    assert len(pipeline.payloads) == 1


async def test_a_request_whose_sender_left_while_it_was_begun_may_come_again() -> None:
    pipeline = Pipeline()
    pipeline.recalling = asyncio.Event()
    ingest = Ingest(pipeline, pipeline.recall, ManualClock(), pipeline.count)
    ingest.serve([SOURCE], {})
    async with opened(ingest) as port:
        leaving = asyncio.create_task(ingest._outcome(SOURCE, Request("a", "1"), ONE, signed=False))  # noqa: SLF001
        await pipeline.recalling.wait()
        waiting = asyncio.create_task(ingest._outcome(SOURCE, Request("a", "1"), ONE, signed=False))  # noqa: SLF001
        leaving.cancel()
        outcome = await waiting
        assert isinstance(outcome, RefusedError)
        assert (outcome.status, outcome.body.error) == (503, "failed")
        pipeline.recalling = None
        assert (await send(port, ONE, {}, key="a")).status == 202


async def test_a_source_that_is_exchanged_takes_nothing_meanwhile() -> None:
    pipeline = Pipeline()
    ingest = Ingest(pipeline, pipeline.recall, ManualClock(), pipeline.count)
    async with opened(ingest) as port:
        ingest.serve([IngestSource(name="pushed")], {})
        ingest.pause(["pushed"])
        assert (await send(port, ONE, {})).body["error"] == "stopping"
        ingest.serve([IngestSource(name="other")], {})
        assert (await send(port, ONE, {}, path="/ingest/v1/posts/pushed")).status == 404
        assert (await send(port, ONE, {}, path="/ingest/v1/posts/other")).status == 202


async def test_each_source_has_its_path_and_the_first_the_short_one() -> None:
    pipeline = Pipeline()
    first, second = IngestSource(name="first"), IngestSource(name="second")
    async with door(pipeline, first, second) as port:
        await sent(port, ONE)
        await send(port, ONE, signed(ONE, NOW), path="/ingest/v1/posts/second")
        lost = await send(port, ONE, signed(ONE, NOW), path="/ingest/v1/posts/third")
    assert [payload.source for payload in pipeline.payloads] == ["first", "second"]
    assert (lost.status, lost.body["error"]) == (404, "no_such_source")
