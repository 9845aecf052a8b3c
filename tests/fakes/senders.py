"""A sender of posts over HTTP: signs as docs/ingest.md says, from that page and not with the code under test."""

import hmac
import json
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import aiohttp

SECRET = "between us"


class Answer(NamedTuple):
    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


def a_post(number: int, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- any field of post/1
    plain = {"id": str(number), "platform": "x", "text": f"bazarak {number}", "created_at": "2021-09-03T13:30:00Z"}
    return plain | fields


def posts(first: int, last: int) -> bytes:
    return json.dumps([a_post(number) for number in range(first, last)]).encode()


def signed(body: bytes, at: float, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, sha256).hexdigest()
    return {"X-Signature-256": f"sha256={digest}", "X-Timestamp": str(int(at))}


async def send(
    port: int,
    body: bytes | AsyncIterator[bytes],
    headers: Mapping[str, str],
    *,
    key: str | None = None,
    path: str = "/ingest/v1/posts",
) -> Answer:
    """One request on a connection of its own."""
    given = {**headers, **({"Idempotency-Key": key} if key is not None else {})}
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=given) as answer:
        return Answer(answer.status, json.loads(await answer.read()), dict(answer.headers))
