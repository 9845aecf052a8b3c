"""The posts written by us, and what the loader makes of a directory of sets."""

import json
from pathlib import Path

import polars as pl
import pytest

from classifiers import data
from classifiers.labels import UNDECIDED, reread
from classifiers.tags import TAGS


def test_written_posts_are_complete_and_of_the_codebook() -> None:
    ours = data.written()
    assert ours.schema == data.EXAMPLES
    assert set(ours["tag"]) == {tag.value for tag in TAGS}
    assert ours.filter(pl.any_horizontal(pl.col("text", "group", "language").str.strip_chars() == "")).is_empty()
    assert ours.drop("public_tag", "voice").null_count().row(0) == (0,) * (len(data.EXAMPLES) - 2)


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


def test_the_thread_s_first_post_is_joined_and_public_labels_stay_beside_the_tag(tmp_path: Path) -> None:
    posts = pl.DataFrame(
        {
            "id": ["1", "2", "3"],
            "reply_to": [None, "1", "2"],
            "root": ["1", "1", "1"],
            "event": ["illary", "illary", "illary"],
            "text": ["she is ill", "lie", "no lie"],
            "stance_label": ["support", "deny", "comment"],
        }
    )
    posts.write_parquet(tmp_path / "rumoureval2019.parquet")
    found = data.public(tmp_path)
    assert found["root"].to_list() == ["", "she is ill", "she is ill"]
    assert found["answer"].to_list() == [False, True, True]
    assert found["public_tag"].to_list() == ["claim", "denial", "other"]
    assert found["reread"].to_list() == [False] * 3


def test_a_post_that_was_read_again_has_the_readers_tag(tmp_path: Path) -> None:
    again = reread().filter(pl.col("dataset") == "rumoureval2019", pl.col("tag") == "denial").head(1)
    posts = pl.DataFrame(
        {"id": again["id"], "reply_to": ["9"], "event": ["e"], "text": ["so it goes"], "stance_label": ["comment"]}
    )
    posts.write_parquet(tmp_path / "rumoureval2019.parquet")
    found = data.public(tmp_path)
    assert found.select("tag", "public_tag", "reread").row(0) == ("denial", "other", True)


def test_the_readings_hold_tags_and_no_texts() -> None:
    told = reread()
    assert told.columns == ["dataset", "id", "tag_a", "tag_b", "tag", "decided_by"]
    known = {tag.value for tag in TAGS}
    assert set(told["tag_a"]) | set(told["tag_b"]) <= known
    assert told.filter(pl.col("tag_a") == pl.col("tag_b"), pl.col("tag") != pl.col("tag_a")).is_empty()
    assert set(told.filter(pl.col("tag") == "")["decided_by"]) == {UNDECIDED}
    assert (told["id"].str.len_chars() <= 40).all()


def test_undecided_posts_are_left_out(tmp_path: Path) -> None:
    one = reread().filter(pl.col("dataset") == "austr_ar", pl.col("decided_by") == UNDECIDED).head(1)
    posts = pl.DataFrame({"id": [*one["id"], "x"], "target_text": ["a", "a"], "text": ["b", "c"]})
    posts.with_columns(stance_label=pl.lit("deny")).write_parquet(tmp_path / "austr_ar.parquet")
    assert data.public(tmp_path)["text"].to_list() == ["c"]


CORRECTED = "platform\tid\tevent\ttext\tparent\ttag\n"


def test_corrections_become_examples_and_the_last_one_of_a_post_counts(tmp_path: Path) -> None:
    path = tmp_path / "corrections.tsv"
    path.write_text(CORRECTED + "x\t1\te\tit fell\t\tother\nx\t1\te\tit fell\tdid it?\tclaim\n", encoding="utf-8")
    found = data.load(None, path).filter(pl.col("set") == "corrections")
    assert found.select("text", "parent", "answer", "tag").rows() == [("it fell", "did it?", True, "claim")]


def test_corrections_may_be_ndjson(tmp_path: Path) -> None:
    path = tmp_path / "corrections.ndjson"
    row = {"platform": "x", "id": "1", "event": "e", "text": "it fell", "parent": None, "tag": "claim"}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert data.load(None, path).filter(pl.col("set") == "corrections")["parent"].to_list() == [""]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("platform\tid\n", "missing: event"),
        (CORRECTED + "x\t1\te\ta\tb\tgossip\n", "found: gossip"),
        ("", "cannot be read"),
    ],
)
def test_corrections_that_cannot_be_used_are_named(tmp_path: Path, content: str, why: str) -> None:
    path = tmp_path / "corrections.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"corrections\.tsv.*{why}"):
        data.load(None, path)
