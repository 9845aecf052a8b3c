"""How well the stages did on a scenario, whose truth about every post is known."""

from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from monitor.frames import TAGS, Tag

IDENTITY = ("platform", "id")
PEAK = timedelta(minutes=30)
"""The claim's peak is the middle of the busiest window of this length."""
_STRIDE = timedelta(minutes=5)


class Rate(NamedTuple):
    """Of one tag, or of matching: what was found against what was there."""

    found: int
    """Posts given the tag."""
    true: int
    """Posts whose tag it is."""
    right: int
    """Posts that are both."""

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 0 where nothing was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of what was there that was found; 0 where nothing was there."""
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return 2 * self.right / (self.found + self.true) if self.found + self.true else 0.0


class Score:
    """Compares mentions as they come with the truth of a scenario."""

    def __init__(self, truth: pl.DataFrame) -> None:
        """`truth`: platform, id, seen_at, truth_tag, truth_mention, truth_story, one row per post."""
        self._truth = truth
        self._given: list[pl.DataFrame] = []

    def add(self, mentions: pl.DataFrame) -> None:
        """Takes a batch's mentions; TAGGED, creates count."""
        self._given.append(mentions.filter(pl.col("op") == "create").select(*IDENTITY, pl.col("tag").cast(pl.String)))

    def tags(self, upto: datetime | None = None) -> dict[Tag, Rate]:
        """Per tag, over the posts that were matched and had to be."""
        both = self._joined(upto).filter(pl.col("tag").is_not_null() & pl.col("truth_mention"))
        counts = both.group_by("truth_tag", "tag").len()
        cell = {(true, given): posts for true, given, posts in counts.iter_rows()}
        return {tag: _rate(tag.value, cell) for tag in TAGS}

    def matching(self, upto: datetime | None = None) -> Rate:
        """Of finding the mentions among the posts."""
        joined = self._joined(upto)
        found, true = pl.col("tag").is_not_null(), pl.col("truth_mention")
        return Rate(*joined.select(found.sum(), true.sum().alias("true"), (found & true).sum().alias("both")).row(0))

    def _joined(self, upto: datetime | None) -> pl.DataFrame:
        truth = self._truth if upto is None else self._truth.filter(pl.col("seen_at") < upto)
        empty = pl.DataFrame(schema={"platform": pl.String, "id": pl.String, "tag": pl.String})
        return truth.join(pl.concat([empty, *self._given]), on=IDENTITY, how="left")


def claim_peak(truth: pl.DataFrame, before: datetime | None = None) -> datetime | None:
    """The middle of the busiest PEAK of claims of the story most claimed, in seen time; None where nothing is claimed.

    `truth` has seen_at, truth_tag, truth_story; only posts seen before `before` count.
    """
    claims = truth.filter((pl.col("truth_tag") == Tag.CLAIM.value) & pl.col("truth_story").is_not_null())
    if before is not None:
        claims = claims.filter(pl.col("seen_at") < before)
    if claims.is_empty():
        return None
    story = claims.group_by("truth_story").len().sort("len", "truth_story", descending=[True, False])["truth_story"][0]
    windows = (
        claims.filter(pl.col("truth_story") == story)
        .sort("seen_at")
        .group_by_dynamic("seen_at", every=_STRIDE, period=PEAK)
        .agg(pl.len().alias("posts"))
    )
    begins: datetime = windows.sort("posts", "seen_at", descending=[True, False])["seen_at"][0]
    return begins + PEAK / 2


def _rate(tag: str, cell: dict[tuple[str, str], int]) -> Rate:
    return Rate(
        found=sum(count for (_, given), count in cell.items() if given == tag),
        true=sum(count for (true, _), count in cell.items() if true == tag),
        right=cell.get((tag, tag), 0),
    )
