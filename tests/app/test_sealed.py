"""Beside every post stands the hash of the document in which its source sent it."""

from hashlib import sha256

import pytest

from monitor.app.sealed import sealed
from monitor.collect.post1 import parse
from tests.fakes.alerts import AT

ONE = b'{"id": "1", "platform": "x", "text": "it has fallen", "created_at": "2021-09-03T14:00:00Z"}'
TWO = b'{ "id":"2","platform":"x","text":"no","created_at":"2021-09-03T14:00:01Z" }'
BAD = b'{"id": "3", "platform": "x"}'
LINES, ARRAY = b"\n".join((ONE, BAD, TWO)), b"[" + b", ".join((BAD, ONE, TWO)) + b"]"


@pytest.mark.parametrize("body", [LINES, ARRAY, LINES + b"\nno JSON"], ids=["lines", "array", "one by one"])
def test_a_post_of_a_batch_has_the_hash_of_its_own_document(body: bytes) -> None:
    posts = sealed(parse([body], "s", AT, as_sent=True), [body])
    assert posts["id"].to_list() == ["1", "2"]
    assert posts["payload_sha256"].to_list() == [sha256(ONE).hexdigest(), sha256(TWO).hexdigest()]


def test_a_post_made_from_a_payload_of_another_kind_has_the_hash_of_that() -> None:
    posts = sealed(parse([TWO, LINES], "s", AT), [TWO, LINES])
    assert posts["payload_sha256"].to_list() == [sha256(body).hexdigest() for body in (TWO, LINES, LINES)]


def test_of_nothing_there_is_none() -> None:
    assert sealed(parse([], "s", AT, as_sent=True), []).is_empty()
