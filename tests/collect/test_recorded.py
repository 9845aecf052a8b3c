import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from monitor.collect import recorded
from monitor.collect.recorded import batches, standard_input_as_file, survey
from monitor.errors import SettingsError
from monitor.frames import ORDER

START = datetime(2021, 9, 3, 12, tzinfo=UTC)


def post(number: int, seconds: int, platform: str = "x") -> dict[str, Any]:
    created = (START + timedelta(seconds=seconds)).isoformat()
    return {"id": str(number), "platform": platform, "text": f"post {number}", "created_at": created}


def write(path: Path, documents: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), "utf-8")
    return path


def play(*paths: Path, size: int = 100) -> pl.DataFrame:
    return pl.concat([batch.posts for batch in batches(survey(paths), size)])


def test_posts_come_in_order_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    documents = [post(number, number // 3) for number in range(500)]
    shuffled = documents.copy()
    random.Random(1).shuffle(shuffled)
    in_order = play(write(tmp_path / "a.ndjson", documents))
    assert in_order.equals(play(write(tmp_path / "b.ndjson", shuffled)))
    assert in_order.select(ORDER).equals(in_order.select(ORDER).sort(ORDER))


def test_chunk_ends_do_not_change_the_order_within_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.ndjson", [post(-number, number // 50) for number in range(500)])
    whole = play(path)
    monkeypatch.setattr(recorded, "CHUNK", 700)
    assert whole.equals(play(path))


def test_parquet_and_ndjson_play_the_same_posts(tmp_path: Path) -> None:
    documents = [post(number, number) for number in range(50)]
    frame = pl.DataFrame(documents).with_columns(pl.col("created_at").str.to_datetime("%+"), event=pl.lit("ignored"))
    frame.write_parquet(tmp_path / "a.parquet")
    assert play(tmp_path / "a.parquet").equals(play(write(tmp_path / "a.ndjson", documents)))


def test_several_files_are_one_stream(tmp_path: Path) -> None:
    late, early = [post(1, 10), post(2, 20)], [post(3, 5), post(4, 15)]
    assert play(write(tmp_path / "a.ndjson", late), write(tmp_path / "b.ndjson", early))["id"].to_list() == [
        "3",
        "1",
        "4",
        "2",
    ]


def test_the_last_batch_completes_the_stream_and_carries_the_rejections(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson", [post(1, 0), {"id": "2"}])
    found = list(batches(survey([path]), 10))
    assert found[-1].upto == START + timedelta(seconds=1)
    assert sum(count for batch in found for count in batch.rejected.values()) == 1


def test_a_line_without_end_is_rejected_and_the_rest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "CHUNK", 1000)
    monkeypatch.setattr(recorded, "LONGEST_LINE", 5000)
    path = tmp_path / "a.ndjson"
    good = [json.dumps(post(number, number)) for number in range(2)]
    path.write_text(f"{good[0]}\n" + "x" * 20_000 + f"\n{good[1]}\n", "utf-8")
    found = list(batches(survey([path]), 10))
    assert pl.concat([batch.posts for batch in found])["id"].to_list() == ["0", "1"]
    assert {key: count for batch in found for key, count in batch.rejected.items()} == {("replay", "over_size"): 1}


def test_standard_input_is_played_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(json.dumps(post(number, number)) + "\n" for number in range(5))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    with standard_input_as_file() as path:
        assert play(path).height == 5


def test_every_input_that_cannot_be_played_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("no parquet", "utf-8")
    (tmp_path / "b.csv").touch()
    with pytest.raises(SettingsError) as caught:
        survey([tmp_path / "b.csv", tmp_path / "missing.ndjson"])
    assert len(caught.value.mistakes) == 2
    with pytest.raises(SettingsError, match="no Parquet file that can be read"):
        survey([tmp_path / "a.parquet"])


def test_a_parquet_column_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"id": [1], "platform": ["x"]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(SettingsError, match="column id is Int64, post/1 wants String"):
        play(tmp_path / "a.parquet")
    naive = {"id": ["1"], "platform": ["x"], "text": ["a"], "created_at": [datetime(2021, 9, 3)]}  # noqa: DTZ001
    pl.DataFrame(naive).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(SettingsError, match="no time zone"):
        play(tmp_path / "b.parquet")
