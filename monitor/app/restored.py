"""Where a walk goes on: the one place where what a store holds is read back into the stages."""

import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import TracebackType

import msgspec
import polars as pl

from monitor.app.walk import UPTO, Walk
from monitor.errors import StoreError
from monitor.store.left import Left

UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
    pl.exceptions.PolarsError,
    struct.error,
)
"""What reading rows of another shape ends in."""


def restored(walk: Walk, left: Left, *others: Callable[[Mapping[str, bytes]], None]) -> datetime | None:
    """Lets `walk`, and `others` who keep rows, go on where others left off; answers up to when that was, if ever.

    Raises StoreError where another build wrote the rows, or they are damaged; the walk is of no use then.
    """
    try:
        for restore in others:
            restore(left.state)
        walk.restore(left.state, left.remembered, left.corrections)
        return datetime.fromisoformat(left.state[UPTO].decode()) if UPTO in left.state else None
    except UNREADABLE as error:
        why = (
            f"the store's state rows of {_stage(error)} cannot be read back ({type(error).__name__}): another build "
            "wrote them, or they are damaged; start the version that wrote them, or move the store away and bring back "
            "a backup with `monitor db restore FILE`; where there is none, start on a new store, where events warm up"
        )
        raise StoreError(why) from error


def _stage(error: BaseException) -> str:
    """The stage that met the error last."""
    names = [name.split(".") for name in _modules(error.__traceback__)]
    stages = [name[1] for name in names if len(name) > len(("monitor", "stage")) and name[:2] != ["monitor", "app"]]
    return stages[-1] if stages else "the walk"


def _modules(trace: TracebackType | None) -> Iterator[str]:
    """The monitor's modules on the way to an error."""
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if name.startswith("monitor."):
            yield name
        trace = trace.tb_next
