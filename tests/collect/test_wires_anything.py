"""Whatever platforms send, each wire's parse answers posts or counted reasons, and blames no other payload."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.collect.bluesky import BlueskyCollector
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.collector import Collector
from monitor.collect.mastodon import MastodonCollector
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.parsed import Parsed
from monitor.frames import POSTS
from monitor.records import REJECTIONS
from tests.fakes.clock import ManualClock
from tests.fakes.platform import metrics

RECORDINGS = Path(__file__).parents[1] / "recordings"
SEEN = datetime(2026, 11, 23, 13, tzinfo=UTC)
SKY = BlueskyCollector(BlueskySource(name="sky"), ManualClock(), metrics())
FAR = MastodonCollector(MastodonSource(name="far", instance="https://near.example"), "", ManualClock(), metrics())
WIRES: dict[str, Collector] = {"bluesky-v1": SKY, "bluesky-v2": SKY, "bluesky-search": SKY, "mastodon": FAR}
wires = pytest.mark.parametrize("wire", WIRES)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**63) - 1, 10**30, 1795435748254664])
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["\0", "\u202e", "a" * 300, "t" * 30_000, "<" * 50, "at://", "0000-00-00T00:00:00Z", "9" * 400])
)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))


def lines_of(wire: str) -> list[bytes]:
    return (RECORDINGS / f"{wire}.ndjson").read_bytes().splitlines()


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401
    """Every place in a JSON document."""
    found = [path]
    if isinstance(document, dict | list):
        items = document.items() if isinstance(document, dict) else enumerate(document)
        found += [place for key, inner in items for place in places(inner, (*path, key))]
    return found


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401
    if not path:
        return value
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[path[0]] = put(changed[path[0]], path[1:], value)
    return changed


@st.composite
def mutated(draw: st.DrawFn, wire: str) -> bytes:
    """A line of the recording with some of its places changed; inside the inner JSON of an event too."""
    document = json.loads(draw(st.sampled_from(lines_of(wire))))
    inner = isinstance(document, dict) and isinstance(document.get("payload"), str) and draw(st.booleans())
    target = json.loads(document["payload"]) if inner else document
    for _ in range(draw(st.integers(1, 3))):
        target = put(target, draw(st.sampled_from(places(target))), draw(values))
    if inner:
        return json.dumps(document | {"payload": json.dumps(target)}).encode()
    return json.dumps(target).encode()


def usable(parsed: Parsed) -> bool:
    """Whether an answer is one: posts of the schema, reasons of the closed set."""
    return parsed.posts.schema == POSTS and all(set(reasons) <= set(REJECTIONS) for reasons in parsed.rejected)


anything = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)


@wires
def test_the_recording_is_read_whole(wire: str) -> None:
    parsed = WIRES[wire].parse(lines_of(wire), SEEN)
    assert not any(parsed.rejected)
    assert parsed.posts.height >= 4
    assert parsed.posts.schema == POSTS


@wires
def test_a_line_cut_anywhere_is_a_reason_and_no_crash(wire: str) -> None:
    for line in lines_of(wire):
        cuts = [line[:end] for end in range(1, len(line), 7)]
        parsed = WIRES[wire].parse(cuts, SEEN)
        assert usable(parsed)
        assert all(sum(reasons.values()) == 1 for reasons in parsed.rejected)


@wires
def test_a_changed_document_is_posts_or_reasons_and_blames_no_other(wire: str) -> None:
    @settings(anything, max_examples=8)
    @given(bodies=st.lists(mutated(wire), min_size=2, max_size=3))
    def check(bodies: list[bytes]) -> None:
        together = WIRES[wire].parse(bodies, SEEN)
        assert usable(together)
        for number, body in enumerate(bodies):
            alone = WIRES[wire].parse([body], SEEN)
            assert together.rejected[number] == alone.rejected[0]
            assert together.posts.filter(together.payload == number).equals(alone.posts)

    check()


@pytest.mark.prove
@wires
def test_five_thousand_changed_documents_and_every_cut(wire: str) -> None:
    @settings(anything, max_examples=250)
    @given(bodies=st.lists(mutated(wire), min_size=20, max_size=20))
    def check(bodies: list[bytes]) -> None:
        assert usable(WIRES[wire].parse(bodies, SEEN))

    check()
    cuts = [line[:end] for line in lines_of(wire) for end in range(1, len(line))]
    for begin in range(0, len(cuts), 2_000):
        assert usable(WIRES[wire].parse(cuts[begin : begin + 2_000], SEEN))
    print(f"{wire}: 5,000 changed documents and {len(cuts):,} cuts: posts or counted reasons, no crash")  # noqa: T201
