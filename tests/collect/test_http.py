"""How sources speak HTTP: within what platforms allow, within bounds, and with errors that say what to do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address

import pytest
from aiohttp import ClientWebSocketResponse, web

from monitor.clock import Clock, SystemClock
from monitor.collect.http import Answer, Http, opened
from monitor.collect.http_addresses import Address, is_public
from monitor.collect.http_rates import ReadRate, epoch_rate, no_rate
from monitor.collect.http_settings import HttpSource
from monitor.collect.http_streams import lines, socket
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.metrics import Metrics
from tests.fakes.clock import START, ManualClock, settle
from tests.fakes.platform import metrics, platform, shown

SECRET = "hunter2-and+more"


@asynccontextmanager
async def asking(
    *,
    clock: Clock | None = None,
    rate: ReadRate = no_rate,
    allows: Callable[[Address], bool] | None = None,
    told: Metrics | None = None,
) -> AsyncIterator[Http]:
    settings = HttpSource(largest_answer=2000, timeout=timedelta(seconds=2), user_agent="desk (desk@example.org)")  # type: ignore[arg-type]
    async with opened(
        "far", settings, clock or SystemClock(), told or metrics(), rate=rate, hidden=[SECRET], allows=allows
    ) as http:
        yield http


def answering(status: int, text: str = "", **headers: str) -> Callable[[web.Request], object]:
    async def handle(request: web.Request) -> web.Response:  # noqa: ARG001
        return web.Response(status=status, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handle


@pytest.mark.parametrize(
    ("status", "question"),
    [(400, True), (401, False), (402, False), (403, False), (404, True), (410, True), (302, True)],
)
async def test_what_asking_again_cannot_mend_refuses_the_source_or_the_question(status: int, *, question: bool) -> None:
    async with platform(answering(status, "no\x1b[31m", Location="/x")) as url, asking() as http:  # type: ignore[arg-type]
        with pytest.raises(SourceRefusedError, match=rf"^127\.0\.0\.1/a answered {status}: no \[31m$") as error:
            await http.get(f"{url}/a", params=[("key", "v")])
    assert error.value.question is question


@pytest.mark.parametrize(("status", "after"), [(429, 90.0), (503, 90.0), (500, None), (408, None)])
async def test_what_passes_is_tried_again_when_the_platform_says(status: int, after: float | None) -> None:
    async with platform(answering(status, Retry_After="90")) as url, asking(clock=ManualClock()) as http:  # type: ignore[arg-type]
        with pytest.raises(SourceUnavailableError) as error:
            await http.get(url)
        assert error.value.retry_after == after


async def test_a_status_that_was_asked_for_is_an_answer() -> None:
    async with platform(answering(404, "gone")) as url, asking() as http:  # type: ignore[arg-type]
        assert (await http.get(url, also={404})).body == b"gone"
    async with platform(answering(304)) as url, asking() as http:  # type: ignore[arg-type]
        assert (await http.get(url)).status == 304


async def test_a_platform_that_is_not_there_is_unavailable() -> None:
    async with platform(answering(200)) as url:  # type: ignore[arg-type]
        pass
    async with asking() as http:
        with pytest.raises(SourceUnavailableError, match=r"^127\.0\.0\.1/a cannot be reached"):
            await http.get(f"{url}/a?key={SECRET}")
        with pytest.raises(SourceUnavailableError, match="InvalidUrl"):
            await http.get("http://[half")


async def test_a_platform_that_hangs_is_unavailable() -> None:
    async def hang(request: web.Request) -> web.Response:  # noqa: ARG001
        await asyncio.Event().wait()
        raise AssertionError

    async with platform(hang) as url, asking() as http:
        with pytest.raises(SourceUnavailableError, match="did not answer in time"):
            await http.get(url)


async def test_no_error_shows_a_secret() -> None:
    said = f'{{"token": "{SECRET}", "again": "hunter2-and%2Bmore"}}'
    async with platform(answering(401, said)) as url, asking() as http:  # type: ignore[arg-type]
        with pytest.raises(SourceRefusedError) as error:
            await http.get(f"{url}/bot{SECRET}/get", params=[("key", SECRET)])
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None


async def test_an_answer_or_a_line_over_its_size_is_not_taken() -> None:
    async with platform(answering(200, "x" * 2001)) as url, asking() as http:  # type: ignore[arg-type]
        with pytest.raises(SourceUnavailableError, match="over 2000 bytes"):
            await http.get(url)
        with pytest.raises(SourceUnavailableError, match="over 2000 bytes"):
            async with lines(http, url, silence=timedelta(seconds=5)) as found:
                assert [line async for line in found]


async def test_we_say_who_we_are_and_keep_no_cookies() -> None:
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(headers={"Set-Cookie": "a=b"})

    async with platform(handle) as url, asking() as http:
        await http.get(url)
        await http.post(url, b"body")
    assert [request.headers["User-Agent"] for request in asked] == ["desk (desk@example.org)"] * 2
    assert "Cookie" not in asked[1].headers


async def test_what_a_platform_says_of_its_rate_is_shown_and_obeyed() -> None:
    clock, told = ManualClock(), metrics()
    left = [1, 0, 5]

    async def handle(request: web.Request) -> web.Response:  # noqa: ARG001
        reset = str(int(START.timestamp()) + 30)
        return web.Response(headers={"X-RateLimit-Remaining": str(left.pop(0)), "X-RateLimit-Reset": reset})

    async with platform(handle) as url, asking(clock=clock, rate=epoch_rate, told=told) as http:
        await http.get(url)
        assert shown(told, "monitor_source_rate_remaining", source="far") == 1
        await http.get(url, bucket="search")
        await http.get(url)
        assert clock.slept == []
        left.append(0)
        waiting = asyncio.ensure_future(http.get(url, bucket="search"))
        await settle()
        assert clock.slept == [timedelta(seconds=30)]
        await clock.advance(timedelta(seconds=30))
        assert (await waiting).status == 200
    assert shown(told, "monitor_source_requests_total", source="far", code="200") == 4
    assert shown(told, "monitor_source_rate_reset_timestamp_seconds", source="far") == START.timestamp() + 30


async def test_a_rate_that_is_spent_for_long_makes_the_source_unavailable_until_then() -> None:
    reset = str(int(START.timestamp()) + 800)
    handler = answering(200, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset)
    async with platform(handler) as url, asking(clock=ManualClock(), rate=epoch_rate) as http:  # type: ignore[arg-type]
        await http.get(url)
        with pytest.raises(SourceUnavailableError, match="rate limit is spent") as error:
            await http.get(url)
    assert error.value.retry_after == 800


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
async def test_private_addresses_are_refused_however_they_are_spelled(name: str) -> None:
    async with platform(answering(200)) as url, asking(allows=is_public) as http:  # type: ignore[arg-type]
        with pytest.raises(SourceUnavailableError):
            await http.get(f"http://{name}:{url.rpartition(':')[2]}/")


async def test_a_redirect_is_followed_only_where_asked_and_never_to_a_private_address() -> None:
    async def handle(request: web.Request) -> web.Response:
        port = request.url.port
        target = {"/in": f"http://127.0.0.2:{port}/", "/out": f"http://127.0.0.1:{port}/end"}.get(request.path)
        return web.Response(status=302, headers={"Location": target}) if target else web.Response(text="end")

    only = ip_address("127.0.0.1")
    async with platform(handle) as url, asking(allows=lambda address: address == only) as http:
        answer = await http.get(f"{url}/out", follow=True)
        assert (answer.body, answer.url) == (b"end", f"{url}/end")
        with pytest.raises(SourceUnavailableError, match="private network"):
            await http.get(f"{url}/in", follow=True)
        with pytest.raises(SourceRefusedError, match="302"):
            await http.get(f"{url}/out")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 -- refused
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_an_address_is_public_or_not(address: str, public: bool) -> None:  # noqa: FBT001
    assert is_public(ip_address(address)) is public


async def test_lines_come_one_by_one_and_signs_of_life_are_empty() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in (b"on", b"e\r\n\r\ntwo\nthr", b"ee\n"):
            await response.write(part)
        return response

    async with platform(handle) as url, asking() as http:
        async with lines(http, url, silence=timedelta(seconds=5)) as found:
            assert [line async for line in found] == [b"one", b"", b"two", b"three"]
        async with platform(answering(401)) as other:  # type: ignore[arg-type]
            with pytest.raises(SourceRefusedError):
                async with lines(http, other, silence=timedelta(seconds=5)):
                    pass


async def test_a_stream_that_says_nothing_is_unavailable() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one\n")
        await asyncio.Event().wait()
        return response

    async with platform(handle) as url, asking() as http:
        with pytest.raises(SourceUnavailableError, match="in time"):
            async with lines(http, url, silence=timedelta(milliseconds=100)) as found:
                assert [line async for line in found]


async def test_a_socket_opens_or_says_why_not() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.query.get("ok") != "1":
            return web.json_response({"error": "CursorTooOld"}, status=int(request.query["status"]))
        opened = web.WebSocketResponse()
        await opened.prepare(request)
        await opened.send_str("hello")
        await opened.close()
        return opened

    async with platform(handle) as url, asking() as http:
        async with socket(http, url, params=[("ok", "1")]) as found:
            assert isinstance(found, ClientWebSocketResponse)
            assert (await found.receive()).data == b"hello"
        async with socket(http, url, params=[("status", "400")], also={400}) as found:
            assert isinstance(found, Answer)
            assert found.body == b'{"error": "CursorTooOld"}'
        with pytest.raises(SourceRefusedError, match="CursorTooOld"):
            async with socket(http, url, params=[("status", "400")]):
                pass
        with pytest.raises(SourceUnavailableError):
            async with socket(http, url, params=[("status", "502")]):
                pass
