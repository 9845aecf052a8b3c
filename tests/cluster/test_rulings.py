"""What editors rule of narratives holds from its time on, however the stream is cut."""

import itertools
import random
from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.cluster.clusters import Clusters
from monitor.frames import TIME
from monitor.marks import MergeMark, Ruling, SplitMark
from tests.cluster.test_clusters import START, tagged
from tests.cluster.test_narratives import BRIDGE, DAM, SCHOOL, stream


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100), st.lists(st.integers(1, 89), max_size=4), st.lists(st.integers(0, 95), max_size=4))
def test_what_editors_rule_holds_from_its_time_on_however_the_stream_is_cut(
    seed: int, cuts: list[int], times: list[int]
) -> None:
    posts = stream(seed).with_columns(
        (pl.lit(START) + pl.duration(seconds=pl.int_range(pl.len()))).cast(TIME).alias("seen_at")
    )
    plain = Clusters([DAM]).assign(posts)["narrative"].drop_nulls().unique(maintain_order=True).to_list()
    chance = random.Random(seed)
    rulings: list[Ruling] = []
    for at in sorted(times):
        one, two = chance.choices(plain, k=2)
        when, post = START + timedelta(seconds=at), str(chance.randrange(90))
        merged = MergeMark(at=when, event="fall", narrative=one, into=two, by="d")
        undone = SplitMark(at=when, event="fall", narrative=one, by="d")
        left = SplitMark(at=when, event="fall", narrative=one, by="d", platform="x", id=post, says=(1, 2))
        rulings += chance.choice([[merged], [undone], [left]])
    whole = Clusters([DAM])
    straight = whole.assign(posts, rulings)
    clusters, parts, rows = Clusters([DAM]), [], dict[str, bytes]()
    for begin, end in itertools.pairwise(sorted({0, posts.height, *cuts})):
        upto = posts["seen_at"][end - 1] if end < posts.height else START + timedelta(days=1)
        due = [mark for mark in rulings if mark.at <= upto]
        rulings = [mark for mark in rulings if mark.at > upto]
        parts.append(clusters.assign(posts[begin:end], due))
        rows |= clusters.snapshot()
    assert pl.concat(parts)["narrative"].to_list() == straight["narrative"].to_list()
    assert {key: row for key, row in rows.items() if row} == {key: row for key, row in whole.snapshot().items() if row}


def test_a_ruling_holds_for_what_is_seen_from_its_time_on_and_not_before() -> None:
    clusters = Clusters([DAM])
    bridge, school = clusters.assign(tagged({"text": BRIDGE}, {"text": SCHOOL}))["narrative"].to_list()
    posts = tagged({"id": "before", "text": SCHOOL + " today"}, {"id": "after", "text": SCHOOL + " tonight"})
    posts = posts.with_columns(pl.Series("seen_at", [START, START + timedelta(seconds=2)]).cast(TIME))
    merge = MergeMark(at=START + timedelta(seconds=1), event="fall", narrative=school, into=bridge, by="d")
    assert clusters.assign(posts, [merge])["narrative"].to_list() == [school, bridge]


def test_what_was_posted_first_is_named_of_denials_and_of_merged_narratives() -> None:
    clusters = Clusters([DAM])
    early, late = START - timedelta(hours=2), START - timedelta(hours=1)
    posts = tagged(
        {"text": BRIDGE, "posted_at": START},
        {"text": SCHOOL, "posted_at": early},
        {"text": BRIDGE, "posted_at": START, "tag": "denial"},
        {"text": BRIDGE, "posted_at": late, "tag": "denial"},
    )
    bridge, school = clusters.assign(posts)["narrative"].to_list()[:2]
    known = clusters.narrative("fall", bridge)
    assert known is not None
    assert known.first_denial is not None
    assert known.first_denial.posted_at == late
    merge = MergeMark(at=START + timedelta(seconds=5), event="fall", narrative=school, into=bridge, by="d")
    clusters.assign(tagged({"id": "9", "text": BRIDGE, "seen_at": START + timedelta(seconds=6)}), [merge])
    known = clusters.narrative("fall", bridge)
    assert known is not None
    assert known.first_post is not None
    assert (known.first_post.id, known.first_post.posted_at) == ("1", early)
