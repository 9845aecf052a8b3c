"""The health page is honest, metrics are there, and strangers are kept out."""

import json
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Counter

from monitor.errors import SettingsError
from monitor.web.access import allowed, is_loopback
from monitor.web.server import Health, SourceHealth, serving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEEN = datetime(2026, 3, 1, 11, 59, tzinfo=UTC)
TOKEN = "a word"


class State:
    """A monitor as far as the health page can see it."""

    def __init__(self) -> None:
        self.ready = False
        self.sources: tuple[SourceHealth, ...] = ()

    def health(self) -> Health:
        return Health(ready=self.ready, at=NOW, sources=self.sources)


def served(
    state: State, *, token: str | None = None, host: str = "127.0.0.1", port: int = 0
) -> AbstractAsyncContextManager[int]:
    registry = CollectorRegistry()
    Counter("monitor_ticks", "Ticks.", registry=registry).inc(3)
    return serving(host, port, health=state.health, registry=registry, token=token)


async def got(port: int, path: str, *, authorization: str | None = None, method: str = "GET") -> tuple[int, str]:
    headers = {"Authorization": authorization} if authorization is not None else {}
    url = f"http://127.0.0.1:{port}{path}"
    async with ClientSession() as session, session.request(method, url, headers=headers) as response:
        return response.status, await response.text()


async def test_it_is_alive_before_it_is_ready() -> None:
    async with served(State()) as port:
        assert await got(port, "/healthz") == (200, "alive\n")
        assert await got(port, "/readyz") == (
            503,
            '{"ready":false,"at":"2026-03-01T12:00:00Z","store":"good","sources":[]}',
        )


async def test_ready_tells_how_fresh_each_source_is() -> None:
    state = State()
    state.ready = True
    state.sources = (
        SourceHealth(name="live", state="running", last_post_at=SEEN),
        SourceHealth(name="dead", state="refused"),
    )
    async with served(state) as port:
        status, body = await got(port, "/readyz")
    assert status == 200
    assert '{"name":"live","state":"running","last_post_at":"2026-03-01T11:59:00Z"}' in body
    assert '{"name":"dead","state":"refused","last_post_at":null}' in body


async def test_metrics_come_from_the_registry_that_was_handed_in() -> None:
    async with served(State()) as port:
        status, body = await got(port, "/metrics")
    assert status == 200
    assert "monitor_ticks_total 3.0" in body
    assert "python_info" not in body


async def test_other_pages_and_methods_do_not_exist() -> None:
    async with served(State()) as port:
        assert (await got(port, "/"))[0] == 404
        assert (await got(port, "/metrics", method="POST"))[0] == 405


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/nothing"])
@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", "Basic a word", "Bearer a word2", "Bearer ü"]
)
async def test_with_a_token_set_nothing_but_being_alive_is_told_without_it(
    path: str, authorization: str | None
) -> None:
    async with served(State(), token=TOKEN) as port:
        status, body = await got(port, path, authorization=authorization)
        assert status == 401
        assert json.loads(body)["error"] == "token_needed"
        assert (await got(port, "/healthz"))[0] == 200


async def test_with_the_token_everything_is_told() -> None:
    async with served(State(), token=TOKEN) as port:
        assert (await got(port, "/metrics", authorization=f"Bearer {TOKEN}"))[0] == 200
        assert (await got(port, "/readyz", authorization=f"bearer {TOKEN}"))[0] == 503


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])  # noqa: S104 -- to be refused
async def test_an_open_address_without_a_token_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="open to other machines; name a token"):
        async with served(State(), host=host):
            pass


async def test_a_port_in_use_is_one_clear_line() -> None:
    async with served(State()) as port:
        with pytest.raises(SettingsError) as refused:
            async with served(State(), port=port):
                pass
    said = f"web: cannot listen on 127.0.0.1 port {port} (address already in use); "
    assert refused.value.mistakes == (said + "choose another host or port under [web], or stop what listens there",)


async def test_an_address_that_is_not_ours_is_one_clear_line() -> None:
    with pytest.raises(SettingsError, match=r"^web: cannot listen on 192\.0\.2\.1 port 0 \("):
        async with served(State(), host="192.0.2.1", token=TOKEN):
            pass


async def test_the_port_is_free_again_afterwards() -> None:
    async with served(State()) as port:
        pass
    async with served(State(), port=port) as again:
        assert again == port


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


def test_without_a_token_everybody_is_allowed() -> None:
    assert allowed("", None)
    assert allowed("nonsense \udcff", None)
    assert not allowed("Bearer \udcff", TOKEN)
