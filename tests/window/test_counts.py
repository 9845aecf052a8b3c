from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.frames import HEARD, TICKS, Counted
from monitor.marks import GapMark
from monitor.saved import packed, unpacked
from monitor.window.counts import Windows
from tests.fakes import mentions, streams

START = mentions.START
HOUR = timedelta(hours=1)
RACE = ("claims", "denials", "claim_authors", "denial_authors", "claim_platforms")


def walk(rows: pl.DataFrame, cuts: list[int], gaps: tuple[GapMark, ...] = ()) -> Counted:
    """All that the window stage hands on for a stream in batches."""
    windows = Windows()
    parts = [
        windows.add(part, upto, [gap for gap in gaps if before <= gap.ends < upto])
        for part, upto, before in spans(rows, cuts)
    ]
    names = ("ticks", "late", "heard")
    ticks, late, heard = (pl.concat([getattr(part, name) for part in parts]) for name in names)
    return Counted(ticks, late, heard=heard)


def spans(rows: pl.DataFrame, cuts: list[int]) -> list[tuple[pl.DataFrame, Any, Any]]:
    batches = list(streams.cut(rows, cuts))
    befores = [streams.START, *(upto for _, upto in batches)]
    return [(part, upto, before) for (part, upto), before in zip(batches, befores, strict=False)]


def whole(counted: Counted) -> pl.DataFrame:
    return counted.ticks.filter(pl.col("narrative") == "")


def total(counted: Counted, narrative: str) -> dict[str, int]:
    return counted.ticks.filter(pl.col("narrative") == narrative).select(RACE).sum().row(0, named=True)


def count(*rows: dict[str, Any], upto: timedelta = HOUR) -> Counted:
    return Windows().add(mentions.clustered(*rows), START + upto)


@settings(max_examples=30)
@given(st.integers(0, 5), st.lists(st.integers(0, 1_000), max_size=8))
def test_any_cut_gives_the_same_ticks_and_late_posts(seed: int, cuts: list[int]) -> None:
    rows = streams.story(seed, sources=3, lag=60.0)
    gaps = (gap(START + timedelta(hours=-11), timedelta(minutes=20)),)
    one, cut = walk(rows, [], gaps), walk(rows, cuts, gaps)
    assert one.ticks.equals(cut.ticks)
    assert one.late.group_by("source").sum().sort("source").equals(cut.late.group_by("source").sum().sort("source"))
    assert one.late["posts"].sum() > 0
    assert one.heard.unique().sort("slot", "source").equals(cut.heard.unique().sort("slot", "source"))


@given(st.integers(0, 5), st.randoms(use_true_random=False))
def test_any_order_within_a_second_gives_the_same_counts(seed: int, random: Any) -> None:  # noqa: ANN401
    rows = streams.story(seed, ((200, 0.2, streams.EVEN),)).with_columns(pl.col("seen_at").dt.truncate("1s"))
    order = sorted(range(rows.height), key=lambda row: (rows["seen_at"][row], random.random()))
    assert walk(rows, []).ticks.equals(walk(rows[order], []).ticks)


@given(st.integers(0, 20))
def test_every_post_is_counted_once_or_late(seed: int) -> None:
    counted = walk(streams.story(seed, lag=90.0, sources=3), [])
    assert int(whole(counted)["posts"].sum()) + int(counted.late["posts"].sum()) == 860


def test_what_is_handed_on_has_the_declared_columns() -> None:
    counted = count({}, upto=2 * HOUR)
    assert dict(counted.ticks.schema) == TICKS
    assert dict(counted.heard.schema) == HEARD


def test_a_tick_covers_the_second_before_it() -> None:
    counted = count(
        {"seen_at": START}, {"seen_at": START + timedelta(seconds=0.999)}, {"seen_at": START + timedelta(seconds=1)}
    )
    assert whole(counted)["posts"].to_list() == [2, 1]
    assert whole(counted)["tick"].to_list() == [START + timedelta(seconds=1), START + timedelta(seconds=2)]


def test_rows_of_the_open_second_wait_for_the_next_call() -> None:
    windows = Windows()
    rows = mentions.clustered({}, {})
    assert whole(windows.add(rows, START + timedelta(seconds=1.5)))["posts"].to_list() == [1]
    assert whole(windows.add(rows[:0], START + timedelta(seconds=2)))["posts"].to_list() == [1]


def test_only_creates_count() -> None:
    assert count({}, {"op": "update"}, {"op": "delete"}, {"op": "counts"}).ticks["posts"].to_list() == [1]


def test_a_post_without_a_narrative_counts_for_the_event_alone() -> None:
    assert count({"narrative": None}, {"narrative": "n"}).ticks["narrative"].to_list() == ["", "", "n"]


def test_an_author_counts_once_per_side_and_narrative() -> None:
    same = {"author": "a", "narrative": "n"}
    counted = count(same, same, same | {"tag": "denial"}, same | {"narrative": "m"})
    assert total(counted, "n")["claims"] == 1
    assert total(counted, "n")["denials"] == 1
    assert total(counted, "m")["claims"] == 1
    assert total(counted, "")["claims"] == 1


def test_an_author_counts_again_after_more_than_a_week() -> None:
    rows = [
        {"author": "a", "seen_at": START + timedelta(days=day), "event_time": START + timedelta(days=day)}
        for day in (0, 7, 8)
    ]
    assert total(count(*rows, upto=timedelta(days=9)), "")["claims"] == 2


def test_an_author_who_speaks_again_within_a_week_is_no_new_author_of_the_event() -> None:
    counted = count(
        {"author": "a"}, {"author": "a", "tag": "other"}, {"author": "b", "repost_of": "0", "narrative": "n"}
    )
    assert whole(counted)["authors"].sum() == 2
    assert counted.ticks.filter(pl.col("narrative") == "n")["authors"].sum() == 0


def test_a_source_is_heard_in_five_minutes_of_seen_time_whether_late_or_not() -> None:
    behind = {"event_time": START - HOUR, "seen_at": START + timedelta(minutes=7), "source": "slow"}
    counted = count({}, {"seen_at": START + timedelta(seconds=299)}, behind, {"seen_at": START + timedelta(minutes=9)})
    assert counted.heard.select("source", "slot").rows() == [
        ("s", START), ("s", START + timedelta(minutes=5)), ("slow", START + timedelta(minutes=5)),
    ]  # fmt: skip


def test_the_same_name_on_two_platforms_is_two_authors_and_two_platforms() -> None:
    counted = count({"author": "a", "platform": "x"}, {"author": "a", "platform": "telegram"}, {"platform": "x"})
    assert total(counted, "")["claims"] == 3
    assert total(counted, "")["claim_platforms"] == 2


def test_posts_without_an_author_each_stand_for_themselves() -> None:
    assert total(count({"author": None}, {"author": None}), "")["claims"] == 2


def test_reposts_and_copies_bring_authors_but_no_originals() -> None:
    counted = count({}, {"repost_of": "0"}, {"copy_of": "0"}, {"via": "repost"}, {"author": "author-1"})
    assert total(counted, "") == {
        "claims": 2, "denials": 0, "claim_authors": 4, "denial_authors": 0, "claim_platforms": 1,
    }  # fmt: skip
    assert whole(counted).select("posts", "reposts", "originals").sum().row(0) == (5, 2, 2)


def test_late_posts_are_counted_apart_and_in_nothing_else() -> None:
    late = {"event_time": START - HOUR, "author": "late"}
    counted = count({}, late, {})
    assert counted.late.rows() == [("s", 1)]
    assert whole(counted)["posts"].sum() == 2
    assert total(counted, "")["claims"] == 2


def test_a_channel_that_is_asked_every_few_minutes_is_not_late() -> None:
    minutes = {"event_time": START - timedelta(minutes=6)}
    assert count({}, minutes, minutes | {"platform": "telegram"}, {}).late.rows() == [("s", 1)]
    assert count({}, minutes, {"platform": "telegram", "event_time": START - HOUR}, {}).late.rows() == [("s", 2)]


def test_reach_adds_up_known_followers_and_no_forged_ones() -> None:
    counted = count({"author_followers": 5}, {"author_followers": None}, {"author_followers": 1 << 62})
    assert whole(counted)["reach"].to_list() == [5, 0, 10**10]


def gap(begins: Any, length: timedelta) -> GapMark:  # noqa: ANN401
    return GapMark(source="s", begins=begins, ends=begins + length, why="test")


def test_windows_restored_from_their_rows_go_on_the_same() -> None:
    rows = streams.story(3)
    middle, end = rows["seen_at"][400], rows["seen_at"][-1] + HOUR
    straight, refilled = Windows(), Windows()
    straight.add(rows[:400], middle)
    refilled.restore(straight.snapshot())
    assert straight.add(rows[400:], end).ticks.equals(refilled.add(rows[400:], end).ticks)


def test_rows_of_an_older_version_that_nothing_reads_are_deleted() -> None:
    windows = Windows()
    windows.add(mentions.clustered({}), START + timedelta(seconds=2))
    older = {"window/closed": b"x", "window/open/fall": b"x"}
    again = Windows()
    again.restore(windows.snapshot() | older)
    assert older.keys() <= {key for key, row in again.snapshot().items() if not row}


def test_rows_that_wait_of_an_older_version_with_fewer_columns_are_taken_up() -> None:
    windows = Windows()
    windows.add(mentions.clustered({}, {}), START + timedelta(seconds=1))
    rows = windows.snapshot()
    waiting = next(key for key in rows if key.startswith("window/waiting/"))
    older = unpacked(rows[waiting]).drop("voice", "copy", "young", "language", "thread")
    again = Windows()
    again.restore(rows | {waiting: packed(older)})
    added = again.add(mentions.clustered(), START + timedelta(seconds=5))
    assert (
        added.ticks["posts"].sum()
        == windows.add(mentions.clustered(), START + timedelta(seconds=5)).ticks["posts"].sum()
        > 0
    )


def test_who_is_heard_is_told_by_source_and_voice() -> None:
    heard = Windows().add(mentions.clustered({}, {"voice": "The Agency"}, {}), START + timedelta(seconds=9)).heard
    assert heard.select("source", "voice").rows() == [("s", None), ("s", "The Agency")]


def test_posts_that_wait_since_an_older_version_are_counted() -> None:
    windows = Windows()
    windows.add(mentions.clustered({}, {"copy_of": "0"}), START)
    rows = windows.snapshot()
    (waiting,) = (key for key in rows if key.startswith("window/waiting/"))
    older = unpacked(rows[waiting]).drop("copy", "young", "language", "thread")
    again = Windows()
    again.restore(rows | {waiting: packed(older)})
    counted, straight = (one.add(mentions.clustered(), START + HOUR) for one in (again, windows))
    assert counted.ticks.equals(straight.ticks)
    assert counted.spoken is not None
    assert straight.spoken is not None
    assert counted.spoken.drop("language").equals(straight.spoken.drop("language"))
