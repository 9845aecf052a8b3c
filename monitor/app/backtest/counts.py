"""What a recording counts, on disk: ticks in parts, and all that judges need beside them.

A recording is matched, tagged, clustered and counted once; every point of the grid is judged from these files. A part
holds many batches: what is decided does not depend on where a stream is cut. A batch with a mark that came late begins
a part, so that the mark takes effect when it did.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from monitor.alert.silence import made_at
from monitor.alert.steps import Described
from monitor.frames import LATE, TIME, Counted, Schema
from monitor.marks import GapMark, MergeMark, Silence, StatusMark

ROWS = 200_000
"""Rows of TICKS in a part, about."""
STEP = timedelta(minutes=5)
"""Activity is kept in steps of this length."""

LABELS: Schema = {"event": pl.String, "narrative": pl.String, "at": TIME, "label": pl.String}
"""What a narrative was called from a time on; the first row of each holds before it, too."""
VOICES: Schema = {"event": pl.String, "narrative": pl.String, "at": TIME, "voice": pl.String}
"""Registered voices that spoke of a narrative: the first one of each hour. The event as a whole is the narrative ""."""
ACTIVITY: Schema = {
    "event": pl.String,
    "narrative": pl.String,
    "begins": TIME,
    "claims": pl.Int64,
    "denials": pl.Int64,
    "posts": pl.Int64,
}
"""Sums of TICKS over STEPs in which something was said."""


_KINDS = tuple(name for name in Counted._fields if name not in {"late", "gaps"})
"""The frames of `Counted` that judges read."""


class Told(NamedTuple):
    """Marks that came with a batch, and that judge or alerts heed."""

    statuses: tuple[StatusMark, ...] = ()
    silences: tuple[Silence, ...] = ()
    merges: tuple[MergeMark, ...] = ()

    @property
    def judged(self) -> tuple[StatusMark | MergeMark, ...]:
        """Those that judges heed."""
        return (*self.statuses, *self.merges)

    @property
    def shown(self) -> tuple[StatusMark | Silence, ...]:
        """Those that alerts do."""
        return (*self.statuses, *self.silences)


class Counts(NamedTuple):
    """One batch, or many, as judges see it."""

    counted: Counted
    upto: datetime
    told: Told = Told()


class _Part(msgspec.Struct):
    upto: datetime
    gaps: tuple[GapMark, ...] = ()
    statuses: tuple[StatusMark, ...] = ()
    silences: tuple[Silence, ...] = ()
    merges: tuple[MergeMark, ...] = ()


class Totals(msgspec.Struct, frozen=True):
    """What was counted, all in all."""

    posts: int = 0
    mentions: int = 0
    begins: datetime | None = None
    """When the first post was seen; None for a recording without one."""
    ends: datetime | None = None
    rejected: int = 0
    """Documents of the recording that were no post/1."""

    @property
    def span(self) -> timedelta:
        """From the first post to the last."""
        return self.ends - self.begins if self.begins and self.ends else timedelta()


class Recorded(msgspec.Struct, frozen=True):
    """Everything that stands in a folder of counts."""

    parts: int
    totals: Totals
    statuses: tuple[StatusMark, ...]


class CountsWriter:
    """Writes counts to a folder; `close` makes them whole."""

    def __init__(self, folder: Path, *, rows: int = ROWS) -> None:
        self._folder = folder
        self._rows = rows
        self._parts = 0
        self._held: list[Counts] = []
        self._height = 0
        self._activity: list[pl.DataFrame] = []
        self._labels: list[tuple[str, str, datetime, str]] = []
        self._voices: list[pl.DataFrame] = []
        self._statuses: list[StatusMark] = []

    def add(self, counts: Counts) -> None:
        """Takes a batch, in the order of the stream."""
        if self._held and (self._height >= self._rows or _late(counts, self._held[-1].upto)):
            self._flush()
        self._held.append(counts)
        self._height += counts.counted.ticks.height
        self._statuses += counts.told.statuses

    def call(self, event: str, narrative: str, at: datetime, label: str) -> None:
        """A narrative is called so from a time on."""
        self._labels.append((event, narrative, at, label))

    def speak(self, voices: pl.DataFrame) -> None:
        """Registered voices spoke: VOICES, any number of rows."""
        if voices.height:
            self._voices = [_first_of_each_hour(pl.concat([*self._voices, voices]))]

    def close(self, totals: Totals) -> None:
        """Writes what is left."""
        self._flush()
        activity = pl.concat([pl.DataFrame(schema=ACTIVITY), *self._activity])
        _summed(activity).write_parquet(self._folder / "activity.parquet")
        pl.DataFrame(self._labels, schema=LABELS, orient="row").write_parquet(self._folder / "labels.parquet")
        pl.concat([pl.DataFrame(schema=VOICES), *self._voices]).write_parquet(self._folder / "voices.parquet")
        whole = Recorded(self._parts, totals, tuple(self._statuses))
        (self._folder / "recorded.json").write_bytes(msgspec.json.encode(whole))

    def _flush(self) -> None:
        if not self._held:
            return
        counted = [one.counted for one in self._held]
        frames = {kind: _joined(counted, kind) for kind in _KINDS}
        name = f"{self._parts:06}"
        for kind, frame in frames.items():
            if frame is not None:
                frame.write_parquet(self._folder / f"{name}-{kind}.parquet", compression="zstd", statistics=False)
        part = _Part(
            self._held[-1].upto,
            tuple(gap for one in counted for gap in one.gaps),
            tuple(mark for one in self._held for mark in one.told.statuses),
            tuple(mark for one in self._held for mark in one.told.silences),
            tuple(mark for one in self._held for mark in one.told.merges),
        )
        (self._folder / f"{name}.json").write_bytes(msgspec.json.encode(part))
        self._activity.append(_steps(pl.concat([one.ticks for one in counted])))
        if len(self._activity) > 20:  # noqa: PLR2004 -- now and then
            self._activity = [_summed(pl.concat(self._activity))]
        self._parts += 1
        self._held, self._height = [], 0


class CountsReader:
    """Reads the counts of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.recorded = msgspec.json.decode((folder / "recorded.json").read_bytes(), type=Recorded)

    def __iter__(self) -> Iterator[Counts]:
        """Part by part, in the order of the stream."""
        for number in range(self.recorded.parts):
            name = f"{number:06}"
            part = msgspec.json.decode((self._folder / f"{name}.json").read_bytes(), type=_Part)
            frames = {kind: self.frame(f"{name}-{kind}") for kind in _KINDS if self._has(f"{name}-{kind}")}
            counted = Counted(late=pl.DataFrame(schema=LATE), gaps=part.gaps, **frames)
            yield Counts(counted, part.upto, Told(part.statuses, part.silences, part.merges))

    def _has(self, name: str) -> bool:
        return (self._folder / f"{name}.parquet").exists()

    def frame(self, name: str) -> pl.DataFrame:
        """`activity`, `labels` or `voices`; or of a part."""
        return pl.read_parquet(self._folder / f"{name}.parquet")


class Labels:
    """What narratives were called, by time."""

    def __init__(self, labels: pl.DataFrame, otherwise: Mapping[str, str]) -> None:
        """`labels`: LABELS in order of time; `otherwise`: event → what a narrative without a label is called."""
        self._of: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
        self._otherwise = otherwise
        for event, narrative, at, label in labels.iter_rows():
            self._of.setdefault((event, narrative), []).append((at, label))

    def at(self, event: str, narrative: str, at: datetime) -> str:
        """The label at a time."""
        known = self._of.get((event, narrative))
        if known is None:
            return self._otherwise.get(event, "")
        return next((label for since, label in reversed(known) if since <= at), known[0][1])

    def describe(self, event: str, narrative: str, at: datetime) -> Described:
        """The label; posts are not shown."""
        return Described(self.at(event, narrative, at), ())


def _joined(counted: Sequence[Counted], kind: str) -> pl.DataFrame | None:
    """One frame of many batches; None where no batch has it."""
    frames = [frame for one in counted if (frame := getattr(one, kind)) is not None]
    return pl.concat(frames) if frames else None


def _late(counts: Counts, before: datetime) -> bool:
    """Whether a mark of a batch takes effect when the batch begins, and not at its own time."""
    times = [mark.at for mark in counts.told.judged] + [gap.ends for gap in counts.counted.gaps]
    return min([*times, *map(made_at, counts.told.silences)], default=counts.upto) <= before


def _steps(ticks: pl.DataFrame) -> pl.DataFrame:
    begins = pl.col("tick").dt.offset_by("-1us").dt.truncate(STEP).alias("begins")
    return _summed(ticks.select("event", "narrative", begins, "claims", "denials", "posts"))


def _summed(activity: pl.DataFrame) -> pl.DataFrame:
    keys = ["event", "narrative", "begins"]
    return activity.group_by(keys).agg(pl.col("claims", "denials", "posts").sum()).sort(keys)


def _first_of_each_hour(voices: pl.DataFrame) -> pl.DataFrame:
    hour = pl.col("at").dt.truncate("1h").alias("hour")
    hourly = voices.sort("at", "voice").with_columns(hour)
    return hourly.unique(["event", "narrative", "hour"], keep="first", maintain_order=True).drop("hour")
