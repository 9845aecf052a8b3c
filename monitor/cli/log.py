"""The process's log on standard error: one safe line per record, for people or for a log collector, and never a flood.

Texts of posts and words of strangers get into messages; whatever could act on a terminal or begin a line of its own is
escaped. What repeats is counted instead of written, so that a flood of bad posts cannot fill a disk.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, TextIO

import msgspec

from monitor.settings import LogFormat, LogSettings

FIELDS = ("source", "event", "narrative", "alert", "receiver", "reason")
"""What a record may say beside its message, through `extra`."""
MOST_ALIKE = 10
"""Records of one kind that are written in a PERIOD; the others are counted."""
MOST = 600
"""Records of all kinds that are written in a PERIOD."""
PERIOD = 60.0
"""Seconds."""
LONGEST = 8_192
"""Characters of a message, and of a traceback: its end."""

_MOST_KINDS = 1_000
_MORE = "and %d more like this in %.0f s: %s"
_ALL = "and %d more of many kinds in %.0f s"


def begin(settings: LogSettings, stream: TextIO) -> None:
    """Sends what the process logs, and Python's warnings, to `stream`."""
    written: logging.Formatter = Json() if settings.format is LogFormat.JSON else Text()
    lines = Lines(stream)
    lines.setFormatter(written)
    logging.basicConfig(level=settings.level.value.upper(), handlers=[lines], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    sys.excepthook = _last_word


def _last_word(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An error that ends the process is a record like any other: escaped, bounded, in the format that was asked for."""
    logging.getLogger("monitor").critical("a bug ends the monitor; please report it", exc_info=(kind, error, trace))
    logging.shutdown()


def last(lines: Sequence[str]) -> bool:
    """Says what ends the process in the log, if that is JSON; whether it did."""
    ours = [one for one in logging.getLogger().handlers if isinstance(one, Lines) and isinstance(one.formatter, Json)]
    for one in ours[:1]:
        for line in lines:
            one.write(logging.LogRecord("monitor", logging.CRITICAL, "", 0, "%s", (line,), None))
    return bool(ours)


class Lines(logging.StreamHandler[TextIO]):
    """Writes records, but for those that repeat too often; what was left out is told as soon as anything is logged."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._sampling = Sampling()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record if it is its turn, and what is to be said of earlier ones."""
        for one in self._sampling.passed(record):
            super().emit(one)

    def write(self, record: logging.LogRecord) -> None:
        """Writes a record, however many there were."""
        super().emit(record)

    def close(self) -> None:
        """Says what was left out."""
        for one in self._sampling.rest():
            super().emit(one)
        super().close()


class _Kind(NamedTuple):
    """Records that say the same of the same thing."""

    logger: str
    level: int
    template: str
    source: str
    receiver: str


class _Run:
    """One kind in one period."""

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.seen = 0
        self.left_out = 0


class Sampling:
    """Which records are written; their own times are the clock."""

    def __init__(self) -> None:
        self._runs: dict[_Kind, _Run] = {}
        self._all = _Run(0.0)

    def passed(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """What is written when this record comes: what is over is summed up first."""
        told = [*self._over(record.created)]
        kind = _Kind(
            record.name,
            record.levelno,
            str(record.msg)[:LONGEST],
            str(getattr(record, "source", "")),
            str(getattr(record, "receiver", "")),
        )
        run = self._runs.setdefault(kind, _Run(record.created))
        run.seen += 1
        if run.seen > MOST_ALIKE:
            run.left_out += 1
        elif self._all.seen >= MOST:
            self._all.left_out += 1
        else:
            self._all.seen += 1
            told.append(record)
        return told

    def rest(self) -> list[logging.LogRecord]:
        """What was left out and not said yet."""
        return [*self._over(float("inf"))]

    def _over(self, now: float) -> Iterator[logging.LogRecord]:
        """Sums up the periods that are over; the clock may have been set back."""
        for kind, run in list(self._runs.items()):
            if not 0 <= now - run.begun < PERIOD or len(self._runs) > _MOST_KINDS:
                del self._runs[kind]
                if run.left_out:
                    passed = min(now, run.begun + PERIOD) - run.begun
                    yield _summary(kind, _MORE, (run.left_out, max(passed, 0.0), kind.template), now)
        if not 0 <= now - self._all.begun < PERIOD:
            if self._all.left_out:
                nobody = _Kind(__name__, logging.WARNING, "", "", "")
                yield _summary(nobody, _ALL, (self._all.left_out, PERIOD), now)
            self._all = _Run(now)


def _summary(kind: _Kind, message: str, values: tuple[object, ...], now: float) -> logging.LogRecord:
    record = logging.LogRecord(kind.logger, kind.level, "", 0, message, values, None)
    if now != float("inf"):
        record.created = now
    record.source, record.receiver = kind.source, kind.receiver
    return record


class Text(logging.Formatter):
    """`2021-09-03T12:00:00.000Z WARNING monitor.collect.file: message`; lines of a traceback begin with a bar."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback where there is one."""
        line = f"{_at(record)} {record.levelname} {escaped(record.name)}: {escaped(_message(record))}"
        return "\n    | ".join([line, *(escaped(one) for one in _traceback(self, record).splitlines())])


class Json(logging.Formatter):
    """One JSON object per line: at, level, logger, message, those of FIELDS it has, and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": escaped(_message(record)),
        }
        line |= {name: escaped(str(value)[:LONGEST]) for name in FIELDS if (value := getattr(record, name, ""))}
        if traceback := _traceback(self, record):
            line["traceback"] = "\n".join(escaped(one) for one in traceback.splitlines())
        return msgspec.json.encode(line).decode()


def escaped(text: str) -> str:
    """The text with everything that is not seen, or acts, written as an escape: line breaks, controls, bidi marks."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _at(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    more = len(message) - LONGEST
    return f"{message[:LONGEST]}… and {more} characters more" if more > 0 else message


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    found = formatter.formatException(record.exc_info) if record.exc_info else ""
    return found[-LONGEST:]
