"""What X is searched for because an event was added, when the search fails in the middle."""

from datetime import timedelta

import pytest

from monitor.collect.supervise import SourceState
from monitor.watched import Event
from tests.collect.test_x import BRIDGE, FIRE, NOW, collector, streaming
from tests.fakes.clock import ManualClock
from tests.fakes.polled import Platform, listening
from tests.fakes.x_api import FakeX, said

MILL = Event(name="mill", proposition="The lock has burst", any=("lock",))


async def test_a_look_back_that_fails_midway_goes_on_where_it_was_also_after_a_restart(
    x: FakeX, server: Platform
) -> None:
    clock, events = ManualClock(), [BRIDGE]
    async with listening(collector(server, clock, events), clock) as source:
        await streaming(source, x)
        x.page, x.posts = 1, [said(NOW - 60 + number, number) for number in range(4)]
        events.append(FIRE)
        await x.send(b"")
        await source.until(lambda: len(source.ids()) == 4)
        x.searches.clear()
        events.append(MILL)
        server.faults = [0, 0, 0, 503]  # two requests for the rules, one page
        await x.send(b"")
        await source.until(lambda: not server.faults)
        await clock.advance(timedelta(seconds=61))
        server.faults = [0, 503]
        await x.send(b"")
        await source.until(lambda: not server.faults)
        assert (len(x.searches), x.connects, source.gaps) == (2, 1, [])
        since = source.resume
    async with listening(collector(server, clock, events), clock, since) as source:
        await source.until(lambda: len(x.searches) >= 4)
    past = [search for search in x.searches if "start_time" in search]
    assert [search.get("next_token") for search in past] == [None, "1", "2", "3"]
    assert {search["query"] for search in past} == {'"lock" -is:retweet'}


async def test_a_question_that_x_does_not_take_is_dropped_alone_and_the_stream_goes_on(
    x: FakeX, server: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    clock, events = ManualClock(), [BRIDGE]
    bank = Event(name="bank", proposition="The bank closes", any=("$ANR",))
    x.wrong = "$ANR"
    async with listening(collector(server, clock, events), clock) as source:
        await streaming(source, x)
        await x.say(said(NOW, 1))
        events += [bank, FIRE]
        await x.send(b"")
        await source.until(lambda: len(source.payloads) == 2)
        since = source.resume or ""
        assert {rule["tag"] for rule in x.rules.values()} == {"event:bridge", "event:fire"}
        assert SourceState.REFUSED not in source.states
        assert x.connects == 1
    assert "$ANR" not in since
    said_of_it = [one.getMessage() for one in caplog.records if "$ANR" in one.getMessage()]
    assert len(said_of_it) == 2  # of the rule, and of the look back
    async with listening(collector(server, clock, events), clock, since) as source:
        await source.until(lambda: bool(source.gaps))
        await streaming(source, x)
        assert [gap.why for gap in source.gaps] == ["the search does not take a question of bank"]


async def test_a_token_that_is_refused_in_a_look_back_refuses_the_source(x: FakeX, server: Platform) -> None:
    clock, events = ManualClock(), [BRIDGE]
    async with listening(collector(server, clock, events), clock) as source:
        await streaming(source, x)
        events.append(FIRE)
        server.faults = [0, 0, 401]  # two requests for the rules, then the search
        await x.send(b"")
        await source.until(lambda: source.state is SourceState.REFUSED)
