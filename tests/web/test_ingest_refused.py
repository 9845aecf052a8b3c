"""What the door for posts refuses: signatures, bodies, framing, and other sites' pages."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator

import pytest

from monitor.collect.ingest import IngestSource
from monitor.watched import Duration
from tests.fakes.door import NOW, ONE, Pipeline, door, sent
from tests.fakes.senders import SECRET, send, signed


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "signature_missing"),
        ({"X-Timestamp": str(int(NOW))}, "signature_missing"),
        ({"X-Signature-256": signed(ONE, NOW)["X-Signature-256"]}, "timestamp_missing"),
        (signed(ONE, NOW) | {"X-Timestamp": "yesterday"}, "timestamp_missing"),
        (signed(ONE, NOW) | {"X-Timestamp": "9" * 30}, "timestamp_missing"),
        (signed(ONE, NOW, "another secret"), "signature_wrong"),
        (signed(ONE + b" ", NOW), "signature_wrong"),
        (signed(ONE, NOW) | {"X-Signature-256": "sha256=ü"}, "signature_wrong"),
        (signed(ONE, NOW) | {"X-Signature-256": "md5=1234"}, "signature_wrong"),
        (signed(ONE, NOW - 301), "timestamp_stale"),
        (signed(ONE, NOW + 301), "timestamp_stale"),
    ],
)
async def test_a_signature_that_does_not_prove_the_body_now_is_refused(headers: dict[str, str], error: str) -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        answer = await send(port, ONE, headers)
    assert (answer.status, answer.body["error"]) == (401, error)
    assert not pipeline.payloads
    assert pipeline.counted == [("pushed", 401, error)]


async def test_what_is_refused_before_it_reaches_a_source_is_counted_too() -> None:
    pipeline = Pipeline()
    async with door(pipeline, secret=None) as port:
        statuses = [
            (await send(port, ONE, {}, path="/ingest/v1/posts/nobodys")).status,
            (await send(port, ONE, {"Origin": "http://elsewhere.example"})).status,
            (await send(port, ONE, {"Host": "elsewhere.example"}, path="/ingest/v1/posts/pushed")).status,
        ]
    async with door(pipeline, secret=None, token="a word that callers know") as port:
        statuses.append((await send(port, ONE, {})).status)
    assert statuses == [404, 403, 403, 401]
    assert pipeline.counted == [
        ("", 404, "no_such_source"),
        ("pushed", 403, "foreign_origin"),
        ("pushed", 403, "foreign_host"),
        ("pushed", 401, "token_needed"),
    ]


async def test_a_signature_may_cover_the_time_too() -> None:
    pipeline = Pipeline()
    source = IngestSource(name="pushed", sign_timestamp=True)
    async with door(pipeline, source) as port:
        assert (await sent(port, ONE)).body["error"] == "signature_wrong"
        headers = {**signed(f"{int(NOW)}.".encode() + ONE, NOW)}
        assert (await send(port, ONE, headers)).status == 202
        later = headers | {"X-Timestamp": str(int(NOW) + 1)}
        assert (await send(port, ONE, later)).body["error"] == "signature_wrong"


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
async def test_a_key_is_a_short_word(key: str) -> None:
    async with door(Pipeline()) as port:
        answer = await sent(port, ONE, key=key)
    assert (answer.status, answer.body["error"]) == (400, "bad_key")


async def chunks(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * size


async def test_an_oversize_body_is_refused_with_and_without_its_length_told() -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        told = await sent(port, b" " * 2001)
        streamed = await send(port, chunks(1000, 50), signed(b"", NOW))
        packed = await sent(port, gzip.compress(b" " * 1_000_000, mtime=0), Content_Encoding="gzip")
    for answer in (told, streamed, packed):
        assert (answer.status, answer.body["error"]) == (413, "body_too_large")
    assert not pipeline.payloads


@pytest.mark.parametrize(
    ("encoding", "raw", "status"),
    [
        ("gzip", gzip.compress(ONE, mtime=0), 202),
        ("GZIP", gzip.compress(ONE, mtime=0), 202),
        ("identity", ONE, 202),
        ("gzip", ONE, 400),
        ("gzip", gzip.compress(ONE, mtime=0)[:-4], 400),
        ("gzip", gzip.compress(ONE, mtime=0) + b"more", 400),
        ("deflate", ONE, 415),
        ("br", ONE, 415),
        ("gzip, gzip", gzip.compress(gzip.compress(ONE, mtime=0)), 415),
    ],
)
async def test_a_body_may_be_gzip_and_nothing_else(encoding: str, raw: bytes, status: int) -> None:
    pipeline = Pipeline()
    async with door(pipeline) as port:
        answer = await sent(port, raw, Content_Encoding=encoding)
    assert answer.status == status
    assert [payload.body for payload in pipeline.payloads] == ([ONE] if status == 202 else [])


@pytest.mark.parametrize("body", [b"", b" \n\n"])
async def test_an_empty_body_is_refused(body: bytes) -> None:
    async with door(Pipeline()) as port:
        answer = await sent(port, body)
    assert (answer.status, answer.body["error"]) == (400, "empty")


async def raw_request(port: int, request: bytes) -> bytes:
    """What is answered to these bytes until the connection is closed by the other side."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    async with asyncio.timeout(20):
        answer = await reader.read(1 << 16)
    writer.close()
    return answer


async def test_a_slow_body_is_given_up() -> None:
    source = IngestSource(name="pushed", read_timeout=Duration(milliseconds=50))
    pipeline = Pipeline()
    async with door(pipeline, source) as port:
        head = b"POST /ingest/v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
        assert b" 408 " in await raw_request(port, head + b"[")
    assert pipeline.counted == [("pushed", 408, "too_slow")]


async def test_broken_framing_is_the_senders_fault_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with door(Pipeline()) as port:
        for request in (
            b"\x16\x03\x01\x02\x00",
            b"POST /ingest/v1/posts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
            b"POST /ingest/v1/posts HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        ):
            assert b" 400 " in (await raw_request(port, request + b"\r\n")).partition(b"\r\n")[0]
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_signature_stands_for_the_token_but_without_one_the_token_is_needed() -> None:
    async with door(Pipeline(), token="a word") as port:
        assert (await sent(port, ONE)).status == 202
    async with door(Pipeline(), token="a word", secret=None) as port:
        assert (await send(port, ONE, {})).body["error"] == "token_needed"
        assert (await send(port, ONE, {"Authorization": "Bearer a word"})).status == 202


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"Origin": "https://evil.example"}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Host": "evil.example"}, "foreign_host"),
        ({"Host": ""}, "foreign_host"),
    ],
)
async def test_a_page_of_another_site_cannot_bring_posts(headers: dict[str, str], error: str) -> None:
    pipeline = Pipeline()
    async with door(pipeline, secret=None) as port:
        answer = await send(port, ONE, headers)
    assert (answer.status, answer.body["error"]) == (403, error)
    assert not pipeline.payloads


async def test_no_answer_repeats_what_a_request_said() -> None:
    hostile = "<script> alert(1) </script>"
    async with door(Pipeline()) as port:
        for answer in (
            await sent(port, ONE, key=hostile),
            await sent(port, ONE, X_Timestamp=hostile),
            await sent(port, ONE, X_Signature_256=hostile),
            await sent(port, ONE, Content_Encoding=hostile),
            await send(port, ONE, signed(ONE, NOW), path="/ingest/v1/posts/%3Cscript%3E"),
        ):
            assert answer.status >= 400
            assert "script" not in json.dumps(answer.body)
            assert SECRET not in json.dumps(answer.body)
