"""Clustered mentions → counts at ticks of seen time.

A tick is decided once the stream has passed it, so rows of the last, still open second wait here for the next call.
All counts are integers; which author, side or platform is new is kept as 64-bit keys for a week of seen time.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.frames import CLUSTERED, HEARD, LATE, SPOKEN, TAGS, TICKS, Counted
from monitor.marks import GapMark
from monitor.saved import packed, unpacked
from monitor.window.hashes import Hashes, few, hashed, mix
from monitor.window.keys import SeenKeys
from monitor.window.spoken import YOUNG, spoken_of
from monitor.window.watermark import SECOND, Watermarks, said

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LATENESS = timedelta(minutes=2)
SLOT = 300
"""Seconds in a slot of HEARD."""
MOST_FOLLOWERS = 10**10
"""More than this is a forged number."""

_KEY = ("tick", "event", "narrative")
_COUNTS = tuple(name for name in TICKS if name not in _KEY)
_SIDES = ("claims", "denials", "celebrations", "questions", "others")
_CLAIM, _DENIAL = 0, 1
_STATE = "window/state"
_WAITING = "window/waiting/"
_DROPPED = ("window/closed", "window/open/")
"""Rows of earlier versions that nothing reads."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Saved(msgspec.Struct, array_like=True):
    decided: int | None
    number: int
    times: dict[str, int]


class _Rows(NamedTuple):
    """Fresh posts as columns, in order of tick."""

    frame: pl.DataFrame
    tick: Ints
    tag: Ints
    original: Flags


class Windows:
    """The window stage and its state."""

    def __init__(self, *, lateness: timedelta = LATENESS) -> None:
        self._watermarks = Watermarks(round(lateness / timedelta(microseconds=1)))
        self._seen = SeenKeys()
        self._waiting = _columns(pl.DataFrame(schema=CLUSTERED))
        self._decided: int | None = None
        self._parts: list[int] = []
        """The numbers of the rows that hold what waits."""
        self._number = 0
        self._times: dict[str, int] = {}
        """Event → how often it was forgotten: its authors are new again."""
        self._changed: dict[str, bytes] = {}

    def add(self, clustered: pl.DataFrame, upto: datetime, gaps: Sequence[GapMark] = ()) -> Counted:
        """CLUSTERED up to `upto` → what its complete ticks add; only creates count."""
        new = _columns(clustered)
        rows = pl.concat([self._waiting, new])
        end = _second(upto)
        if self._decided is not None:
            end = max(end, self._decided)
            rows = rows.with_columns(pl.col("tick").clip(lower_bound=self._decided + 1))
        due = int(rows["tick"].search_sorted(end, side="right"))
        if due:
            self._clear_waiting()
        rows, self._waiting = rows[:due], rows[due:]
        self._keep_waiting(self._waiting if due else new)
        self._decided = end
        return self._count(rows, gaps)

    def watermarks(self, at: datetime) -> dict[str, datetime]:
        """Event time up to which each source is complete at `at`."""
        second = _second(at)
        return {name: datetime.fromtimestamp(mark / SECOND, UTC) for name, mark in self._watermarks.at(second).items()}

    def forget(self, events: Collection[str]) -> None:
        """Drops what is known of these events."""
        for event in events:
            self._times[event] = self._times.get(event, 0) + 1
        self._clear_waiting()
        self._waiting = self._waiting.filter(~pl.col("event").is_in(list(events)))
        self._keep_waiting(self._waiting)

    def snapshot(self) -> dict[str, bytes]:
        """The state's rows that changed since the last call; an empty row is one to delete."""
        saved = _Saved(self._decided, self._number, self._times)
        rows, self._changed = self._changed, {}
        rows[_STATE] = msgspec.msgpack.encode(saved)
        return rows | self._watermarks.snapshot() | self._seen.snapshot()

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the windows that gave all these rows left off; rows of others are ignored."""
        if _STATE not in rows:
            return
        saved = msgspec.msgpack.decode(rows[_STATE], type=_Saved)
        self._decided, self._number, self._times = saved.decided, saved.number, saved.times
        self._parts = sorted(int(key.removeprefix(_WAITING)) for key in rows if key.startswith(_WAITING) and rows[key])
        parts = [_completed(unpacked(rows[f"{_WAITING}{part}"])) for part in self._parts]
        self._waiting = pl.concat([self._waiting, *parts], how="diagonal")
        self._changed |= {key: b"" for key in rows if key.startswith(_DROPPED)}
        self._watermarks.restore(rows)
        self._seen.restore(rows)

    def _clear_waiting(self) -> None:
        self._changed |= {f"{_WAITING}{part}": b"" for part in self._parts}
        self._parts = []

    def _keep_waiting(self, rows: pl.DataFrame) -> None:
        if rows.height:
            self._changed[f"{_WAITING}{self._number}"] = packed(rows)
            self._parts.append(self._number)
            self._number += 1

    def _count(self, rows: pl.DataFrame, gaps: Sequence[GapMark]) -> Counted:
        names = rows["source"].unique(maintain_order=True)
        source = rows["source"].replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()
        tick, seen = rows["tick"].to_numpy(), rows["seen_at"].to_numpy()
        late = self._watermarks.late(names.to_list(), source, tick, said(rows["platform"], rows["event_time"]), seen)
        lates = pl.DataFrame(schema=LATE)
        fresh = rows
        if late.any():
            behind = pl.Series("late", late)
            lates = rows.filter(behind).group_by("source").agg(pl.len().cast(pl.Int64).alias("posts")).sort("source")
            fresh = rows.filter(~behind)
        ticks, spoken = self._ticks(fresh)
        return Counted(ticks, lates, tuple(gaps), _heard(rows), spoken)

    def _ticks(self, fresh: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """TICKS: each event as a whole, and its narratives; and SPOKEN."""
        if fresh.is_empty():
            return pl.DataFrame(schema=TICKS), pl.DataFrame(schema=SPOKEN)
        rows = _Rows(
            fresh, fresh["tick"].to_numpy(), fresh["tag"].to_numpy().astype(np.int64), fresh["original"].to_numpy()
        )
        told = np.flatnonzero(fresh["narrative"].is_not_null().to_numpy())
        event, second = self._event(fresh["event"]), rows.tick.astype(np.uint64)
        inside = np.zeros(rows.tick.size, np.bool_)
        inside[told] = True
        scopes = [
            (mix(event, np.uint64(0)), np.ones(rows.tick.size, np.bool_)),
            (mix(event, few(fresh["narrative"])), inside),
        ]
        flags = self._new(rows, scopes)
        plain = {name: fresh[name].to_numpy() for name in ("posts", "reposts", "originals", "reach")}
        whole, narratives = (np.stack([(plain | each)[name] for name in _COUNTS]).astype(np.int64) for each in flags)
        group = np.concatenate([mix(scopes[0][0], second), mix(scopes[1][0], second)[told]])
        first, sums = _grouped(group, np.concatenate([whole, narratives[:, told]], axis=1))
        row = np.concatenate([np.arange(rows.tick.size), told])[first]
        spoken = spoken_of(fresh, pl.Series(flags[1]["claims"] | flags[1]["denials"]), _DENIAL)
        named = pl.when(pl.Series(first < rows.tick.size)).then(pl.lit("")).otherwise("narrative")
        keys = fresh.select((pl.col("tick") * SECOND).cast(TICKS["tick"]), *_KEY[1:])[row].with_columns(
            named.alias("narrative"), *(pl.Series(name, sums[place]) for place, name in enumerate(_COUNTS))
        )
        return keys.sort(_KEY), spoken

    def _new(self, rows: _Rows, scopes: list[tuple[Hashes, npt.NDArray[np.bool_]]]) -> list[dict[str, Flags]]:
        """Per scope (whole event, narrative): which rows are the first of their author, side or platform."""
        author = _author(rows.frame)
        platform = few(rows.frame["platform"])
        side = rows.tag.astype(np.uint64)
        spoken = rows.tag <= _DENIAL
        claim = rows.original & (rows.tag == _CLAIM)
        asked: list[tuple[npt.NDArray[np.bool_], Hashes]] = []
        for scope, inside in scopes:
            asked += [
                (inside & rows.original, mix(mix(scope, side + np.uint64(16)), author)),
                (inside & spoken, mix(mix(scope, side + np.uint64(32)), author)),
                (inside & claim, mix(mix(scope, np.uint64(48)), platform)),
            ]
        event, everybody = scopes[0]
        asked.append((everybody, mix(mix(event, np.uint64(64)), author)))
        *found, anybody = self._first(rows.tick, asked)
        nobody = np.zeros_like(anybody)
        return [_flags(rows.tag, [*found[:3], anybody]), _flags(rows.tag, [*found[3:], nobody])]

    def _event(self, events: pl.Series) -> Hashes:
        """A hash per row of its event, another one each time it is watched again."""
        hashes = few(events).copy()
        for event, times in self._times.items():
            here = (events == event).to_numpy()
            hashes[here] = mix(hashes[here], np.uint64(times))
        return hashes

    def _first(self, tick: Ints, asked: list[tuple[npt.NDArray[np.bool_], Hashes]]) -> list[npt.NDArray[np.bool_]]:
        """One look into the memory of keys for all questions."""
        rows = [np.flatnonzero(where) for where, _ in asked]
        keys = np.concatenate([key[row] for row, (_, key) in zip(rows, asked, strict=True)])
        ticks = tick[np.concatenate(rows)]
        new = self._seen.add(ticks, keys)
        found, at = [], 0
        for row in rows:
            flags = np.zeros(tick.size, np.bool_)
            flags[row] = new[at : at + row.size]
            found.append(flags)
            at += row.size
        return found


def _columns(clustered: pl.DataFrame) -> pl.DataFrame:
    """The creates of a CLUSTERED frame with their tick; times as integers."""
    repost = pl.col("repost_of").is_not_null() | (pl.col("via") == "repost").fill_null(value=False)
    return clustered.filter(pl.col("op") == "create").select(
        ((pl.col("seen_at").to_physical() // SECOND) + 1).alias("tick"),
        pl.col("seen_at").to_physical(),
        pl.col("event_time").to_physical(),
        "source",
        "platform",
        "id",
        "author",
        "voice",
        "event",
        "narrative",
        pl.col("tag").to_physical().cast(pl.Int64).fill_null(len(TAGS) - 1),
        pl.lit(1, pl.Int64).alias("posts"),
        repost.cast(pl.Int64).alias("reposts"),
        (~repost & pl.col("copy_of").is_null()).alias("original"),
        (~repost & pl.col("copy_of").is_null()).cast(pl.Int64).alias("originals"),
        pl.col("author_followers").fill_null(0).clip(0, MOST_FOLLOWERS).alias("reach"),
        (~repost & pl.col("copy_of").is_not_null()).alias("copy"),
        (pl.col("event_time") - pl.col("author_created_at") < YOUNG).fill_null(value=False).alias("young"),
        pl.coalesce("language", "lang").fill_null("und").alias("language"),
        pl.coalesce("root", "parent", "reply_to", "quote_of", "repost_of", "id").alias("thread"),
    )


def _second(at: datetime) -> int:
    """Whole seconds since 1970."""
    return (at - _EPOCH) // timedelta(seconds=1)


def _completed(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that an older version left, with the columns that have come since."""
    since = {
        "copy": ~pl.col("original") & (pl.col("reposts") == 0),
        "young": pl.lit(value=False),
        "voice": pl.lit(None, pl.String),
        "language": pl.lit("und"),
        "thread": pl.col("id"),
    }
    return rows.with_columns(told.alias(name) for name, told in since.items() if name not in rows.columns)


def _grouped(group: Hashes, counts: Ints) -> tuple[Ints, Ints]:
    """The place of the first of each group, and (counts, groups) their sums."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    starts = np.flatnonzero(np.append([True], ordered[1:] != ordered[:-1]))
    return order[starts], np.add.reduceat(counts[:, order], starts, axis=1)


def _heard(rows: pl.DataFrame) -> pl.DataFrame:
    """HEARD of rows in order of tick."""
    slot = ((pl.col("tick") - 1) // SLOT * (SLOT * SECOND)).cast(HEARD["slot"]).alias("slot")
    return rows.select("event", "source", "voice", slot).unique().sort("slot", "event", "source", "voice")


def _flags(tag: Ints, new: Sequence[Flags]) -> dict[str, Flags]:
    """The columns of TICKS that ask who is new, per row."""
    author, voice, platform, anybody = new
    columns = {name: author & (tag == code) for code, name in enumerate(_SIDES)}
    columns |= {"claim_authors": voice & (tag == _CLAIM), "denial_authors": voice & (tag == _DENIAL)}
    return columns | {"claim_platforms": platform, "authors": anybody}


def _author(rows: pl.DataFrame) -> Hashes:
    """Who wrote it, per platform; a post without an author stands for itself."""
    platform = few(rows["platform"])
    unknown = rows["author"].is_null().to_numpy()
    if not unknown.any():
        return mix(platform, hashed(rows["author"]))
    who = hashed(rows["author"].fill_null(rows["id"]))
    return mix(np.where(unknown, ~platform, platform), who)
