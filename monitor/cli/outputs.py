"""What a replay leaves behind: alert lines, tagged posts, a summary; the same bytes for the same input."""

import resource
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from monitor.app import Walked
from monitor.errors import StoreError
from monitor.frames import CLUSTERED, TAGS, Batch
from monitor.records import AlertState

MEBIBYTE = 1 << 20
ROWS_PER_PART = 200_000


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a full disk, a missing folder and their like into one sentence."""
    try:
        yield
    except OSError as error:
        why = f"cannot write {path}: {error.strerror}"
        raise StoreError(why) from error
    except pl.exceptions.PolarsError as error:
        why = f"cannot write {path}: {error}"
        raise StoreError(why) from error


class AlertLines:
    """Writes one JSON object per step in the life of an alert."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._file = path.open("wb")

    def add(self, walked: Walked) -> None:
        """Appends this batch's steps."""
        with writing(self._path):
            self._file.writelines(msgspec.json.encode(alert) + b"\n" for alert in walked.alerts)

    def close(self) -> None:
        """Ends the file."""
        with writing(self._path):
            self._file.close()


class TaggedPosts:
    """Writes all mentions to one Parquet file: post/1 names, then what each stage found."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            self._folder = tempfile.TemporaryDirectory(prefix=".tagged-", dir=path.parent)
        self._held: list[pl.DataFrame] = []
        self._rows = 0
        self._parts: list[Path] = []

    def add(self, walked: Walked) -> None:
        """Takes this batch's mentions."""
        self._held.append(walked.mentions)
        self._rows += walked.mentions.height
        if self._rows >= ROWS_PER_PART:
            self._flush()

    def close(self) -> None:
        """Joins the parts; they do not depend on the batches."""
        self._flush()
        with writing(self._path):
            pl.scan_parquet(self._parts).rename({"posted_at": "created_at"}).sink_parquet(
                self._path, row_group_size=ROWS_PER_PART, maintain_order=True
            )
            self._folder.cleanup()

    def _flush(self) -> None:
        part = Path(self._folder.name) / f"{len(self._parts):06}.parquet"
        with writing(self._path):
            pl.concat([pl.DataFrame(schema=CLUSTERED), *self._held]).write_parquet(part)
        self._parts.append(part)
        self._held, self._rows = [], 0


class Tally:
    """Counts what a replay saw."""

    def __init__(self) -> None:
        self.posts = 0
        self.mentions = 0
        self.late = 0
        self.tags: Counter[str] = Counter()
        self.narratives: set[str] = set()
        self.fired: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()

    def add(self, batch: Batch, walked: Walked) -> None:
        """Counts one batch."""
        self.posts += walked.posts
        for (_, reason), count in batch.rejected.items():
            self.rejected[reason] += count
        mentions = walked.mentions.filter(pl.col("op") == "create")
        self.mentions += mentions.height
        self.late += int(walked.counted.late["posts"].sum())
        self.tags.update(dict(mentions.group_by(pl.col("tag").cast(pl.String)).len().iter_rows()))
        self.narratives.update(mentions["narrative"].drop_nulls().unique())
        self.fired.update(alert.rule for alert in walked.alerts if alert.state is AlertState.FIRING)

    def summary(self, wall_s: float) -> dict[str, Any]:
        """The `--summary` object; `wall_s` is the time the replay took, in seconds."""
        documents = self.posts + self.rejected.total()
        return {
            "posts": self.posts,
            "mentions": self.mentions,
            "tags": {tag.value: self.tags[tag.value] for tag in TAGS},
            "narratives": len(self.narratives),
            "alerts": self.fired.total(),
            "alerts_by_rule": dict(sorted(self.fired.items())),
            "late": self.late,
            "rejected": dict(sorted(self.rejected.items())),
            "wall_s": round(wall_s, 3),
            "posts_per_s": round(documents / wall_s) if wall_s else 0,
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEBIBYTE, 1),
        }
