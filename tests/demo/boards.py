"""Boards of the demo as they stand after steps made by hand."""

from datetime import timedelta

import polars as pl

from monitor.app import Walked
from monitor.demo.board import Board, Step
from monitor.frames import LATE, POSTS, TAGS, TICKS, Counted
from monitor.judge.judge import EventReading, Judged
from monitor.judge.readings import RaceReading
from monitor.judge.spike import Reading
from monitor.records import Alert
from tests.fakes.mentions import START, clustered


def a_step(text: str = "it has fallen", alerts: tuple[Alert, ...] = (), *, hours: int = 1) -> Step:
    """Ten posts of each tag in an hour, forty claims against three denials of a narrative labelled `text`."""
    rows = [
        {"id": f"{tag}-{n}", "tag": tag.value, "platform": "telegram", "narrative": "n1", "text": text}
        for n in range(10)
        for tag in TAGS
    ]
    mentions = clustered(*rows)
    upto = START + timedelta(hours=hours)
    zeros = {name: 0 for name, dtype in TICKS.items() if dtype == pl.Int64}
    tick = zeros | {"tick": upto, "event": "fall", "narrative": "n1", "claims": 40, "denials": 3}
    counted = Counted(pl.DataFrame([tick], schema=TICKS), pl.DataFrame(schema=LATE))
    reading = EventReading("fall", upto, Reading(120, 12.0, 30.0, warm=True, spiking=True))
    walked = Walked(
        posts=mentions.height,
        mentions=mentions,
        counted=counted,
        judged=Judged([], (reading,)),
        alerts=list(alerts),
        state={},
        upto=upto,
        duplicates=0,
        took={},
    )
    race = RaceReading("n1", 40, 3, 5.5, 6.25, 0.5, 0.97, holds=False)
    return Step(mentions.select(POSTS.keys()), walked, [race], {"n1": text})


def a_board(*steps: Step) -> Board:
    board = Board("The valley has fallen", START, START + timedelta(hours=96))
    for step in steps:
        board.add(step)
    return board
