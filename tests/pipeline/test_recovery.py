"""A daemon that is killed after any commit and started again goes on as if nothing had happened."""

import itertools
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from monitor.app.walk import REMEMBERED, Walk
from monitor.cluster.narratives import narrative_id
from monitor.frames import MENTIONS, ORDER, Batch
from monitor.marks import Correction, GapMark, Mark, MergeMark, Silence, SplitMark, Status, StatusMark
from monitor.store.store import Commit, Store
from tests.fakes.stream import BANK, BEGIN, EVENT, feed
from tests.fakes.tagger import WordTagger

EVENTS = (EVENT, BANK)


class Ran(NamedTuple):
    """What a run leaves."""

    alerts: list[str]
    archive: list[tuple[Any, ...]]
    state: dict[str, bytes]


def new_walk(remembers: int = REMEMBERED) -> Walk:
    return Walk(EVENTS, WordTagger(), remembers=remembers)  # type: ignore[arg-type]


def mark_times(seed: int) -> list[tuple[float, Mark]]:
    """Seconds after BEGIN at which a mark comes, and the mark."""

    def at(seconds: float) -> Any:  # noqa: ANN401
        return BEGIN + timedelta(seconds=seconds)

    start = 4 * 3600.0
    mention = pl.DataFrame([{"event": "fall", "text": "it has fallen", "op": "create"}])
    row = mention.select(
        (pl.col(n) if n in mention.columns else pl.lit(None)).cast(t).alias(n) for n, t in MENTIONS.items()
    )
    reads = new_walk().reads(row)[0]
    marks: list[tuple[float, Mark]] = [
        (3_000, GapMark(source="s", begins=at(2_000), ends=at(2_900), why="down")),
        *[
            (ends, GapMark(source="t", begins=at(begins), ends=at(ends), why="down"))
            for begins, ends in itertools.pairwise(start + second for second in (100, 200, 400, 900))
        ],
        *[
            (
                start + made,
                Silence(
                    id="q",
                    owner="o",
                    comment="c",
                    begins_at=at(start),
                    expires_at=at(start + ends),
                    at=at(start + made),
                ),
            )
            for made, ends in ((300, 5_000), (600, 9_000), (1_000, 1_000))
        ],
        (
            start + 700,
            Correction(at=at(start + 700), event="fall", platform="x", id="p", tag="denial", by="e", reads=reads),
        ),
    ]
    narrative = next(iter(feed_narratives(seed)), "")
    marks += rulings(start)
    marks.append(
        (
            start + 1_300,
            StatusMark(at=at(start + 1_300), event="fall", narrative=narrative, status=Status.DENIED, by="d"),
        )
    )
    return marks


def rulings(start: float) -> list[tuple[float, Mark]]:
    """What an editor says of narratives, with the second after BEGIN at which it comes."""

    def at(seconds: float) -> Any:  # noqa: ANN401
        return BEGIN + timedelta(seconds=seconds)

    killed, main = narrative_id("fall", "number:17"), narrative_id("fall", "")
    told: dict[str, Any] = {"event": "fall", "by": "d"}
    return [
        (start + 500, MergeMark(at=at(start + 500), narrative=killed, into=main, **told)),
        (start + 900, SplitMark(at=at(start + 900), narrative=main, platform="x", id="m10", says=(5, 6, 7), **told)),
        (start + 1_100, SplitMark(at=at(start + 1_100), narrative=killed, **told)),
        (start + 1_400, MergeMark(at=at(start + 1_400), narrative=killed, into=main, **told)),
    ]


def feed_narratives(seed: int) -> list[str]:
    mentions = new_walk()(Batch(feed(seed), upto=BEGIN + timedelta(hours=5))).mentions
    found = mentions.filter(pl.col("event") == "fall")["narrative"].drop_nulls().value_counts(sort=True)
    return found["narrative"].to_list()


def run(
    seed: int, cuts: Sequence[int], restarts: Collection[int], remembers: int = REMEMBERED, url: str = "sqlite://"
) -> Ran:
    """Walks and commits the feed in batches, killed before the batches in `restarts`."""
    stream = feed(seed, early=remembers == REMEMBERED)
    waiting = mark_times(seed)
    edges = [0, *sorted({cut % stream.height for cut in cuts} - {0}), stream.height]
    parts = [stream[begin:end] for begin, end in itertools.pairwise(edges)]
    parts.append(stream.clear())
    alerts: list[str] = []
    with Store(url, stand_in=lambda: "gone") as store:
        walk = new_walk(remembers)
        for number, part in enumerate(parts):
            posts = part
            if number in restarts:
                walk = new_walk(remembers)
                walk.restore(store.load_state(), store.remembered(remembers), store.corrections())
                posts = pl.concat([part, again(parts[max(number - 2, 0) : number], part, store)]).sort(ORDER)
            upto = part["seen_at"][-1] if part.height else BEGIN + timedelta(hours=6)
            due = tuple(mark for at, mark in waiting if BEGIN + timedelta(seconds=at) <= upto)
            waiting = [pair for pair in waiting if pair[1] not in due]
            walked = walk(Batch(posts, upto=upto, marks=due))
            alerts += [msgspec.json.encode(alert).decode() for alert in walked.alerts]
            corrections = [mark for mark in due if isinstance(mark, Correction)]
            store.commit(Commit(walked.mentions, state=walked.state, alerts=walked.alerts, corrections=corrections))
        return Ran(alerts, rows(store), store.load_state())


def again(before: Sequence[pl.DataFrame], part: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Creates of the last batches that come once more, seen now: mentions, and posts that still wait."""
    if not before or part.is_empty():
        return part.clear()
    now = part["seen_at"][0]
    creates = pl.concat(before).filter(pl.col("op") == "create")
    known = store.remembered(REMEMBERED).select("platform", "id").unique()
    mentions = creates.join(known, on=["platform", "id"], how="semi")
    others = creates.join(known, on=["platform", "id"], how="anti")
    still = others.filter(pl.lit(now) - pl.col("seen_at") <= timedelta(seconds=10))
    return pl.concat([mentions, still]).with_columns(pl.lit(now).cast(part.schema["seen_at"]).alias("seen_at"))


def rows(store: Store) -> list[tuple[Any, ...]]:
    with store._engine.connect() as connection:  # noqa: SLF001 -- every column, as it stands
        return [tuple(row) for row in connection.execute(text("select * from mentions order by number"))]


def archive(ran: Ran, url: str) -> list[tuple[Any, ...]]:
    """What a store at `url` must hold of it: a server leaves out numbers of rows that came twice, and knows truth."""
    if url.startswith("sqlite"):
        return ran.archive
    return [tuple(int(value) if isinstance(value, bool) else value for value in row[1:]) for row in ran.archive]


def quick(url: str) -> str:
    """In memory where it would be a file: nothing here is about the disk."""
    return "sqlite://" if url.startswith("sqlite") else url


def on_both(examples: int, few: int) -> pytest.MarkDecorator:
    """So many examples in SQLite and a few on a server; in `make prove` many more on both."""
    proved = [
        pytest.param("sqlite", examples * 8, marks=pytest.mark.prove),
        pytest.param("postgresql", examples * 2, marks=pytest.mark.prove),
    ]
    rounds = [("sqlite", examples), ("postgresql", few), *proved]
    return pytest.mark.parametrize(("places", "examples"), rounds, indirect=["places"])


@on_both(12, 2)
def test_a_walk_restarted_after_any_commit_leaves_the_same_alerts_archive_and_state(
    places: Callable[[], str], examples: int
) -> None:
    @settings(max_examples=examples)
    @given(
        st.integers(0, 1000),
        st.lists(st.integers(1, 300), max_size=14),
        st.lists(st.integers(1, 14), min_size=1, max_size=5),
    )
    def holds(seed: int, cuts: list[int], restarts: list[int]) -> None:
        url = quick(places())
        straight, restarted = run(seed, cuts, ()), run(seed, cuts, restarts, url=url)
        assert archive(restarted, url) == archive(straight, url)
        assert restarted.alerts == straight.alerts
        assert restarted.state == straight.state

    holds()


@on_both(8, 1)
def test_the_same_holds_of_a_memory_that_is_too_short_for_the_stream(places: Callable[[], str], examples: int) -> None:
    @settings(max_examples=examples)
    @example(849, [177, 235, 225, 380, 335, 338, 281, 381, 97, 325, 204, 286, 292], 5, 150)
    @given(
        st.integers(0, 1000),
        st.lists(st.integers(80, 400), max_size=14),
        st.integers(1, 14),
        st.sampled_from([30, 60, 150]),
    )
    def holds(seed: int, cuts: list[int], restart: int, remembers: int) -> None:
        url = quick(places())
        straight = run(seed, cuts, (), remembers)
        restarted = run(seed, cuts, range(restart, 15, 2), remembers, url)
        assert archive(restarted, url) == archive(straight, url)
        assert restarted.alerts == straight.alerts

    holds()
