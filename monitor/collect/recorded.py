"""Recorded posts (NDJSON, Parquet, standard input) → batches in ORDER.

A recording in order of time is streamed in bounded memory; one that is not is read whole and sorted. Rows of the newest
seen time wait for the next chunk, so the order within a moment does not depend on where chunks end.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import polars as pl

from monitor.collect.parquet import parquet_chunks, parquet_times
from monitor.collect.post1 import EARLIEST, Decoded, decode
from monitor.errors import SettingsError
from monitor.frames import ORDER, POSTS, TIME, Batch

SOURCE = "replay"
CHUNK = 4 << 20
LONGEST_LINE = 8 << 20
LARGEST_TO_SORT = 5_000_000


class _Times(msgspec.Struct):
    created_at: str | None = None
    seen_at: str | None = None


class Recording(NamedTuple):
    """Files to play, what is known of them before they are played."""

    paths: tuple[Path, ...]
    documents: int
    in_order: bool


@contextmanager
def standard_input_as_file() -> Iterator[Path]:
    """Standard input, read to its end into a temporary file."""
    with tempfile.NamedTemporaryFile(prefix="monitor-stdin-", suffix=".ndjson") as spool:
        while block := sys.stdin.buffer.read(CHUNK):
            spool.write(block)
        spool.flush()
        yield Path(spool.name)


def survey(paths: Sequence[Path]) -> Recording:
    """Reads only the times of the inputs: how many documents, and whether they are in order of seen time.

    Raises SettingsError for files that are missing or of no known kind.
    """
    mistakes = [f"{path}: no such file" for path in paths if not path.is_file()]
    mistakes += [f"{path}: the name must end in .ndjson, .jsonl or .parquet" for path in paths if not _known(path)]
    if mistakes:
        raise SettingsError(mistakes)
    documents, in_order, newest = 0, True, None
    for path in paths:
        for times in parquet_times(path) if path.suffix == ".parquet" else _line_times(path):
            documents += times.len()
            known = times.drop_nulls()
            if known.is_empty():
                continue
            first, last = known[0], known[-1]
            in_order = in_order and known.is_sorted() and (newest is None or newest <= first)
            newest = last
    if not in_order and documents > LARGEST_TO_SORT:
        why = f"{documents:,} posts out of order of seen_at; sort them first (done here up to {LARGEST_TO_SORT:,})"
        raise SettingsError([f"{paths[0]}: {why}"])
    return Recording(tuple(paths), documents, in_order)


def batches(recording: Recording, batch_posts: int) -> Iterator[Batch]:
    """The recording's posts in ORDER, at most `batch_posts` to a batch; the last, empty one completes the stream."""
    rejected: Counter[tuple[str, str]] = Counter()
    newest = EARLIEST
    for chunk in _ordered(_decoded(recording.paths), rejected, sort_all=not recording.in_order):
        for part in chunk.iter_slices(batch_posts):
            newest = part["seen_at"][-1]
            yield Batch(part, upto=newest, rejected=dict(rejected))
            rejected.clear()
    yield Batch(pl.DataFrame(schema=POSTS), upto=newest + timedelta(seconds=1), rejected=dict(rejected))


def _ordered(
    decoded: Iterable[Decoded], rejected: Counter[tuple[str, str]], *, sort_all: bool
) -> Iterator[pl.DataFrame]:
    """Frames whose concatenation is in ORDER; never an empty one."""
    held: list[pl.DataFrame] = []
    for posts, reasons in decoded:
        rejected.update({(SOURCE, reason): count for reason, count in reasons.items()})
        if posts.is_empty():
            continue
        held.append(posts)
        if sort_all:
            continue
        frame = _seen_filled(pl.concat(held))
        newest = frame["seen_at"].max()
        ready = frame.filter(pl.col("seen_at") < newest)
        if not ready.is_empty():
            yield ready.sort(ORDER)
        held = [frame.filter(pl.col("seen_at") == newest)]
    if held:
        yield _seen_filled(pl.concat(held)).sort(ORDER)


def _seen_filled(posts: pl.DataFrame) -> pl.DataFrame:
    """A recorded delete or count without a time was seen when the document before it was."""
    return posts.with_columns(pl.col("seen_at").forward_fill().backward_fill().fill_null(pl.lit(EARLIEST, dtype=TIME)))


def _known(path: Path) -> bool:
    return path.suffix in {".ndjson", ".jsonl", ".json", ".parquet"}


def _decoded(paths: Iterable[Path]) -> Iterator[Decoded]:
    for path in paths:
        if path.suffix == ".parquet":
            yield from parquet_chunks(path, SOURCE)
        else:
            with path.open("rb") as file:
                for lines in _chunks(file):
                    yield decode(lines, SOURCE) if lines else Decoded(pl.DataFrame(schema=POSTS), Counter(over_size=1))


def _line_times(path: Path) -> Iterator[pl.Series]:
    decoder = msgspec.json.Decoder(_Times)
    with path.open("rb") as file:
        for lines in _chunks(file):
            times = list(_times_of(lines, decoder))
            yield (
                pl.Series(times, dtype=pl.String)
                .str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
                .cast(TIME)
            )


def _times_of(lines: bytes, decoder: msgspec.json.Decoder[_Times]) -> Iterator[str | None]:
    try:
        found = decoder.decode_lines(lines)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = []
        for line in lines.split(b"\n"):
            try:
                found.append(decoder.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
    return (times.seen_at or times.created_at for times in found)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines, about CHUNK bytes at a time; b"" stands for one line over LONGEST_LINE."""
    rest, skipping = b"", False
    while block := file.read(CHUNK):
        if skipping:
            _, newline, block = block.partition(b"\n")
            if not newline:
                continue
            skipping = False
        lines, newline, tail = block.rpartition(b"\n")
        if newline:
            yield rest + lines + newline
            rest = tail
        else:
            rest += tail
        if len(rest) > LONGEST_LINE:
            yield b""
            rest, skipping = b"", True
    if rest:
        yield rest
