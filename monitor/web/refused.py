"""How every page says no: a status, a word for programs and a sentence for people, as JSON.

Nothing that a request brought stands in an answer, but for names that were checked.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web
from msgspec import Struct

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every answer that is no success."""

    error: str
    """A word of a bounded set."""
    detail: str
    """What is wrong and what to do, in a sentence."""
    mistakes: tuple[str, ...] = ()
    """Every mistake of a document, a line each."""
    accepted: int | None = None
    """Posts of the request that were usable, where it held posts."""
    rejected: Mapping[str, int] | None = None
    """Reason → documents that were not."""


class RefusedError(Exception):
    """A request that is answered with a status of 400 or above."""

    def __init__(self, status: int, body: Refused, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body.error}: {body.detail}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def refuse(status: int, error: str, detail: str, *, again: int | None = None) -> RefusedError:
    """A refusal; `again` is after how many seconds to come again."""
    headers = {} if again is None else {"Retry-After": str(again)}
    return RefusedError(status, Refused(error=error, detail=detail), headers)


def answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in JSON."""
    plain = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={**plain, **(headers or {})},
    )


_PAGES: Mapping[int, tuple[str, str]] = {
    404: ("not_found", "there is no such page"),
    405: ("method_not_allowed", "the page has other methods"),
    413: ("body_too_large", "the body is larger than is taken here"),
}


@web.middleware
async def in_json(request: web.Request, handler: Respond) -> web.StreamResponse:
    """Turns refusals, aiohttp's own too, into JSON."""
    try:
        return await handler(request)
    except RefusedError as error:
        return answer(error.status, error.body, error.headers)
    except web.HTTPException as error:
        word, sentence = _PAGES.get(error.status, ("refused", "the request cannot be served"))
        kept = {name: value for name, value in error.headers.items() if name == "Allow"}
        return answer(error.status, Refused(error=word, detail=sentence), kept)
