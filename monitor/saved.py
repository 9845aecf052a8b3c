"""How what a stage knows becomes rows: frames as bytes, events as text, and sets of 64-bit keys that only grow.

A batch writes what it added and not what there is: a row is rewritten only while it is short.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.watched import Duration, Event

Keys = npt.NDArray[np.uint64]

_LONGEST = 8_192
"""Bytes from which a row of keys is left alone and the next one begun."""


def packed(frame: pl.DataFrame) -> bytes:
    """A frame as bytes."""
    buffer = BytesIO()
    frame.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def unpacked(row: bytes) -> pl.DataFrame:
    """The frame of `packed`."""
    return pl.read_ipc(BytesIO(row))


def events_text(events: Sequence[Event]) -> str:
    """Events as a JSON list, each as in its file."""
    return msgspec.json.encode(events, enc_hook=_written).decode()


def events_of(text: str) -> tuple[Event, ...]:
    """The events of `events_text`."""
    return msgspec.json.decode(text, type=tuple[Event, ...], dec_hook=_read)


def _written(value: object) -> str:
    if not isinstance(value, Duration):
        raise NotImplementedError(type(value))
    return f"{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"


def _read(wanted: type[object], value: str) -> Duration:
    if wanted is not Duration:
        raise NotImplementedError(wanted)
    return Duration.parse(value)


class Ledger:
    """Keys by generation, as rows `<prefix><generation>/<number>`; generations are dropped from the oldest on."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._tails: dict[int, tuple[int, bytes]] = {}
        """Generation → number of its last row, and what stands there so far."""
        self._changed: dict[str, bytes] = {}

    def note(self, generation: int, keys: Keys) -> None:
        """Adds keys to a generation."""
        if not keys.size:
            return
        number, tail = self._tails.get(generation, (0, b""))
        if len(tail) >= _LONGEST:
            number, tail = number + 1, b""
        tail += np.ascontiguousarray(keys).tobytes()
        self._tails[generation] = number, tail
        self._changed[self._row(generation, number)] = tail

    def drop(self, before: int) -> None:
        """Deletes the generations before one."""
        for generation in [one for one in self._tails if one < before]:
            last, _ = self._tails.pop(generation)
            self._changed |= {self._row(generation, number): b"" for number in range(last + 1)}

    def changed(self) -> dict[str, bytes]:
        """The rows that changed since the last call; an empty one is to delete."""
        rows, self._changed = self._changed, {}
        return rows

    def load(self, rows: Mapping[str, bytes]) -> dict[int, Keys]:
        """Takes up all these rows; gives the keys of each generation, oldest generation first."""
        found: dict[int, dict[int, bytes]] = {}
        for key, row in rows.items():
            if key.startswith(self._prefix) and row:
                generation, number = key.removeprefix(self._prefix).split("/")
                found.setdefault(int(generation), {})[int(number)] = row
        keys: dict[int, Keys] = {}
        for which, parts in sorted(found.items()):
            last = max(parts)
            self._tails[which] = last, parts[last]
            keys[which] = np.frombuffer(b"".join(parts[number] for number in sorted(parts)), np.uint64)
        return keys

    def _row(self, generation: int, number: int) -> str:
        return f"{self._prefix}{generation}/{number}"
