"""An archive → the batches that a daemon walked: its posts again, with every mark and change of events at its time.

Everything is matched, tagged and clustered anew. What an archive does not have any more is not walked as it was: a
deleted post is missing unless it answered or reposted one, an edited one has its last text from the begin, and an
outage is known at its end, and whole, however late or in how many pieces it was noted; that of a part of a source every
ten minutes while it lasted, as it was noted, though not at the same seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import polars as pl
from msgspec.structs import replace

from monitor.alert.silence import made_at
from monitor.app.walk import UPTO
from monitor.collect.polling import PIECE
from monitor.frames import POSTS, Batch
from monitor.marks import GapMark, Mark, Silence, StatusMark
from monitor.store.reader import Reader
from monitor.watched import Event, Exchange

AT_ONCE = 16_384
_JUST_BEFORE = timedelta(microseconds=1)
_FIRST = datetime.fromtimestamp(0, UTC)


class Step(NamedTuple):
    """One batch; before it, these events are watched and no others, or the same ones as before."""

    batch: Batch
    events: Sequence[Event] | None = None


class _Turn(NamedTuple):
    """What came with the stream at a time beside posts."""

    at: datetime
    marks: tuple[Mark, ...] = ()
    events: Sequence[Event] | None = None


def watched_first(reader: Reader) -> Sequence[Event] | None:
    """The events that were watched when the archive began; None where it does not say."""
    exchanges = reader.exchanges()
    return exchanges[0].events if exchanges else None


def walked_again(reader: Reader, size: int = AT_ONCE, *, as_watched: bool = True) -> Iterator[Step]:
    """Batches of at most `size` posts, in the order of the stream; `as_watched`: with what was watched when."""
    exchanges = reader.exchanges()[1:] if as_watched else []
    turns = _turns(reader.every_mark(), exchanges)
    number, upto = 0, None
    while True:
        mentions, number = reader.following(number, size)
        if mentions.is_empty():
            break
        posts = mentions.select(POSTS.keys()).unique(("seen_at", "platform", "id"), keep="first", maintain_order=True)
        seen = max(posts["seen_at"][-1], upto or posts["seen_at"][0])
        while turns and turns[0].at <= seen:
            turn = turns.pop(0)
            at = max(turn.at, upto or turn.at)
            earlier, now = posts.filter(pl.col("seen_at") < at), posts.filter(pl.col("seen_at") == at)
            yield Step(Batch(earlier, max(at - _JUST_BEFORE, upto or at - _JUST_BEFORE)))
            yield Step(Batch(now, at, turn.marks), turn.events)
            posts, upto = posts.filter(pl.col("seen_at") > at), at
        yield Step(Batch(posts, seen))
        upto = seen
    yield from _rest(turns, upto, _end(reader), pl.DataFrame(schema=POSTS))


def _rest(turns: Sequence[_Turn], upto: datetime | None, end: datetime | None, nothing: pl.DataFrame) -> Iterator[Step]:
    """What came when no mention did any more."""
    for turn in turns:
        at = max(turn.at, upto or turn.at)
        yield Step(Batch(nothing, max(at - _JUST_BEFORE, upto or at - _JUST_BEFORE)))
        yield Step(Batch(nothing, at, turn.marks), turn.events)
        upto = at
    if end is not None and (upto is None or end > upto):
        yield Step(Batch(nothing, end))


def _turns(marks: Sequence[Mark], exchanges: Sequence[Exchange]) -> list[_Turn]:
    """In order of time; what a voice's own word set is left out, for it is read in its post again."""
    told = [mark for mark in marks if not (isinstance(mark, StatusMark) and mark.voice)]
    turns = [_Turn(at, tuple(pieces)) for at, pieces in groupby(while_they_lasted(told), key=_time)]
    turns += [_Turn(_time(mark), (mark,)) for mark in told]
    turns += [_Turn(one.at, events=one.events) for one in exchanges]
    return sorted(turns, key=lambda turn: turn.at)


def while_they_lasted(marks: Iterable[Mark]) -> list[GapMark]:
    """What was known of the outages of parts of sources while they lasted, all at the same times, in order."""
    pieces: list[GapMark] = []
    for gap in marks:
        if isinstance(gap, GapMark) and gap.partial:
            at = gap.begins + PIECE - (gap.begins - _FIRST) % PIECE
            while at < gap.ends:
                pieces.append(replace(gap, ends=at, goes_on=True))
                at += PIECE
    return sorted(pieces, key=_time)


def _time(mark: Mark) -> datetime:
    """When a mark came."""
    if isinstance(mark, GapMark):
        return mark.ends
    return made_at(mark) if isinstance(mark, Silence) else mark.at


def _end(reader: Reader) -> datetime | None:
    """How far the stream was walked."""
    walked = reader.state_row(UPTO)
    return datetime.fromisoformat(walked.decode()) if walked else None
