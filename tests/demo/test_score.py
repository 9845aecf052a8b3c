"""Precision, recall and peak against a truth counted by hand."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from monitor.demo.score import Rate, Score, claim_peak
from monitor.frames import TIME, Schema, Tag
from tests.fakes.mentions import clustered

BEGIN = datetime(2021, 9, 3, tzinfo=UTC)
SCHEMA: Schema = {
    "platform": pl.String,
    "id": pl.String,
    "seen_at": TIME,
    "truth_tag": pl.String,
    "truth_story": pl.String,
    "truth_mention": pl.Boolean,
}


def truth(*tags: str) -> pl.DataFrame:
    """Posts 0, 1, 2 … a minute apart; a tag in brackets is of a post that is no mention."""
    rows = [
        ("x", str(n), BEGIN + timedelta(minutes=n), tag.strip("()"), "fall", not tag.startswith("("))
        for n, tag in enumerate(tags)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def given(**tags: str) -> pl.DataFrame:
    """Mentions as tagged: p0="claim"."""
    return clustered(*({"id": name[1:], "tag": tag, "platform": "x"} for name, tag in tags.items()))


def test_counts_right_found_and_true_per_tag() -> None:
    score = Score(truth("claim", "claim", "denial", "denial", "other"))
    score.add(given(p0="claim", p1="claim", p2="claim"))
    score.add(given(p3="denial", p4="denial"))
    assert score.tags()[Tag.CLAIM] == Rate(found=3, true=2, right=2)
    assert score.tags()[Tag.DENIAL] == Rate(found=2, true=2, right=1)
    assert score.tags()[Tag.OTHER] == Rate(found=0, true=1, right=0)


def test_tags_are_judged_on_posts_that_were_matched_and_had_to_be() -> None:
    score = Score(truth("claim", "(claim)", "claim"))
    score.add(given(p0="claim", p1="claim"))
    assert score.tags()[Tag.CLAIM] == Rate(found=1, true=1, right=1)


def test_matching_is_judged_on_every_post() -> None:
    score = Score(truth("claim", "(claim)", "claim", "(other)"))
    score.add(given(p0="claim", p1="claim"))
    assert score.matching() == Rate(found=2, true=2, right=1)


def test_only_posts_seen_by_then_count() -> None:
    score = Score(truth("claim", "claim"))
    score.add(given(p0="claim"))
    assert score.matching(BEGIN + timedelta(minutes=1)) == Rate(found=1, true=1, right=1)


def test_updates_and_deletes_are_not_counted_again() -> None:
    score = Score(truth("claim"))
    score.add(given(p0="claim").with_columns(op=pl.lit("delete").cast(given(p0="claim").schema["op"])))
    assert score.matching() == Rate(found=0, true=1, right=0)


def test_nothing_scores_zero() -> None:
    score = Score(truth())
    assert score.matching() == Rate(0, 0, 0)
    assert [score.tags()[tag].f1 for tag in Tag] == [0.0] * len(Tag)


def test_rates_are_those_of_the_textbook() -> None:
    rate = Rate(found=4, true=6, right=3)
    assert (rate.precision, rate.recall) == (0.75, 0.5)
    assert rate.f1 == pytest.approx(0.6)


def test_the_peak_lies_in_the_middle_of_the_busiest_half_hour_of_the_main_claim() -> None:
    minutes = [5, 300, 301, 302, 303, 304, 600, 601]
    rows = [("x", str(n), BEGIN + timedelta(minutes=m), "claim", "fall", True) for n, m in enumerate(minutes)]
    rows += [("x", f"s{n}", BEGIN + timedelta(minutes=900), "claim", "side", True) for n in range(7)]
    rows += [("x", f"d{n}", BEGIN + timedelta(minutes=700), "denial", "fall", True) for n in range(50)]
    peak = claim_peak(pl.DataFrame(rows, schema=SCHEMA, orient="row"))
    assert peak is not None
    assert abs(peak - (BEGIN + timedelta(minutes=302))) <= timedelta(minutes=15)


def test_nothing_claimed_has_no_peak() -> None:
    assert claim_peak(truth("denial", "other")) is None
    assert claim_peak(truth("claim"), before=BEGIN) is None
