"""Every sample of a wire shape that is no part of a poll is read as documented; those of polls stand in `test_news`."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.claim_review import reviews
from monitor.collect.collector import Collector
from monitor.collect.http_rates import iso_rate, seconds_rate
from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.mastodon_wire import found_in
from tests.fakes.clock import ManualClock
from tests.fakes.platform import metrics

SAMPLES = Path(__file__).parents[3] / "shared" / "platforms" / "samples"
SEEN = datetime(2026, 11, 24, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples of wire shapes are not in the repository")


def sky() -> Collector:
    return BlueskyCollector(BlueskySource(name="sky"), ManualClock(), metrics())


def far() -> Collector:
    return MastodonCollector(MastodonSource(name="far", instance="https://near.example"), "", ManualClock(), metrics())


def document(name: str) -> Any:  # noqa: ANN401
    return json.loads((SAMPLES / name).read_text("utf-8"))


def each(name: str) -> list[bytes]:
    """The documents of a list, each a payload."""
    return [json.dumps(one).encode() for one in document(name)]


def found(name: str) -> list[bytes]:
    """The posts of a search, as the collector hands them on."""
    return [json.dumps({"posts": document(name)["posts"]}).encode()]


def statuses(name: str) -> list[bytes]:
    """The statuses of an answer, as the collector hands them on."""
    told = document(name)
    listed = told if isinstance(told, list) else told.get("statuses", [told])
    return [one.line for one in found_in(json.dumps(listed).encode())]


def events_of(name: str) -> list[bytes]:
    """The server-sent events of a stream as the socket tells them, where they are of use."""
    told: list[bytes] = []
    for block in (SAMPLES / name).read_text("utf-8").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            told.append(json.dumps({"event": fields["event"], "payload": fields["data"], "stream": []}).encode())
    return told


SHAPES: list[tuple[str, Callable[[], Collector], Callable[[str], list[bytes]], dict[str, int]]] = [
    ("bluesky_jetstream_v1.json", sky, each, {"create": 3, "delete": 1}),
    ("bluesky_jetstream_v2.json", sky, each, {}),
    ("bluesky_searchPosts.json", sky, found, {"create": 1}),
    ("mastodon_status.json", far, statuses, {"create": 1}),
    ("mastodon_search_v2.json", far, statuses, {"create": 1}),
    ("mastodon_stream_ws.json", far, each, {}),
    ("mastodon_stream_sse.txt", far, events_of, {}),
]


@pytest.mark.parametrize(("name", "made", "read", "wanted"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_a_sample_of_a_stream_is_read_as_documented(
    name: str, made: Callable[[], Collector], read: Callable[[str], list[bytes]], wanted: dict[str, int]
) -> None:
    parsed = made().parse(read(name), SEEN)
    assert not any(parsed.rejected)
    assert parsed.posts.height
    counted = dict(parsed.posts.group_by("op").len().rows())
    assert {op: counted.get(op) for op in wanted} == wanted
    created = parsed.posts.filter(parsed.posts["op"] == "create")
    assert created["author"].null_count() == 0
    assert created.height == 0 or created["text"].str.len_chars().max() > 0  # type: ignore[operator]


@pytest.mark.parametrize("name", ["factcheck_claims_search.json", "claimreview_jsonld.json"])
def test_a_sample_of_fact_checks_is_read_as_documented(name: str) -> None:
    body = (SAMPLES / name).read_bytes()
    page = body if b"claims" in body else b'<script type="application/ld+json">' + body + b"</script>"
    found = list(reviews(page))
    assert found
    assert all(one.claim and one.rating and one.by for one in found)


def test_headers_of_the_samples_say_their_rates() -> None:
    for name, read in (("mastodon_http_headers.json", iso_rate), ("reddit_http_headers.json", seconds_rate)):
        rate = read(CIMultiDict(document(name)), SEEN)
        assert rate is not None
        assert rate.remaining in {287, 586}
        assert rate.resets_at is not None
