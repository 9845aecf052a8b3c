"""Which events fact checks speak of. Pure."""

from collections.abc import Sequence

import msgspec
import polars as pl

from monitor.frames import TIME
from monitor.marks import FactCheck
from monitor.match.matcher import Matcher

_EVERY = "*"
"""The term of events that take every post."""


def about(matcher: Matcher, checks: Sequence[FactCheck]) -> list[FactCheck]:
    """Each review once per event whose terms its claim or title has; events that take every post have none."""
    texts = [f"{one.claim}\n{one.title}" for one in checks]
    seen = pl.Series([one.at for one in checks], dtype=TIME)
    posts = pl.DataFrame({"op": ["create"] * len(texts), "text": texts, "posted_at": seen, "seen_at": seen})
    hits = matcher.find(posts).filter(pl.col("term") != _EVERY)
    return [msgspec.structs.replace(checks[row], event=event) for row, event, _ in hits.iter_rows()]
