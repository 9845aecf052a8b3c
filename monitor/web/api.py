"""Serves the table of routes: reads and checks what a request brings, asks the office, answers in JSON."""

from datetime import timedelta
from typing import Any

import msgspec
from aiohttp import web

from monitor.alert.harmless import harmless
from monitor.web.body import Bodies
from monitor.web.office import Office
from monitor.web.openapi import document
from monitor.web.refused import Respond, answer, refuse
from monitor.web.routes import ROOT, ROUTES, Asked, Route

MOST_BYTES = 1 << 20
WITHIN = timedelta(seconds=20)
_LONGEST_WORD = 300
"""Of what msgspec says of a body."""


def routes(office: Office, version: str) -> list[web.RouteDef]:
    """Every route of the API, and its OpenAPI document."""
    described = document(version)
    bodies = Bodies(8 * MOST_BYTES)

    async def openapi(_: web.Request) -> web.StreamResponse:
        return answer(200, described)

    served = [web.route(one.method, ROOT + one.path, _serve(one, office, bodies)) for one in ROUTES]
    return [*served, web.get(f"{ROOT}/openapi.json", openapi)]


def _serve(route: Route, office: Office, bodies: Bodies) -> Respond:
    async def serve(request: web.Request) -> web.StreamResponse:
        async with bodies.read(request, MOST_BYTES, WITHIN) as raw:
            asked = Asked(dict(request.match_info), _body(route, raw), _query(route, request))
            return answer(route.status, await route.call(office, asked))

    return serve


def _body(route: Route, raw: bytes) -> Any:  # noqa: ANN401 -- a route's own Struct
    try:
        if route.toml:
            return raw.decode("utf-8-sig")
        return None if route.takes is None else msgspec.json.decode(raw, type=route.takes)
    except msgspec.ValidationError as error:
        raise refuse(400, "bad_body", harmless(str(error), _LONGEST_WORD)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        what = "an event file, TOML in UTF-8" if route.toml else "JSON"
        raise refuse(400, "bad_body", f"the body is not {what}") from None


def _query(route: Route, request: web.Request) -> Any:  # noqa: ANN401 -- a route's own Struct
    if route.query is None:
        return None
    try:
        return msgspec.convert(dict(request.query), route.query, strict=False)
    except msgspec.ValidationError as error:
        raise refuse(400, "bad_query", harmless(str(error), _LONGEST_WORD)) from None
