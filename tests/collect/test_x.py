"""X: rules in step with the events, what the stream missed from the search, and never more than the budget."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web

from monitor.collect.supervise import SourceState
from monitor.collect.terms import asked
from monitor.collect.x import XCollector
from monitor.collect.x_rules import Rule, queries, rules_of, written
from monitor.collect.x_settings import Vocabulary, XSource
from monitor.collect.x_spend import Place, cycle_of, next_cycle
from monitor.metrics import Metrics
from monitor.watched import Duration, Event
from tests.fakes.answers import x_line, x_post, x_user
from tests.fakes.clock import START, ManualClock
from tests.fakes.polled import Platform, Reading, listening, metrics, platform
from tests.fakes.x_api import TOKEN, FakeX, said

NOW = START.timestamp()
BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge", "old harbour"), none=("chess",))
FIRE = Event(name="fire", proposition="The mill burns", any=("#mill",), all=("fire",))


def collector(
    server: Platform,
    clock: ManualClock,
    events: list[Event] | None = None,
    *,
    token: str = TOKEN,
    measured: Metrics | None = None,
    **more: object,
) -> XCollector:
    settings = msgspec.convert({"kind": "x", "name": "x", "budget": 10.0, "api": server.url, **more}, XSource)
    watched = [BRIDGE] if events is None else events
    return XCollector(settings, token, clock, measured or metrics(), lambda: watched)


async def streaming(source: Reading, x: FakeX) -> None:
    await source.until(lambda: bool(x.streams))


async def test_rules_are_kept_in_step_with_the_events_and_those_of_others_are_left_alone(
    x: FakeX, server: Platform
) -> None:
    x.rules = {"1": {"id": "1", "value": "cats"}, "2": {"id": "2", "value": '"dam"', "tag": "event:dam"}}
    clock, events = ManualClock(), [BRIDGE]
    async with listening(collector(server, clock, events), clock) as source:
        await streaming(source, x)
        assert {(rule["value"], rule.get("tag")) for rule in x.rules.values()} == {
            ("cats", None),
            ('("bridge" OR "old harbour") -"chess" -is:retweet', "event:bridge"),
        }
        events[:] = [FIRE]
        await x.send(b"")
        await source.until(lambda: {"event:fire"} == {one["tag"] for one in x.rules.values() if "tag" in one})


async def test_posts_of_the_stream_come_as_they_are_said(x: FakeX, server: Platform) -> None:
    clock = ManualClock()
    async with listening(collector(server, clock), clock) as source:
        await streaming(source, x)
        for number in range(3):
            await x.say(said(NOW, number))
        await source.until(lambda: len(source.payloads) == 3)
        assert source.ids() == {said(NOW, number)["id"]: 1 for number in range(3)}
        assert server.asked[-1].query["tweet.fields"].startswith("author_id,")


async def test_what_was_said_between_two_connections_is_searched_for(x: FakeX, server: Platform) -> None:
    clock = ManualClock()
    async with listening(collector(server, clock), clock) as source:
        await streaming(source, x)
        await x.say(said(NOW, 0))
        await source.until(lambda: len(source.payloads) == 1)
        x.hang_up()
        x.page = 2
        for number in range(1, 6):
            await x.say(said(NOW + number, number))
        await source.resting()
        await clock.advance(timedelta(seconds=5))
        await streaming(source, x)
        await x.say(said(NOW + 9, 9))
        await source.until(lambda: said(NOW + 9, 9)["id"] in source.ids())
        assert set(source.ids()) == {one["id"] for one in x.posts}
        assert [gap.why for gap in source.gaps if "more" in gap.why] == []
    place = msgspec.json.decode(source.resume or "", type=Place)
    assert place.newest == int(said(NOW + 9, 9)["id"])


async def test_more_than_the_pages_that_are_bought_is_a_gap(x: FakeX, server: Platform) -> None:
    clock = ManualClock(START + timedelta(minutes=10))
    x.page = 2
    x.posts = [said(NOW + 60 + number, number) for number in range(9)]
    since = msgspec.json.encode(Place(newest=int(said(NOW, 0)["id"]))).decode()
    async with listening(collector(server, clock, search_pages=2), clock, since) as source:
        await source.until(lambda: bool(source.gaps))
        (gap,) = source.gaps
    assert gap.why == "more posts came than 2 pages hold"
    assert (gap.begins, gap.ends) == (START, START + timedelta(seconds=65))


async def test_an_event_that_is_added_is_searched_for_in_the_past(x: FakeX, server: Platform) -> None:
    clock, events = ManualClock(), [BRIDGE]
    async with listening(collector(server, clock, events), clock) as source:
        await streaming(source, x)
        x.posts = [said(NOW - 60, number) for number in range(3)]
        events.append(FIRE)
        await x.send(b"")
        await source.until(lambda: len(source.ids()) == 3)
    assert [search["query"] for search in x.searches] == ['#mill "fire" -is:retweet']
    assert x.searches[0]["start_time"] == "2021-09-03T11:00:00Z"


async def test_posts_of_which_none_is_there_any_more_are_gone(server: Platform) -> None:
    source = collector(server, ManualClock())
    payload = await source.refresh(["17", "18"])
    assert payload is not None
    told = source.parse([payload.body], START).posts
    assert set(told.select("id", "op").rows()) == {("17", "delete"), ("18", "delete")}


async def test_posts_that_are_read_again_are_paid_for(x: FakeX, server: Platform) -> None:
    one, measured = said(NOW, 1), metrics()
    x.posts = [one]
    source = collector(server, ManualClock(), measured=measured)
    payload = await source.refresh([one["id"], "17"])
    assert payload is not None
    told = source.parse([payload.body], START).posts
    assert set(told.select("id", "op").rows()) == {(one["id"], "update"), ("17", "delete")}
    assert measured.source_spent.labels("x")._value.get() == 0.005  # noqa: SLF001 -- shown no other way


async def test_what_is_older_than_the_search_looks_back_is_a_gap(x: FakeX, server: Platform) -> None:
    clock = ManualClock(START + timedelta(days=9))
    since = msgspec.json.encode(Place(newest=int(said(NOW, 0)["id"]))).decode()
    async with listening(collector(server, clock), clock, since) as source:
        await source.until(lambda: bool(x.searches))
        (gap,) = source.gaps
        assert "since_id" not in x.searches[0]
        assert x.searches[0]["start_time"] == "2021-09-05T12:01:00Z"
    assert gap.ends == START + timedelta(days=2, minutes=1)


async def test_the_source_stops_when_its_budget_is_spent_and_stays_stopped(x: FakeX, server: Platform) -> None:
    clock, measured = ManualClock(), metrics()
    settled = collector(server, clock, measured=measured, budget=0.015)
    async with listening(settled, clock) as source:
        await streaming(source, x)
        for number in range(4):
            await x.say(said(NOW, number))
        await source.until(lambda: source.state is SourceState.REFUSED)
        assert len(source.payloads) == 3
        await source.until(lambda: bool(source.gaps))
        assert source.gaps[0].why == "the budget of 0.015 dollars is spent until 2021-10-01 (UTC), by 3 posts"
        since = source.resume
    assert measured.source_spent.labels("x")._value.get() == 0.015  # noqa: SLF001 -- shown no other way
    async with listening(collector(server, clock, budget=0.015), clock, since) as source:
        await source.until(lambda: source.state is SourceState.REFUSED)
        assert x.connects == 1
    october = ManualClock(datetime(2021, 10, 1, tzinfo=UTC))
    async with listening(collector(server, october, budget=0.015), october, since) as source:
        await source.until(lambda: x.connects == 2)
        assert SourceState.REFUSED not in source.states


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"title": "UsageCapExceeded", "type": "https://api.x.com/2/problems/usage-capped"}, SourceState.REFUSED),
        ({"title": "Too Many Requests", "type": "https://api.x.com/2/problems/rate-limit"}, SourceState.UNAVAILABLE),
    ],
)
async def test_a_spent_quota_is_told_from_a_rate_limit(body: dict[str, str], state: SourceState) -> None:
    async def answers(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=429)

    clock = ManualClock()
    async with platform(answers) as server, listening(collector(server, clock), clock) as source:
        await source.until(lambda: source.state is state)


async def test_what_x_complains_of_within_the_stream_ends_it(x: FakeX, server: Platform) -> None:
    clock = ManualClock()
    async with listening(collector(server, clock), clock) as source:
        await streaming(source, x)
        await x.send(
            b'{"errors":[{"title":"operational-disconnect","type":"https://x.com/problems/operational-disconnect"}]}'
        )
        await source.until(lambda: source.state is SourceState.UNAVAILABLE)
        await streaming(source, x)
        await x.send(b'{"errors":[{"title":"UsageCapExceeded","type":"https://x.com/problems/usage-capped"}]}')


async def test_a_wrong_token_refuses_the_source_and_is_never_shown(
    server: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    async with listening(collector(server, clock, token="hunter2-token"), clock) as source:
        await source.until(lambda: source.state is SourceState.REFUSED)
    assert "hunter2" not in caplog.text


def test_both_vocabularies_say_the_same() -> None:
    source = XCollector(XSource(name="x", budget=1.0), TOKEN, ManualClock(), metrics(), list)
    references = [{"type": "replied_to", "id": "5"}, {"type": "quoted", "id": "6"}]
    old = x_post("7", conversation_id="4", referenced_tweets=references, note_tweet={"text": "the whole text"})
    new = x_post("7", conversation_id="4", referenced_posts=references, note_post={"text": "the whole text"}, old=False)
    one, two = (source.parse([x_line(post, x_user())], START).posts for post in (old, new))
    assert one.equals(two)
    (post,) = one.to_dicts()
    assert (post["reply_to"], post["quote_of"], post["root"], post["reposts"]) == ("5", "6", "4", 4)
    assert (post["text"], post["author"], post["author_followers"]) == ("the whole text", "901", 77)


def test_a_repost_is_one_and_an_edit_keeps_the_post_that_it_was() -> None:
    source = XCollector(XSource(name="x", budget=1.0), TOKEN, ManualClock(), metrics(), list)
    repost = x_post("8", "RT @quay: The bridge has come down", referenced_tweets=[{"type": "retweeted", "id": "7"}])
    edit = x_post("9", "It stands", edit_history_tweet_ids=["7", "9"])
    told = source.parse([x_line(repost), x_line(edit)], START).posts
    assert told.select("id", "op", "text", "repost_of").rows() == [
        ("8", "create", "The bridge has come down", "7"),
        ("7", "create", "It stands", None),
        ("7", "update", "It stands", None),
    ]


def test_terms_become_rules_that_fit() -> None:
    assert rules_of([FIRE]) == [Rule('#mill "fire"', "event:fire")]
    many = Event(name="many", proposition="Many terms", any=tuple(f"term number {number}" for number in range(200)))
    rules = rules_of([many], "-is:retweet")
    assert all(len(rule.value) <= 1024 for rule in rules)
    assert sum(rule.value.count("term number") for rule in rules) == 200
    assert all(len(query) <= 512 for query in queries(many, 512))
    everything = Event(name="all", proposition="All posts", any=("*",))
    assert rules_of([everything]) == []
    sly = Event(name="sly", proposition="Quotes", any=('a" OR "b',))
    wanted = asked(sly)
    assert wanted is not None
    assert written(wanted) == '"a OR b"'


def test_x_is_asked_in_the_words_that_are_set() -> None:
    new = XSource(name="x", budget=1.0, vocabulary=Vocabulary.POST, authors=True, silence=Duration(seconds=30))
    asked_for = dict(new.fields())
    assert "note_post" in asked_for["post.fields"]
    assert asked_for["expansions"] == "edit_history_post_ids,referenced_posts,author_id"
    assert "expansions" not in dict(XSource(name="x", budget=1.0).fields())


@pytest.mark.parametrize(
    ("now", "began", "ends"),
    [
        ("2021-09-03", "2021-08-15", "2021-09-15"),
        ("2021-01-14", "2020-12-15", "2021-01-15"),
        ("2021-12-15", "2021-12-15", "2022-01-15"),
    ],
)
def test_a_cycle_begins_on_its_day(now: str, began: str, ends: str) -> None:
    found = cycle_of(datetime.fromisoformat(now).replace(tzinfo=UTC), 15)
    assert f"{found:%Y-%m-%d}" == began
    assert f"{next_cycle(found):%Y-%m-%d}" == ends
