"""A source's own format → posts, where it is no text of post/1."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from monitor.collect import post1
from monitor.collect.parsed import Parsed


def of_rows(
    rows: Sequence[Mapping[str, Any]], payload: Sequence[int], rejected: list[Counter[str]], source: str, at: datetime
) -> Parsed:
    """post/1 documents made of a source's own format, seen `at`, checked as any; `payload` is each one's payload."""
    columns = {name: [row.get(name) for row in rows] for name in post1.FIELDS}
    raw = pl.DataFrame(columns, schema=post1.RAW).with_columns(pl.Series("payload", payload, dtype=pl.UInt32))
    return post1.parsed(raw, rejected, source, at)
