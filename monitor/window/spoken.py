"""Who is behind the counts: the claims and denials of narratives, one by one."""

from datetime import timedelta

import numpy as np
import polars as pl

from monitor.frames import SPOKEN
from monitor.window.hashes import few, hashed, mix
from monitor.window.watermark import SECOND

YOUNG = timedelta(days=30)
"""An account made less than this before its post is young."""
_KEY = ("tick", "event", "narrative")


def spoken_of(fresh: pl.DataFrame, counts: pl.Series, denial: int) -> pl.DataFrame:
    """SPOKEN; `counts` says which rows of `fresh` count in their narrative, and a tag up to `denial` takes a side."""
    told = fresh.with_columns(counts.alias("counts")).filter(
        (pl.col("tag") <= denial) & pl.col("narrative").is_not_null()
    )
    thread = mix(few(told["platform"]), hashed(told["thread"])) if told.height else np.zeros(0, np.uint64)
    return (
        told.with_columns(
            (pl.col("tick") * SECOND).cast(SPOKEN["tick"]),
            (pl.col("tag") == denial).alias("denial"),
            pl.Series("thread", thread, pl.UInt64),
        )
        .sort(_KEY, maintain_order=True)
        .select(SPOKEN.keys())
    )
