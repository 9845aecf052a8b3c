"""A tiny script, and a play of it at full speed through the real walk, store, outbox, receiver and chat."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import polars as pl

from monitor.app import Walk
from monitor.clock import Clock, SystemClock
from monitor.demo.board import Board
from monitor.demo.play import Outcome, Play, Script
from tests.fakes.stream import BEGIN, EVENT, story
from tests.fakes.tagger import WordTagger

ENDS = BEGIN + timedelta(hours=14)


def a_script(seed: int = 1, **sizes: int) -> Script:
    posts = story(seed, **sizes)
    said = pl.col("text")
    truth = posts.filter(pl.col("op") == "create").select(
        "platform",
        "id",
        "seen_at",
        pl.when(said.str.contains("fallen"))
        .then(pl.lit("claim"))
        .when(said.str.contains("lie"))
        .then(pl.lit("denial"))
        .otherwise(pl.lit("other"))
        .alias("truth_tag"),
        pl.lit("fall").alias("truth_story"),
        pl.lit(value=True).alias("truth_mention"),
    )
    return Script(EVENT, posts, truth, BEGIN, ENDS)


def a_walk() -> Walk:
    return Walk([EVENT], cast("Any", WordTagger()))


def a_play(script: Script | None = None, *, speed: float | None = None, clock: Clock | None = None) -> Play:
    return Play(script or a_script(), a_walk(), speed=speed, clock=clock or SystemClock())


async def played(
    archive: Path,
    play: Play | None = None,
    watch: Callable[[Board], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> Outcome:
    return await (play or a_play()).run(archive, watch, stop or asyncio.Event())
