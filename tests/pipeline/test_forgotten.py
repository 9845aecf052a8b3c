"""An event that takes every post for months: what is kept of its narratives does not grow with how many there were."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.app.walk import Walk
from monitor.cluster.similar import MOST
from monitor.frames import Batch
from monitor.watched import Event, Rules
from tests.fakes.stream import posts
from tests.fakes.tagger import WordTagger

ALL = Event(name="all", proposition="Bazarak has fallen", any=("*",), rules=Rules(alert_on=("race", "spike")))
REMEMBERS = 100
KINDS = ("alert/evidence/", "cluster/narrative/", "cluster/similar/")


def stream(seed: int, size: int) -> pl.DataFrame:
    """Claims of which hardly one repeats another, every tenth one answered by a claim, sooner or later."""
    chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(size):
        words = " ".join("".join(chance.choices("bcdfghklmnprstvz", k=6)) for _ in range(9))
        rows.append({"at": number * 20.0, "text": f"{words} has fallen", "id": f"n{number}"})
        if number % 10 == 0:
            answered = f"n{max(0, number - chance.randrange(1, 300))}"
            text = f"{words} so it has fallen"
            rows.append({"at": number * 20.0 + 5, "text": text, "reply_to": answered, "id": f"r{number}"})
    return posts(*rows)


def walk(feed: pl.DataFrame, cuts: Sequence[int]) -> tuple[bytes, pl.DataFrame, dict[str, bytes]]:
    """Alerts, mentions and the state's rows that are left."""
    stage = Walk([ALL], WordTagger(), remembers=REMEMBERS)  # type: ignore[arg-type]
    alerts, mentions = b"", []
    state: dict[str, bytes] = {}
    for begin, end in itertools.pairwise([0, *cuts, feed.height]):
        walked = stage(Batch(feed[begin:end], upto=feed["seen_at"][end - 1]))
        alerts += b"\n".join(msgspec.json.encode(alert) for alert in walked.alerts)
        mentions.append(walked.mentions)
        state.update(walked.state)
    return alerts, pl.concat(mentions), {key: row for key, row in state.items() if row and key.startswith(KINDS)}


def test_what_is_kept_of_narratives_does_not_grow_with_how_many_there_were() -> None:
    kept = {}
    for size in (650, 1_300):
        _, mentions, state = walk(stream(1, size), range(100, size, 100))
        assert mentions["narrative"].n_unique() > size * 0.9
        kept[size] = [sum(key.startswith(kind) for key in state) for kind in KINDS]
    assert kept[1_300][0] <= MOST + REMEMBERS
    assert kept[1_300][1:] == kept[650][1:]


@settings(max_examples=2, deadline=None)
@given(st.integers(0, 5), st.lists(st.integers(1, 680), min_size=1, max_size=8, unique=True))
def test_any_cut_forgets_the_same(seed: int, cuts: list[int]) -> None:
    feed = stream(seed, 680)
    alerts, mentions, state = walk(feed, sorted(cuts))
    whole = walk(feed, ())
    assert alerts.replace(b"\n", b"") == whole[0].replace(b"\n", b"")
    assert mentions.equals(whole[1])
    assert state == whole[2]
