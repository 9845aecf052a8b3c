"""Parts of a source that is polled: each at its own pace, none held up by another, none kept that is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from monitor.arrivals import Contact, Payload
from monitor.collect.polling import Arrival, Part, Place, Polling, Read, places
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from tests.fakes.clock import ManualClock, settle
from tests.fakes.platform import metrics, shown

MINUTE = timedelta(minutes=1)
AWAY = SourceUnavailableError("away")
REFUSED = SourceRefusedError("no")


class Asked:
    """Answers one new post at every turn, or fails as it is told."""

    def __init__(self, clock: ManualClock, *parts: str, apart: bool = True) -> None:
        self.clock = clock
        self.parts = list(parts)
        self.fails: dict[str, Exception] = {}
        self.quiet: set[str] = set()
        """They answer, and have nothing new."""
        self.turns: list[str] = []
        self.metrics = metrics()
        self.polling = Polling("source", clock, MINUTE, self.metrics, apart=apart)

    async def ask(self, part: Part) -> AsyncIterator[Read]:
        self.turns.append(part.name)
        if part.name in self.fails:
            raise self.fails[part.name]
        post = {"id": f"{part.name}-{len(self.turns)}", "platform": "x", "text": "a"}
        yield Read(b"[]", () if part.name in self.quiet else [post], mark=str(len(self.turns)))

    async def arrivals(
        self, most: int, since: str | None = None, *, found: list[Arrival] | None = None
    ) -> list[Arrival]:
        found = [] if found is None else found
        async with aclosing(self.polling.arrivals(since, lambda: self.parts, self.ask)) as arrivals:  # type: ignore[type-var]
            async for arrival in arrivals:
                if self.parts and isinstance(arrival, Contact) and arrival.rests:
                    continue
                found.append(arrival)
                if len(found) == most:
                    break
        return found


async def test_every_part_has_its_turn_and_the_resume_point_knows_them_all() -> None:
    asked = Asked(ManualClock(), "a", "b")
    found = await asked.arrivals(2)
    assert asked.turns == ["a", "b"]
    last = found[-1]
    assert isinstance(last, Payload)
    assert {name: place.mark for name, place in places(last.resume).items()} == {"a": "1", "b": "2"}


async def test_nothing_is_kept_of_parts_that_are_gone() -> None:
    since = msgspec.json.encode({"gone": Place(mark="7"), "a": Place(mark="8")}).decode()
    asked = Asked(ManualClock(), "a")
    (payload,) = await asked.arrivals(1, since)
    assert isinstance(payload, Payload)
    assert set(places(payload.resume)) == {"a"}


@pytest.mark.parametrize("since", ["", "[]", "{", '{"a": 1}', None])
def test_a_resume_point_that_is_not_understood_is_none(since: str | None) -> None:
    assert places(since) == {}


async def test_a_part_that_fails_waits_ever_longer_and_the_others_go_on() -> None:
    clock = ManualClock()
    asked = Asked(clock, "a", "b")
    asked.fails["a"] = AWAY
    async with running(asked):
        for _ in range(240):
            await clock.advance(MINUTE)
    times = [turn for turn in asked.turns if turn == "a"]
    assert len(asked.turns) - len(times) >= 200
    assert 8 <= len(times) <= 11  # after 1, 2, 4, … 60, 60 minutes
    assert shown(asked.metrics, "monitor_source_failing", source="source") == 1


def gaps(found: list[Arrival]) -> list[GapMark]:
    return [one for one in found if isinstance(one, GapMark)]


def resumed(found: list[Arrival]) -> str | None:
    return [one.resume for one in found if isinstance(one, Payload)][-1]


async def for_minutes(clock: ManualClock, minutes: int) -> None:
    for _ in range(minutes):
        await clock.advance(MINUTE)


@asynccontextmanager
async def running(asked: Asked, *, since: str | None = None, found: list[Arrival] | None = None) -> AsyncIterator[None]:
    """Reads until it is left."""
    task = asyncio.ensure_future(asked.arrivals(1_000, since, found=found))
    await settle()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_when_no_part_can_be_read_the_source_is_unavailable() -> None:
    asked = Asked(ManualClock(), "a", "b")
    asked.fails = {"a": AWAY, "b": REFUSED}
    with pytest.raises(SourceUnavailableError):
        await asked.arrivals(1)
    asked = Asked(ManualClock(), "a", "b")
    asked.fails = {"a": REFUSED, "b": REFUSED}
    with pytest.raises(SourceRefusedError):
        await asked.arrivals(1)


async def test_a_refusal_of_one_platform_is_one_of_the_source() -> None:
    asked = Asked(ManualClock(), "a", "b", apart=False)
    asked.fails["a"] = REFUSED
    with pytest.raises(SourceRefusedError):
        await asked.arrivals(1)


async def test_a_question_that_is_refused_is_no_reason_to_stop_the_others() -> None:
    asked = Asked(ManualClock(), "a", "b", apart=False)
    asked.fails["a"] = SourceRefusedError("no such thing", question=True)
    assert len(await asked.arrivals(1)) == 1
    assert asked.turns == ["a", "b"]


async def test_a_source_without_parts_waits_for_some() -> None:
    clock, parts = ManualClock(), list[str]()
    asked = Asked(clock)
    asked.parts = parts
    async with running(asked):
        await clock.advance(timedelta(minutes=5))
        assert asked.turns == []
        parts.append("a")
        await clock.advance(MINUTE)
        assert asked.turns == ["a"]


async def test_a_turn_of_which_a_part_is_still_to_come_counts_as_none_after_a_restart() -> None:
    clock = ManualClock()
    before = clock.now() - 60 * MINUTE

    async def ask(part: Part) -> AsyncIterator[Read]:  # noqa: ARG001 -- an Ask
        yield Read(b"{}", [{"id": "1", "text": "a"}])
        raise AWAY

    polling = Polling("source", clock, MINUTE, metrics())
    since = msgspec.json.encode({"a": Place(read_at=before)}).decode()
    arrivals = polling.arrivals(since, lambda: ["a"], ask)
    payload = await anext(arrivals)
    with pytest.raises(SourceUnavailableError):
        await anext(arrivals)
    assert isinstance(payload, Payload)
    assert places(payload.resume)["a"].read_at == before


async def test_it_says_when_every_part_had_its_turn_and_stops_for_all_where_one_says_so() -> None:
    asked = Asked(ManualClock(), "a", "b")
    found: list[Arrival] = []
    async with aclosing(asked.polling.arrivals(None, lambda: asked.parts, asked.ask)) as arrivals:  # type: ignore[type-var]
        async for arrival in arrivals:
            found.append(arrival)
            if isinstance(arrival, Contact):
                break
    assert [type(one) for one in found] == [Payload, Payload, Contact]
    assert found[-1] == Contact(rests=True)
    asked.fails = {"a": SourceUnavailableError("spent", 600, whole=True)}
    asked.clock = ManualClock()
    asked.polling = Polling("source", asked.clock, MINUTE, asked.metrics)
    with pytest.raises(SourceUnavailableError, match="spent"):
        await asked.arrivals(3)
    assert asked.turns == ["a", "b", "a"]
