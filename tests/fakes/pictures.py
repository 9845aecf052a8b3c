"""Alerts with a chart, and what stands in a PNG."""

import struct
import zlib
from datetime import timedelta
from typing import Any

from monitor.records import Alert, Series
from tests.fakes.alerts import AT, an_alert


def charted(*, minutes: int = 30, spikes: tuple[Any, ...] = (), **fields: Any) -> Alert:  # noqa: ANN401 -- any field
    """An alert whose claims rise before it and whose denials come late."""
    claims = tuple(max(0, number - minutes // 2) // 2 for number in range(minutes))
    denials = tuple(max(0, number - minutes + 4) for number in range(minutes))
    celebrations = tuple(number % 3 if number > minutes // 2 else 0 for number in range(minutes))
    series = Series(
        begins=AT - timedelta(minutes=minutes - 1),
        claims=claims,
        denials=denials,
        celebrations=celebrations,
        spikes=spikes,
    )
    return an_alert(series=series, **fields)


def pixels(png: bytes, rows_of: range) -> list[list[int]]:
    """The brightness of every pixel of some rows, 0 to 255 (PNG, 8 bits a channel, no interlace)."""
    place, data, width, channels = 8, b"", 0, 4
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, _, depth, colour = struct.unpack_from(">IIBB", body)
            assert depth == 8
            channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
        elif kind == b"IDAT":
            data += body
        place += 12 + length
    raw, row_length = zlib.decompress(data), width * channels
    rows: list[list[int]] = []
    before = [0] * row_length
    for number in range(rows_of.stop):
        begin = number * (row_length + 1)
        before = _unfiltered(raw[begin], raw[begin + 1 : begin + 1 + row_length], before, channels)
        if number in rows_of:
            rows.append([sum(before[at : at + 3]) // 3 for at in range(0, row_length, channels)])
    return rows


def _unfiltered(kind: int, line: bytes, above: list[int], channels: int) -> list[int]:
    made: list[int] = []
    for at, value in enumerate(line):
        left = made[at - channels] if at >= channels else 0
        corner = above[at - channels] if at >= channels else 0
        guess = (0, left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))[kind]
        made.append((value + guess) & 255)
    return made


def _paeth(left: int, up: int, corner: int) -> int:
    near = left + up - corner
    return min((abs(near - left), 0, left), (abs(near - up), 1, up), (abs(near - corner), 2, corner))[2]
