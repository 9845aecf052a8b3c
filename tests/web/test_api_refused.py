"""Every route of the API: announced, guarded, and strict about what it is sent."""

import io
import json
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest
from aiohttp import ClientSession, web
from openapi_spec_validator import validate
from prometheus_client import CollectorRegistry

from monitor.web import api
from monitor.web.office import Office
from monitor.web.openapi import document
from monitor.web.refused import refuse
from monitor.web.routes import ROOT, ROUTES, Route
from monitor.web.server import Health, serving
from tests.fakes.clock import START

REPOSITORY = Path(__file__).parents[2]
GOOD: dict[str, dict[str, str | bool]] = {
    "setStatus": {"status": "denied", "by": "desk", "evidence": "a call"},
    "addSilence": {"event": "fall", "owner": "desk", "comment": "x", "expires_at": "2199-01-01T00:00:00Z"},
    "acknowledgeAlert": {"by": "desk", "comment": "x"},
    "replayDead": {"all": True},
    "mergeNarratives": {"narrative": "n1", "into": "n2", "by": "desk"},
    "splitNarrative": {"narrative": "n1", "by": "desk"},
    "answerAlert": {"useful": True, "by": "desk"},
    "addLabel": {"event": "fall", "platform": "x", "id": "1", "tag": "claim", "by": "desk"},
}
WORDS = {"{event}": "fall", "{narrative}": "n1", "{silence}": "s1", "{alert}": "a1"}


class Closed:
    """An office that refuses whatever it is asked."""

    @property
    def letters(self) -> "Closed":
        """Its part for dead letters refuses, too."""
        return self

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- any method
        async def no(*_: object, **__: object) -> NoReturn:
            raise refuse(503, "closed", name)

        return no


def closed() -> Office:
    return cast("Office", Closed())


async def asked(
    route: Route, body: bytes | None = None, *, query: str = "", token: str | None = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    path = ROOT + route.path
    for word, value in WORDS.items():
        path = path.replace(word, value)
    registry = CollectorRegistry()
    health = Health(ready=True, at=START)
    office = closed()
    async with serving("127.0.0.1", 0, health=lambda: health, registry=registry, token=token, office=office) as port:
        url = f"http://127.0.0.1:{port}{path}{query}"
        given = None if body is None else io.BytesIO(body)
        async with (
            ClientSession() as session,
            session.request(route.method, url, data=given, headers=headers) as answer,
        ):
            return answer.status, json.loads(await answer.read())


def name(route: Route) -> str:
    return route.name


every = pytest.mark.parametrize("route", ROUTES, ids=name)
changing = pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "GET"], ids=name)


def test_the_document_is_valid_openapi() -> None:
    validate(document("1.2.3"))


def test_the_document_announces_exactly_what_is_served() -> None:
    described = {(method.upper(), path) for path, operations in document("1")["paths"].items() for method in operations}
    served = {(one.method, one.path) for one in api.routes(closed(), "1") if isinstance(one, web.RouteDef)}
    assert served - described == {("GET", f"{ROOT}/openapi.json")}
    assert not described - served


def test_the_page_on_the_api_has_every_route() -> None:
    page = (REPOSITORY / "docs" / "api.md").read_text("utf-8")
    for route in ROUTES:
        assert f"`{route.method} {route.path}" in page, route.name


@every
async def test_a_good_request_reaches_the_office(route: Route) -> None:
    body = json.dumps(GOOD.get(route.name, "")).encode()
    status, answer = await asked(route, body)
    assert (status, answer["error"]) == (503, "closed")


@every
async def test_the_token_is_asked_for_where_there_is_one(route: Route) -> None:
    assert (await asked(route, token="a word"))[1]["error"] == "token_needed"
    assert (await asked(route, token="a word", Authorization="Bearer another"))[0] == 401
    assert (await asked(route, b"", token="a word", Authorization="Bearer a word", Origin="https://a.b"))[0] != 401


@every
async def test_another_name_for_this_machine_is_refused(route: Route) -> None:
    assert (await asked(route, Host="rebound.example"))[1]["error"] == "foreign_host"


@changing
async def test_another_sites_page_changes_nothing(route: Route) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"):
        assert (await asked(route, Origin=origin))[1]["error"] == "foreign_origin"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.takes], ids=name)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"<b>": 1}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_not_understood_is_refused(route: Route, body: bytes) -> None:
    status, answer = await asked(route, body)
    assert (status, answer["error"]) == (400, "bad_body")
    assert "<b>" not in answer["detail"]


@pytest.mark.parametrize(
    ("route", "part"),
    [
        pytest.param(route, part, id=f"{route.name}-{part}")
        for route in ROUTES
        if route.takes
        for part in sorted(
            {"by", "evidence", "owner", "comment", "narrative", "id"} & set(route.takes.__struct_fields__)
        )
    ],
)
async def test_a_nul_which_databases_refuse_is_refused(route: Route, part: str) -> None:
    body = json.dumps(GOOD[route.name] | {part: "a\0"}).encode()
    assert (await asked(route, body))[1]["error"] == "bad_body"
    breaks = json.dumps(GOOD[route.name] | {"by" if "by" in GOOD[route.name] else "owner": "a\n"}).encode()
    assert (await asked(route, breaks))[1]["error"] == "closed"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.takes or route.toml], ids=name)
async def test_a_body_is_bounded(route: Route) -> None:
    assert (await asked(route, b" " * (api.MOST_BYTES + 1)))[0] == 413


@pytest.mark.parametrize("route", [route for route in ROUTES if route.query], ids=name)
@pytest.mark.parametrize(
    "query", ["?nothing=1", "?limit=0", "?limit=many", "?replace=perhaps", "?most=-1", "?state=on"]
)
async def test_a_query_that_is_not_understood_is_refused(route: Route, query: str) -> None:
    status, answer = await asked(route, b"", query=query)
    assert (status, answer["error"]) == (400, "bad_query")


async def test_the_document_itself_is_served() -> None:
    route = Route("GET", "/openapi.json", "", "", Health, lambda *_: cast("Any", None))
    status, answer = await asked(route)
    assert (status, answer["openapi"]) == (200, "3.1.0")
