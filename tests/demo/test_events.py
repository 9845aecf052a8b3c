from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from monitor.demo.scenario import NAMES, generate
from monitor.demo.story import load
from monitor.frames import POSTS
from monitor.match.matcher import Matcher
from monitor.watched import Duration, Event

EVENTS = Path(__file__).parents[2] / "config" / "demo" / "events"


def decoded(name: str) -> Event:
    def hook(kind: type, value: Any) -> Any:  # noqa: ANN401 - as msgspec calls it
        if kind is Duration:
            return Duration.parse(value)
        raise NotImplementedError(kind)

    return msgspec.toml.decode((EVENTS / f"{name}.toml").read_bytes(), type=Event, dec_hook=hook)


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_has_an_event_file_named_for_it(name: str) -> None:
    assert decoded(load(name).event).name == load(name).event


@pytest.mark.parametrize("name", NAMES)
def test_the_event_finds_nearly_all_originals_about_it_and_nothing_else(name: str) -> None:
    posts = generate(name, 4, 6000).with_columns(pl.col("op").cast(POSTS["op"]))
    hits = Matcher([decoded(load(name).event)]).find(posts)
    found = posts.with_row_index("row").filter(pl.col("row").is_in(hits["row"].implode()))
    told = pl.col("truth_kind").is_in(["original", "reword", "copy"])
    about = posts.filter(told, "truth_mention").height
    assert found.filter(told, "truth_mention").height > 0.95 * about
    assert found.filter(~pl.col("truth_mention")).is_empty()
