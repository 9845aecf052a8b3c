"""What X costs is counted whatever it was read for, and a dry run costs next to nothing."""

from datetime import timedelta

import msgspec
import pytest

from monitor.cli import source as command
from monitor.collect.supervise import SourceState
from monitor.collect.x_spend import Place
from tests.collect.test_x import NOW, collector, streaming
from tests.fakes.clock import ManualClock
from tests.fakes.polled import Platform, listening
from tests.fakes.x_api import FakeX, said


async def test_what_is_paid_for_posts_that_are_read_again_is_known_after_a_restart(x: FakeX, server: Platform) -> None:
    clock, one = ManualClock(), said(NOW, 1)
    settled = collector(server, clock, budget=0.015)
    async with listening(settled, clock) as source:
        await streaming(source, x)
        await x.say(one)
        await source.until(lambda: len(source.payloads) == 1)
        await settled.refresh([one["id"]])
        payload = await settled.refresh([one["id"]])  # nothing has changed, which is paid for too
        assert payload is not None
    place = msgspec.json.decode(payload.resume or "", type=Place)
    assert (place.posts, place.newest) == (3, int(one["id"]))
    assert settled.parse([payload.body], clock.now()).posts.is_empty()
    async with listening(collector(server, clock, budget=0.015), clock, payload.resume) as source:
        await source.until(lambda: source.state is SourceState.REFUSED)


async def test_what_was_spent_before_is_not_forgotten_by_a_read_before_the_stream(x: FakeX, server: Platform) -> None:
    one = said(NOW, 1)
    x.posts = [one]
    payload = await collector(server, ManualClock()).refresh([one["id"]])
    assert payload is not None
    assert payload.resume is None


async def test_a_dry_run_touches_neither_the_rules_nor_the_stream(
    x: FakeX, server: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    x.rules = {"1": {"id": "1", "value": "dam", "tag": "event:dam"}}
    x.page, x.posts = 10, [said(NOW - number, number) for number in range(30)]
    assert await command._test(collector(server, ManualClock()), timedelta(minutes=1)) == 0  # noqa: SLF001
    assert [(one.method, one.path) for one in server.asked] == [("GET", "/2/tweets/search/recent")]
    assert x.searches[0]["max_results"] == "10"
    out = capsys.readouterr().out
    assert out.count("create x ") == 10
    bought = "buys 10 posts at most, each and what comes with it for 0.005 dollars; the budget does not count that"
    assert out.startswith(f"x: {bought}\nx: connecting")
    one = collector(server, ManualClock(), authors=True)
    assert "for 0.005 dollars, each author for 0.01; the budget" in one.sample_costs
    assert await command._test(collector(server, ManualClock(), []), timedelta(minutes=1)) == 1  # noqa: SLF001
