"""The points of a grid, judged on several cores: each process takes a run of points and reads the same counts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from monitor.app.backtest.counts import CountsReader
from monitor.app.backtest.judging import Events, judged, order
from monitor.errors import StoreError
from monitor.judge.rates import Rates
from monitor.records import Alert
from monitor.saved import events_of, events_text


class _Work(msgspec.Struct):
    """What a process is to do."""

    events: list[str]
    """As JSON, of each point."""
    rates: list[list[list[float]]] | None


class _Said(msgspec.Struct):
    """What a process says: how far it is, and in the end what it found."""

    parts: int
    steps: list[list[Alert]] | None = None


def judged_by(
    jobs: int,
    folder: Path,
    points: Sequence[Events],
    rates: Rates | None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[list[Alert]]:
    """The steps of every point's alerts, in the order of the points; the same whatever `jobs` is.

    `progress` hears how many of how many units of work are done. Raises StoreError if a process was killed.
    """
    reader = CountsReader(folder)
    shares = [share.tolist() for share in np.array_split(np.array(order(points)), min(jobs, max(len(points), 1)))]
    found: list[list[Alert]] = [[] for _ in points]
    whole = reader.recorded.parts * len(points)
    done = [0] * len(shares)

    def note(number: int, parts: int) -> None:
        done[number] = parts * len(shares[number])
        progress(sum(done), whole)

    if len(shares) == 1:
        results = [judged(reader, [points[at] for at in shares[0]], rates, lambda parts: note(0, parts))]
    else:
        results = _apart(folder, [[points[at] for at in share] for share in shares], rates, note)
    for share, steps in zip(shares, results, strict=True):
        for at, mine in zip(share, steps, strict=True):
            found[at] = mine
    return found


def _apart(
    folder: Path, shares: Sequence[Sequence[Events]], rates: Rates | None, note: Callable[[int, int], None]
) -> list[list[list[Alert]]]:
    """Each share in a process of its own."""
    found: dict[int, list[list[Alert]]] = {}
    with _processes(folder, shares, rates) as connections:
        waiting = dict(zip(connections, range(len(shares)), strict=True))
        while waiting:
            for ready in wait(list(waiting)):
                assert isinstance(ready, Connection)  # noqa: S101 -- `wait` takes other things, too
                number = waiting[ready]
                try:
                    said = msgspec.msgpack.decode(ready.recv_bytes(), type=_Said)
                except EOFError as error:
                    why = "a process that was judging ended; if the machine ran out of memory, try with --jobs 1"
                    raise StoreError(why) from error
                note(number, said.parts)
                if said.steps is not None:
                    found[number] = said.steps
                    del waiting[ready]
    return [found[number] for number in range(len(shares))]


@contextmanager
def _processes(folder: Path, shares: Sequence[Sequence[Events]], rates: Rates | None) -> Iterator[list[Connection]]:
    """Processes at work, and where each is heard; they end with the context."""
    ends = None if rates is None else [each.tolist() for each in rates]
    works = [folder / f"work-{number}.json" for number in range(len(shares))]
    for work, share in zip(works, shares, strict=True):
        work.write_bytes(msgspec.json.encode(_Work([events_text(events) for events in share], ends)))
    started: list[_Process] = []
    try:
        started += (_start(folder, work) for work in works)
        yield [one.heard for one in started]
    finally:
        for one in started:
            if one.process.is_alive():
                one.process.terminate()
            one.process.join()
            one.heard.close()


class _Process(NamedTuple):
    process: SpawnProcess
    heard: Connection


def _start(folder: Path, work: Path) -> _Process:
    context = get_context("spawn")
    heard, said = context.Pipe(duplex=False)
    process = context.Process(target=work_on, args=(said, str(folder), str(work)), daemon=True)
    process.start()
    said.close()
    return _Process(process, heard)


def work_on(said: Connection, folder: str, work: str) -> None:
    """A process: judges its share and says how far it is."""
    asked = msgspec.json.decode(Path(work).read_bytes(), type=_Work)
    rates = None if asked.rates is None else Rates(*(np.array(each) for each in asked.rates))
    reader = CountsReader(Path(folder))

    def note(parts: int) -> None:
        said.send_bytes(msgspec.msgpack.encode(_Said(parts)))

    steps = judged(reader, [events_of(text) for text in asked.events], rates, note)
    said.send_bytes(msgspec.msgpack.encode(_Said(reader.recorded.parts, steps)))
    said.close()
