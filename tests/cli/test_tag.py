"""`monitor tag`: what a post answers is found within the input, and --explain says why."""

from pathlib import Path

import polars as pl
import pytest

from monitor.__main__ import main
from monitor.cli.tag import ADDED, read
from monitor.errors import SettingsError

EVENT = 'name = "bridge"\nproposition = "The bridge has fallen"\nany = ["*"]\n'
POSTS = pl.DataFrame(
    {
        "id": ["1", "2", "3", "4"],
        "text": ["BREAKING: the bridge has fallen", "that is a lie", "source?", ""],
        "reply_to": [None, "1", "2", None],
        "why": ["mine"] * 4,
    }
)


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    (tmp_path / "event.toml").write_text(EVENT, encoding="utf-8")
    POSTS.write_ndjson(tmp_path / "posts.ndjson")
    return tmp_path


def run(folder: Path, *more: str) -> pl.DataFrame:
    event, output = folder / "event.toml", folder / "out.parquet"
    arguments = ["tag", str(folder / "posts.ndjson"), "--event", str(event), "--output", str(output), *more]
    assert main(arguments) == 0
    return pl.read_parquet(output)


def test_rows_keep_their_order_and_their_columns(tagged: Path) -> None:
    found = run(tagged)
    assert found.columns == [*POSTS.columns, *ADDED]
    assert found["id"].to_list() == ["1", "2", "3", "4"]
    assert found["tag"].to_list() == ["claim", "denial", "question", "other"]


def test_explain_adds_language_and_why_and_keeps_a_column_of_that_name(tagged: Path) -> None:
    found = run(tagged, "--explain")
    assert found.columns[-2:] == ["language", "why"]
    assert found["language"].to_list()[:2] == ["en", "en"]
    assert found["input_why"].to_list() == ["mine"] * 4
    assert found["why"][1].startswith("denial")
    assert "“lie”" in found["why"][1]
    assert found["why"][3] == "other 0.92 (nothing read)"
    assert found.drop("why", "language", "input_why").equals(run(tagged).drop("why"))


@pytest.mark.parametrize("root", [True, False])
def test_the_thread_is_followed_to_its_first_post_with_or_without_its_id(tagged: Path, *, root: bool) -> None:
    posts = POSTS.with_columns(root=pl.Series([None, "1", "1", None])) if root else POSTS
    posts.write_ndjson(tagged / "posts.ndjson")
    found = run(tagged).drop("root", strict=False)
    POSTS.write_ndjson(tagged / "posts.ndjson")
    assert found.equals(run(tagged))


def test_a_thread_that_bites_its_tail_is_no_error(tagged: Path) -> None:
    POSTS.with_columns(reply_to=pl.Series(["2", "1", "3", "9"])).write_ndjson(tagged / "posts.ndjson")
    assert run(tagged).height == POSTS.height


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("posts.ndjson", b'{"id": "1", "text": "a"}\n\n{"id": "2", "text": \n', "line 3 is no JSON object"),
        ("posts.ndjson", b'{"id": "1", "text": "a"}\n[1, 2]\n', "line 2 is no JSON object"),
        ("posts.csv", b"id,text\n1,a\n2,b,c\n", "line 3 has more than the header's 2 fields"),
        ("posts.csv", b"id,text\n1,a\n2,\xff\n", "line 3 cannot be read"),
        ("posts.parquet", b"PAR", "cannot be read"),
    ],
)
def test_an_input_that_cannot_be_read_is_refused_by_the_line_to_blame(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read(path)
    assert f"{name}: {said}" in str(caught.value)
