"""The posts written by us, and what the loader makes of a directory of sets."""

from pathlib import Path

import polars as pl
import pytest

from classifiers import data
from classifiers.tags import TAGS


def test_written_posts_are_complete_and_of_the_codebook() -> None:
    ours = data.written()
    assert ours.schema == data.EXAMPLES
    assert set(ours["tag"]) == {tag.value for tag in TAGS}
    assert ours.filter(pl.any_horizontal(pl.col("text", "group", "language").str.strip_chars() == "")).is_empty()
    assert ours.null_count().row(0) == (0,) * len(data.EXAMPLES)


def test_written_posts_are_many_kinds_in_many_languages() -> None:
    ours = data.written()
    assert len(ours) >= 1_200
    assert ours["group"].n_unique() >= 12
    assert {"en", "fa", "ps", "ur", "ar", "es", "fr", "tr", "ru"} <= set(ours["language"])


def test_no_written_post_carries_two_tags() -> None:
    pairs = data.written().group_by("text", "parent").agg(pl.col("tag").n_unique())
    assert pairs.filter(pl.col("tag") > 1).is_empty()


def test_no_written_post_is_about_the_demo_story() -> None:
    texts = data.written().select(pl.concat_str("text", "parent").str.to_lowercase()).to_series()
    assert not texts.str.contains("panjsh|پنجشیر|بنجشير|پنجشېر|taliban|طالبان|kabul|کابل").any()


def test_a_directory_without_sets_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds none of rumoureval2019\.parquet"):
        data.load(tmp_path)


def test_replies_are_joined_with_what_they_answer(tmp_path: Path) -> None:
    posts = pl.DataFrame(
        {
            "id": ["1", "2", "3"],
            "reply_to": [None, "1", "9"],
            "event": ["illary", "illary", "illary"],
            "text": ["she is ill", "lie", "hm"],
            "stance_label": ["support", "deny", "comment"],
        }
    )
    posts.write_parquet(tmp_path / "rumoureval2019.parquet")
    found = data.public(tmp_path)
    assert found["tag"].to_list() == ["claim", "denial", "other"]
    assert found["parent"].to_list() == ["Hillary Clinton is seriously ill", "she is ill", ""]
    assert found["group"].to_list() == ["illary"] * 3
