"""A new source by docs/adding-a-source.md: one file of at most ninety lines, one union member, one match arm."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from aiohttp import web

from monitor.app.platforms import polled
from monitor.clock import Clock
from monitor.collect.collector import Collector
from monitor.settings import Polled, Source
from tests.collect import board_source
from tests.collect.board_source import BoardCollector, BoardSource
from tests.contract import polled as contract_of
from tests.contract import test_collectors as contract
from tests.fakes.clock import ManualClock
from tests.fakes.polled import metrics, platform, reading

ROOT = Path(__file__).parents[2]
LINES = 90
Longer = Polled | BoardSource
"""The union with the one member more."""


def made(source: Longer, clock: Clock) -> Collector:
    """The match with the one arm more."""
    match source:
        case BoardSource():
            return BoardCollector(source, clock, metrics(), lambda: contract_of.EVENTS)
        case _:
            return polled(source, None, clock, metrics(), lambda: contract_of.EVENTS)


def board(url: str, clock: Clock) -> Collector:
    written = {"kind": "board", "name": "posts", "api": url}
    return made(msgspec.convert(written, Longer), clock)


def notices(begin: int, end: int) -> list[dict[str, str]]:
    return [{"key": str(one), "said": "The bridge", "at": "2021-09-03T11:50:00Z"} for one in range(begin, end)]


async def thirty(request: web.Request) -> web.StreamResponse:
    assert request.query["any"] == "bridge"
    return web.json_response(notices(0, 30))


def test_it_is_one_file_of_ninety_lines() -> None:
    lines = Path(board_source.__file__).read_text("utf-8").splitlines()
    print(f"a new source by the guide: {len(lines)} lines, one union member, one match arm")  # noqa: T201
    assert len(lines) <= LINES


@pytest.mark.parametrize("kind", get_args(Polled))
def test_every_polled_source_stands_once_in_the_union_and_in_one_arm(kind: type) -> None:
    union = re.search(r"^Polled = (.*)$", (ROOT / "monitor/settings/monitor.py").read_text("utf-8"), re.MULTILINE)
    assert union is not None
    assert union[1].split(" | ").count(kind.__name__) == 1
    arms = (ROOT / "monitor/app/platforms.py").read_text("utf-8")
    assert arms.count(f"case {kind.__name__}():") == 1
    assert kind in get_args(Source)


async def test_it_keeps_what_every_collector_promises(tmp_path: Path) -> None:
    build = contract_of.built(board, thirty)
    await contract.test_payloads_parse_into_posts_of_the_declared_schema(build, tmp_path)
    await contract.test_nothing_comes_twice_behind_a_resume_point(build, tmp_path)


def test_it_survives_any_bytes() -> None:
    contract.test_parse_survives_any_bytes_and_blames_no_other_payload(
        collector=board("http://localhost", ManualClock())
    )


async def test_what_it_brings_is_new_changed_or_lost() -> None:
    said = notices(0, 3)

    async def answers(request: web.Request) -> web.StreamResponse:  # noqa: ARG001 -- an Answers
        return web.json_response(said)

    clock = ManualClock()
    async with platform(answers) as server, reading(board(server.url, clock), clock) as source:
        said[1]["said"] = "The bridge stands"
        await source.passes(board_source.BoardSource(name="b", api=server.url).every)
        assert source.posts("update")["text"].to_list() == ["The bridge stands"]
        assert source.gaps == []
        said[:] = notices(60, 62)
        await source.passes(board_source.BoardSource(name="b", api=server.url).every)
        assert [gap.why for gap in source.gaps] == ["bridge: no notice of before is there any more"]
        assert source.ids().total() == 5
