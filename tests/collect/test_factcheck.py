"""Fact checks are evidence and no posts; a rating is handed on letter by letter."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web

from monitor.collect.claim_review import reviews
from monitor.collect.factcheck import FactcheckCollector, FactcheckSource
from monitor.collect.news import News, framed
from monitor.collect.supervise import SourceState
from monitor.marks import FactCheck
from monitor.watched import Event
from tests.fakes.answers import claim_review
from tests.fakes.clock import START, ManualClock
from tests.fakes.polled import Platform, Reading, metrics, platform, reading
from tests.fakes.searches import KEY, FakeFactChecks

HALF = timedelta(minutes=30)
BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge", "old harbour"))
PAGE = '<html><script type="application/ld+json">{}</script><body>Bridge</body></html>'


@pytest.fixture
def checks() -> FakeFactChecks:
    return FakeFactChecks()


@pytest.fixture
async def server(checks: FakeFactChecks) -> AsyncIterator[Platform]:
    async with platform(checks.answers) as server:
        yield server


def collector(server: Platform, clock: ManualClock, *, key: str | None = KEY, **more: object) -> FactcheckCollector:
    settings = msgspec.convert(
        {"kind": "factcheck", "name": "checks", "api": server.url, "private": True, **more}, FactcheckSource
    )
    return FactcheckCollector(settings, key, clock, metrics(), lambda: [BRIDGE])


def found(source: Reading) -> list[FactCheck]:
    return list(source.collector.parse([one.body for one in source.payloads], START).reviews)


def test_a_resume_point_that_moves_alone_brings_no_review_and_no_complaint(server: Platform) -> None:
    found = collector(server, ManualClock()).parse([framed(News(), b"")], START)
    assert (found.reviews, [*found.rejected]) == ((), [{}])


async def test_a_review_comes_once_and_again_when_its_rating_changes(checks: FakeFactChecks, server: Platform) -> None:
    clock = ManualClock()
    checks.add(12, "Pas tout à fait exact")
    async with reading(collector(server, clock), clock) as source:
        await source.passes(2 * HALF)
        assert len(found(source)) == 12
        checks.claims[3]["claimReview"][0]["textualRating"] = "Inexact"
        await source.passes(2 * HALF)
        last = found(source)[-1]
        assert source.posts().is_empty()
    assert last == FactCheck(
        at=START,
        event="",
        claim="The bridge came down, version 3",
        by="Harbour Checks",
        rating="Inexact",
        url="https://checks.example/3",
        title="No, the bridge stands",
        claimant="people on the quay",
        language="en",
        reviewed_at=datetime(2021, 9, 3, 10, tzinfo=UTC),
    )
    assert [query["query"] for query in checks.queries if "pageToken" not in query] == [
        "bridge",
        "old harbour",
        "bridge",
        "old harbour",
        "bridge",
    ]


async def test_pages_of_fact_checkers_are_read_without_a_key(checks: FakeFactChecks, server: Platform) -> None:
    clock = ManualClock()
    checks.page = PAGE.format(json.dumps({"@graph": [{"@type": "WebPage"}, claim_review(rating="Falsch")]}))
    async with reading(collector(server, clock, key=None, pages=[f"{server.url}/page"]), clock) as source:
        (review,) = found(source)
    assert (review.by, review.rating, review.claimant) == ("Harbour Checks", "Falsch", "people on the quay")
    assert checks.queries == []


async def test_a_wrong_key_refuses_the_source(server: Platform, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    async with reading(collector(server, clock, key="hunter2-key"), clock) as source:
        await source.until(lambda: source.state is SourceState.REFUSED)
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("rating", "said"),
    [
        ({"alternateName": "Half true"}, "Half true"),
        ({"ratingValue": "2", "worstRating": "1", "bestRating": "5"}, "2 (worst 1, best 5)"),
        ({"ratingValue": 1}, "1 (worst ?, best ?)"),
    ],
)
def test_a_rating_is_the_fact_checkers_own(rating: dict[str, object], said: str) -> None:
    body = json.dumps([claim_review() | {"reviewRating": rating}]).encode()
    assert [one.rating for one in reviews(body)] == [said]


@pytest.mark.parametrize(
    "page",
    [
        PAGE.format(json.dumps([[claim_review()]])),
        PAGE.format(json.dumps({"@type": "Article", "review": claim_review() | {"@type": ["ClaimReview", "Review"]}})),
        PAGE.format("{ broken") + PAGE.format(json.dumps(claim_review() | {"@type": "https://schema.org/ClaimReview"})),
    ],
)
def test_a_review_is_found_wherever_a_page_has_it(page: str) -> None:
    assert [one.by for one in reviews(page.encode())] == ["Harbour Checks"]


def test_a_review_without_rating_or_publisher_is_none() -> None:
    whole = claim_review()
    for name in ("reviewRating", "author", "claimReviewed"):
        assert list(reviews(json.dumps({**whole, name: None}).encode())) == []


async def test_a_page_that_asks_for_an_hour_does_not_hold_up_the_search(checks: FakeFactChecks) -> None:
    async def answers(request: web.Request) -> web.StreamResponse:
        busy = web.Response(status=429, headers={"Retry-After": "3600"})
        return busy if request.path == "/page" else await checks.answers(request)

    clock = ManualClock()
    checks.add(1)
    async with platform(answers) as server:
        page = f"{server.url.replace('127.0.0.1', 'localhost')}/page"
        async with reading(collector(server, clock, pages=[page]), clock) as source:
            checks.add(1)
            await source.passes(HALF)
            assert len(found(source)) == 2
