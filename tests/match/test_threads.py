"""Answers to known mentions are mentions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from monitor.frames import MENTIONS, ORDER, POSTS, REMEMBERED
from monitor.match.matcher import Matcher
from monitor.match.threads import Threads
from monitor.watched import Event

START = datetime(2021, 9, 3, 12, tzinfo=UTC)
MATCHER = Matcher(
    [
        Event(name="fall", proposition="Panjshir has fallen", any=("panjshir",)),
        Event(name="bank", proposition="The bank fails", any=("bank",)),
    ]
)
Row = dict[str, Any]


def post(number: float, text: str | None = "what?", *, second: float = 0, **columns: Any) -> Row:  # noqa: ANN401
    seen_at = START + timedelta(seconds=second)
    row = {"source": "s", "platform": "x", "id": str(number), "op": "create", "text": text, "posted_at": START}
    return row | {"seen_at": seen_at, "author": "a"} | columns


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in POSTS} for row in rows], schema=POSTS)


def follow(threads: Threads, *rows: Row, upto: float | None = None) -> pl.DataFrame:
    posts = frame(rows).sort(ORDER, maintain_order=True)
    end = posts["seen_at"].max() if upto is None else START + timedelta(seconds=upto)
    assert isinstance(end, datetime)
    return threads.follow(posts, MATCHER.find(posts), end)


def ids(mentions: pl.DataFrame) -> list[str]:
    return mentions["id"].to_list()


def test_mentions_have_the_declared_schema_and_order() -> None:
    for rows in ([], [post(2, "panjshir", second=1), post(1, "panjshir", second=1), post(3)]):
        mentions = follow(Threads(), *rows, upto=1)
        assert mentions.schema == pl.Schema(MENTIONS)
        assert mentions.equals(mentions.sort(ORDER, maintain_order=True))


def test_a_reply_a_quote_and_a_repost_of_a_mention_are_mentions_with_its_text() -> None:
    answers = [post(2, reply_to="1"), post(3, "", repost_of="1"), post(4, quote_of="1"), post(5, reply_to="9")]
    mentions = follow(Threads(), post(1, "panjshir fell"), *answers)
    assert mentions.select("id", "via", "term", "parent", "parent_text", "root", "root_text").rows() == [
        ("1", "term", "panjshir", None, None, None, None),
        ("2", "reply", None, "1", "panjshir fell", "1", "panjshir fell"),
        ("3", "repost", None, "1", "panjshir fell", "1", "panjshir fell"),
        ("4", "quote", None, "1", "panjshir fell", "1", "panjshir fell"),
    ]


def test_threads_go_down_any_depth_and_across_batches() -> None:
    threads = Threads()
    follow(threads, post(1, "panjshir fell"))
    follow(threads, post(2, "no", reply_to="1"))
    mentions = follow(threads, post(3, "yes", reply_to="2"), post(4, "why", reply_to="3"))
    assert mentions.select("id", "parent", "parent_text", "root", "root_text").rows() == [
        ("3", "2", "no", "1", "panjshir fell"),
        ("4", "3", "yes", "1", "panjshir fell"),
    ]


def test_a_post_with_a_term_keeps_it_and_is_told_its_parent() -> None:
    mentions = follow(Threads(), post(1, "panjshir fell"), post(2, "panjshir stands", reply_to="1"))
    assert mentions.select("via", "term", "parent", "parent_text").row(1) == ("term", "panjshir", "1", "panjshir fell")


def test_a_parent_text_the_post_brought_itself_is_kept() -> None:
    mentions = follow(Threads(), post(1, "panjshir fell"), post(2, reply_to="1", parent_text="as quoted"))
    assert mentions["parent_text"].to_list() == [None, "as quoted"]


def test_an_answer_to_a_bare_repost_answers_the_reposted_text() -> None:
    mentions = follow(Threads(), post(1, "panjshir fell"), post(2, "", repost_of="1"), post(3, reply_to="2"))
    assert mentions["parent_text"].to_list()[2] == "panjshir fell"


def test_threads_stay_on_their_platform() -> None:
    mentions = follow(Threads(), post(1, "panjshir"), post(2, reply_to="1", platform="y"))
    assert ids(mentions) == ["1"]


def test_an_answer_mentions_every_event_of_its_parent() -> None:
    mentions = follow(Threads(), post(1, "panjshir bank"), post(2, "the bank", reply_to="1"))
    assert sorted(mentions.select("id", "event", "via").rows()) == [
        ("1", "bank", "term"),
        ("1", "fall", "term"),
        ("2", "bank", "term"),
        ("2", "fall", "reply"),
    ]


def test_a_post_that_answers_itself_or_a_circle_is_no_mention() -> None:
    assert follow(Threads(), post(1, reply_to="1"), post(2, reply_to="3"), post(3, reply_to="2")).is_empty()


def test_a_child_seen_before_its_parent_becomes_a_mention_when_the_parent_does() -> None:
    threads = Threads()
    assert follow(threads, post(3, reply_to="2"), post(2, "no", reply_to="1", second=1)).is_empty()
    mentions = follow(threads, post(1, "panjshir", second=9))
    assert mentions.select("id", "via", "parent").rows() == [
        ("1", "term", None),
        ("2", "reply", "1"),
        ("3", "reply", "2"),
    ]
    assert mentions["seen_at"].to_list() == [START + timedelta(seconds=9)] * 3
    assert mentions["event_time"].to_list() == [START] * 3


def test_a_child_waits_ten_seconds_and_no_longer() -> None:
    waiting = [post(2, reply_to="1"), post(3, reply_to="1", second=0.5)]
    assert ids(follow(Threads(), *waiting, post(1, "panjshir", second=10.25))) == ["1", "3"]


def test_a_very_long_thread_in_reverse_order_is_followed_to_its_end() -> None:
    chain = [post(number, reply_to=str(number - 1), second=-number / 10_000) for number in range(1, 3000)]
    assert follow(Threads(), post(0, "panjshir"), *chain).height == 3000


def test_no_more_than_the_most_wait_and_those_pushed_out_are_counted() -> None:
    threads = Threads(most_waiting=2)
    rows = [post(number, reply_to="0", second=number / 10) for number in range(1, 5)]
    assert ids(follow(threads, *rows, post(0, "panjshir", second=1))) == ["0", "3", "4"]
    assert threads.overflowed == 2


def test_updates_counts_and_deletes_pass_for_known_mentions_only() -> None:
    threads = Threads()
    follow(threads, post(1, "panjshir"))
    later = [
        post(1, None, op="counts", second=60, posted_at=START, reposts=5),
        post(1, "kabul", op="update", second=61),
        post(1, "gone", op="delete", second=62, posted_at=None),
        post(7, "panjshir", op="update", second=62),
        post(8, None, op="delete", second=62),
    ]
    mentions = follow(threads, *later)
    assert mentions.select("id", "op", "via", "text", "reposts").rows() == [
        ("1", "counts", "known", None, 5),
        ("1", "update", "known", "kabul", None),
        ("1", "delete", "known", None, None),
    ]
    assert mentions["event_time"].to_list() == [START + timedelta(seconds=60), START, START + timedelta(seconds=62)]


def test_an_edited_text_is_what_later_answers_answer() -> None:
    mentions = follow(
        Threads(), post(1, "panjshir"), post(1, "sorry", op="update", second=1), post(2, reply_to="1", second=2)
    )
    assert mentions["parent_text"].to_list() == [None, None, "sorry"]


def test_the_text_of_a_deleted_mention_is_forgotten_everywhere_but_its_answers_stay_mentions() -> None:
    threads = Threads()
    follow(threads, post(1, "panjshir"), post(2, "no", reply_to="1"), post(3, "", repost_of="1"))
    follow(threads, post(1, None, op="delete", second=1))
    mentions = follow(
        threads, post(4, reply_to="2", second=2), post(5, reply_to="1", second=2), post(6, reply_to="3", second=2)
    )
    assert mentions.select("id", "parent_text", "root_text").rows() == [
        ("4", "no", None),
        ("5", None, None),
        ("6", None, None),
    ]


def test_a_post_deleted_while_it_waits_never_becomes_a_mention() -> None:
    rows = [post(2, reply_to="1"), post(2, None, op="delete", second=1), post(1, "panjshir", second=2)]
    assert ids(follow(Threads(), *rows)) == ["1"]


def test_a_post_seen_twice_is_a_mention_once_and_the_second_is_counted() -> None:
    threads = Threads()
    first = follow(threads, post(1, "panjshir"), post(1, "panjshir", second=1), post(2, reply_to="1", second=1))
    second = follow(threads, post(1, "panjshir", second=2), post(2, reply_to="1", second=2))
    assert (ids(first), ids(second), threads.duplicates) == (["1", "2"], [], 3)


def test_a_post_that_waits_and_comes_again_with_a_term_is_a_mention_once() -> None:
    rows = [post(2, reply_to="1"), post(2, "panjshir", second=1), post(3, "panjshir", second=2)]
    assert ids(follow(Threads(size=1), *rows, post(1, "panjshir", second=3))) == ["2", "3", "1"]


def test_a_post_may_wait_again_once_its_first_wait_is_over() -> None:
    rows = [post(2, reply_to="1"), post(2, reply_to="1", second=12), post(1, "panjshir", second=13)]
    assert ids(follow(Threads(), *rows)) == ["1", "2"]


def test_a_duplicate_that_adds_an_event_mentions_only_that() -> None:
    threads = Threads()
    follow(threads, post(1, "panjshir"))
    mentions = follow(threads, post(1, "panjshir bank", second=1))
    assert (mentions["event"].to_list(), threads.duplicates) == (["bank"], 1)


def test_memory_keeps_the_mentions_last_made_or_answered() -> None:
    threads = Threads(size=2)
    follow(threads, post(1, "panjshir"), post(2, "panjshir"), post(3, reply_to="1", second=1))
    assert ids(follow(threads, post(4, reply_to="1", second=2), post(5, reply_to="2", second=2))) == ["4"]


def test_memory_refilled_from_the_archive_goes_on_as_if_it_had_never_stopped() -> None:
    before, after = Threads(), Threads()
    archived = follow(before, post(1, "panjshir"), post(2, "no", reply_to="1"), post(3, "", repost_of="2"))
    last = archived.with_row_index("number", 1).with_columns(
        pl.col("number").cast(pl.Int64), narrative=None, copy_of=None, older=False
    )
    after.restore(before.snapshot(), last.select(*REMEMBERED, "number"))
    rows = [post(4, reply_to="2", second=1), post(5, reply_to="3", second=1), post(1, "panjshir", second=2)]
    assert follow(before, *rows).equals(follow(after, *rows))
    assert after.duplicates == before.duplicates


SMALL = st.sampled_from(["0", "1", "2", "3", "4", "5", "6", "7", None, None])


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    rows, second = [], 0.0
    for _ in range(draw(st.integers(1, 25))):
        second += draw(st.sampled_from([0.0, 0.5, 3.0, 9.0]))
        op = draw(st.sampled_from(["create"] * 6 + ["update", "delete", "counts"]))
        text = draw(st.sampled_from(["panjshir", "bank", "panjshir bank", "what?", ""]))
        aims = {name: draw(SMALL) for name in ("reply_to", "repost_of", "quote_of")}
        rows.append(post(draw(st.integers(0, 7)), text, second=second, op=op, **aims))
    return sorted(rows, key=lambda row: (row["seen_at"], row["platform"], row["id"]))


@given(streams(), st.sets(st.integers(1, 24)), st.integers(1, 6), st.integers(1, 4))
def test_any_cut_of_a_stream_into_batches_gives_the_same_mentions(
    rows: list[Row], cuts: set[int], size: int, most: int
) -> None:
    whole, cut = (Threads(size=size, most_waiting=most) for _ in range(2))
    expected = follow(whole, *rows)
    edges = [0, *sorted(edge for edge in cuts if edge < len(rows)), len(rows)]
    parts = []
    for begin, end in pairwise(edges):
        part = frame(rows[begin:end])
        upto = rows[end]["seen_at"] if end < len(rows) else rows[-1]["seen_at"]
        parts.append(cut.follow(part, MATCHER.find(part), upto))
    assert pl.concat(parts).sort(ORDER, maintain_order=True).equals(expected)
    assert (cut.duplicates, cut.overflowed) == (whole.duplicates, whole.overflowed)
