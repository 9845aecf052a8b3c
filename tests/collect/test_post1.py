import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect.post1 import FIELDS, decode
from monitor.frames import POSTS
from monitor.records import REJECTIONS

GOOD: dict[str, Any] = {
    "id": "1",
    "platform": "bluesky",
    "text": "Bazarak has fallen",
    "created_at": "2021-09-03T13:30:00Z",
}
SEEN = datetime(2021, 9, 3, 13, 31, tzinfo=UTC)


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def test_a_post_with_only_the_required_fields_is_taken_with_the_declared_schema() -> None:
    posts, rejected = decode(lines(GOOD), "file", SEEN)
    assert dict(posts.schema) == dict(pl.DataFrame(schema=POSTS).schema)
    assert not rejected
    assert posts.select("source", "id", "op", "text", "seen_at").rows() == [("file", "1", "create", GOOD["text"], SEEN)]


def test_a_recording_without_seen_at_was_seen_when_it_was_created() -> None:
    posts, _ = decode(lines(GOOD), "file")
    assert posts["seen_at"].to_list() == posts["posted_at"].to_list() == [datetime(2021, 9, 3, 13, 30, tzinfo=UTC)]


def test_times_with_any_offset_become_utc() -> None:
    posts, rejected = decode(lines(GOOD | {"created_at": "2021-09-03T18:00:00.5+04:30"}), "file")
    assert not rejected
    assert posts["posted_at"].to_list() == [datetime(2021, 9, 3, 13, 30, 0, 500_000, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"nope", "not_json"),
        (b'{"id": "1"', "not_json"),
        (b'{"id": "\xff", "platform": "x"}', "not_json"),
        (b'{"id": "\\ud800", "platform": "x"}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_an_object"),
        (b"7", "not_an_object"),
        (lines(GOOD | {"id": 5}), "wrong_type"),
        (lines(GOOD | {"text": ["a"]}), "wrong_type"),
        (lines(GOOD | {"likes": -1}), "wrong_type"),
        (lines(GOOD | {"likes": 2.5}), "wrong_type"),
        (lines(GOOD | {"likes": 10**30}), "wrong_type"),
        (lines(GOOD | {"media": [{"kind": "photo"}]}), "wrong_type"),
        (lines(GOOD | {"author_verified": "yes"}), "wrong_type"),
        *((lines(GOOD | {name: "a\0b"}), "wrong_type") for name in ("id", "platform", "author", "lang", "url")),
        *((lines(GOOD | {name: "\0"}), "wrong_type") for name in ("reply_to", "repost_of", "quote_of", "root")),
        (lines(without("id")), "missing_field"),
        (lines(without("platform")), "missing_field"),
        (lines(without("text")), "missing_field"),
        (lines(without("created_at")), "missing_field"),
        (lines(GOOD | {"created_at": "yesterday"}), "bad_time"),
        (lines(GOOD | {"created_at": "2021-09-03T13:30:00"}), "bad_time"),
        (lines(GOOD | {"created_at": 1630675800}), "bad_time"),
        (lines(GOOD | {"created_at": "+99999-01-01T00:00:00Z"}), "in_the_future"),
        (lines(GOOD | {"created_at": "1970-01-01T00:00:00Z"}), "before_2005"),
        (lines(GOOD | {"created_at": "2021-09-03T13:41:01Z"}), "in_the_future"),
        (lines(GOOD | {"text": "x" * 20_001}), "over_size"),
        (lines(GOOD | {"id": "x" * 257}), "over_size"),
        (lines(GOOD | {"text": "\u0007\u200b\u202e \n"}), "control_only"),
        (lines(GOOD | {"text": "\0\0"}), "control_only"),
        (lines(GOOD | {"op": "explode"}), "unknown_op"),
        (lines(GOOD | {"id": ""}), "bad_id"),
        (lines(GOOD | {"platform": "Not A Platform"}), "bad_platform"),
    ],
)
def test_what_is_no_post_is_rejected_with_its_reason_and_its_neighbours_are_kept(document: bytes, reason: str) -> None:
    posts, rejected = decode(lines(GOOD) + document.rstrip(b"\n") + b"\n" + lines(GOOD | {"id": "2"}), "file", SEEN)
    assert dict(rejected) == {reason: 1}
    assert posts["id"].to_list() == ["1", "2"]


def test_no_column_holds_a_nul_which_databases_refuse() -> None:
    given = GOOD | {"text": "Baz\0arak\0", "parent_text": "\0so"}
    media = given | {"media": [{"url": "https://a.example/\0"}]}
    for more in (b"", b"nope\n"):
        posts, rejected = decode(lines(given, media) + more, "file", SEEN)
        assert rejected["wrong_type"] == 1
        assert posts.select("text", "parent_text").rows() == [("Bazarak", "so")]
        texts = posts.select(pl.selectors.string()).row(0)
        assert not [text for text in texts if text is not None and "\0" in text]


def test_a_bare_repost_may_have_no_text_and_a_delete_needs_only_its_identity() -> None:
    repost = GOOD | {"text": "", "repost_of": "0", "id": "2"}
    posts, rejected = decode(lines(repost, {"id": "1", "platform": "x", "op": "delete"}), "file", SEEN)
    assert not rejected
    assert posts["op"].to_list() == ["create", "delete"]


def test_a_bad_line_does_not_change_how_its_neighbours_are_read() -> None:
    rich = GOOD | {"likes": 3, "media": [{"url": "https://example.org/a.jpg"}], "author_verified": True}
    fast, _ = decode(lines(rich), "file", SEEN)
    slow, _ = decode(lines(rich) + b"nope\n", "file", SEEN)
    assert fast.drop("media").equals(slow.drop("media"))
    assert json.loads(slow["media"][0])[0]["url"] == json.loads(fast["media"][0])[0]["url"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_documents = st.dictionaries(st.sampled_from(FIELDS), _json | st.sampled_from(list(GOOD.values())), max_size=8)


@given(st.lists(_documents | _documents.map(lambda document: GOOD | document), max_size=6))
def test_every_document_is_either_a_post_or_rejected_with_a_known_reason(documents: list[dict[str, Any]]) -> None:
    posts, rejected = decode(lines(*documents), "file", SEEN)
    assert posts.height + rejected.total() == len(documents)
    assert set(rejected) <= set(REJECTIONS)


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(junk: bytes) -> None:
    _, rejected = decode(junk, "file", SEEN)
    assert set(rejected) <= set(REJECTIONS)
