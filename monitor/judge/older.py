"""Rows of races that an older version left, as they are now: a race that goes on does so, and so does its alert."""

from typing import Any

import msgspec

from monitor.judge.crowd import Crowd
from monitor.judge.dispersion import Clumps
from monitor.judge.tally import DENIALS, Tally

_FORMER = 11
"""Fields of a tally before a race knew who is behind it: `blocks` stood where clumps, crowd and untested are now."""
_NEITHER = 3


def tally_of(row: bytes) -> Tally:
    """A tally; of an older one the counts and the finding go on, who is behind them is counted from now on."""
    told: list[Any] = msgspec.msgpack.decode(row)
    if len(told) != _FORMER:
        return msgspec.msgpack.decode(row, type=Tally)
    before, (_, *after) = told[:6], told[6:]
    counts: list[int] = told[4]
    return msgspec.convert(
        [*before, *msgspec.to_builtins([Clumps(), Crowd(), [0, 0]]), *after, counts[DENIALS] > 0], type=Tally
    )


def epoch_of(told: list[Any] | None) -> list[Any] | None:
    """An epoch as it is encoded; an older one has one number of posts on neither side: they were others."""
    if told is None or isinstance(told[_NEITHER], list):
        return told
    return [*told[:_NEITHER], [0, 0, told[_NEITHER]], *told[_NEITHER + 1 :]]
