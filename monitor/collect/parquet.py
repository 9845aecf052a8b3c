"""Parquet files with post/1 columns → the same decoded posts as NDJSON; columns of other names are ignored."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from monitor.collect.post1 import COUNTS, FIELDS, TIMES, Decoded, checked
from monitor.errors import SettingsError
from monitor.frames import TIME

ROWS = 50_000


def parquet_chunks(path: Path, source: str) -> Iterator[Decoded]:
    """Decodes `path` in pieces of at most ROWS posts; raises SettingsError for a file or column that cannot be read."""
    frame = _scan(path)
    schema = frame.collect_schema()
    frame = frame.select(_column(path, name, schema.get(name)) for name in FIELDS)
    for piece in frame.collect_batches(chunk_size=ROWS, maintain_order=True):
        for part in piece.iter_slices(ROWS):
            yield checked(part, source, None, Counter())


def parquet_times(path: Path) -> Iterator[pl.Series]:
    """When each post was seen (or else created), file order, in one Series of TIME."""
    frame = _scan(path)
    schema = frame.collect_schema()
    columns = [_column(path, name, schema.get(name)) for name in ("created_at", "seen_at")]
    times = frame.select(columns).collect()
    yield times.select(_as_time(times, "seen_at").fill_null(_as_time(times, "created_at"))).to_series()


def _scan(path: Path) -> pl.LazyFrame:
    try:
        frame = pl.scan_parquet(path)
        frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SettingsError([f"{path}: no Parquet file that can be read ({_first_line(error)})"]) from error
    return frame


def _as_time(frame: pl.DataFrame, name: str) -> pl.Expr:
    if frame.schema[name] == pl.String:
        return pl.col(name).str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False).cast(TIME)
    return pl.col(name).cast(TIME)


def _column(path: Path, name: str, dtype: pl.DataType | None) -> pl.Expr:
    """The post/1 column `name` in the type `checked` expects."""
    if dtype is None or dtype == pl.Null:
        return pl.lit(None, dtype=_expected(name)).alias(name)
    if name == "media" and dtype == pl.List(pl.Struct):
        items = pl.col(name).list.eval(pl.element().struct.json_encode()).list.join(",")
        return pl.concat_str(pl.lit("["), items, pl.lit("]")).alias(name)
    if name in TIMES and isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            raise SettingsError([f"{path}: column {name} has no time zone; store aware UTC times"])
        return pl.col(name).dt.convert_time_zone("UTC").cast(TIME)
    fits = dtype.is_integer() if name in COUNTS else dtype == _expected(name) or dtype == pl.Categorical
    if not fits:
        raise SettingsError([f"{path}: column {name} is {dtype}, post/1 wants {_expected(name)}"])
    if name in COUNTS:
        count = pl.col(name).cast(pl.Int64, strict=False)
        return pl.when(count >= 0).then(count).alias(name)
    return pl.col(name).cast(_expected(name))


def _expected(name: str) -> pl.DataType:
    if name in COUNTS:
        return pl.Int64()
    return pl.Boolean() if name == "author_verified" else pl.String()


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]
