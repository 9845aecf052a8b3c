"""The log: one safe line per record, and never a flood."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.log import LONGEST, MOST, MOST_ALIKE, PERIOD, Json, Lines, Sampling, Text, begin
from monitor.settings import LogFormat, LogLevel, LogSettings

AT = 1_630_670_400.25


def record(
    message: str, *values: object, at: float = AT, level: int = logging.WARNING, **extra: str
) -> logging.LogRecord:
    made = logging.LogRecord("monitor.collect.file", level, "", 0, message, values, None)
    made.created = at
    vars(made).update(extra)
    return made


def test_a_line_of_json_has_time_level_logger_message_and_the_fields_there_are() -> None:
    line = Json().format(record("source %s: lost", "posts", source="posts", receiver="", other="x"))
    assert json.loads(line) == {
        "at": "2021-09-03T12:00:00.250Z",
        "level": "warning",
        "logger": "monitor.collect.file",
        "message": "source posts: lost",
        "source": "posts",
    }


def test_a_line_of_text_has_time_level_logger_and_message() -> None:
    assert Text().format(record("hello")) == "2021-09-03T12:00:00.250Z WARNING monitor.collect.file: hello"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\nWARNING b", r"a\nWARNING b"),
        ("a\r\x1b[2Jb", r"a\r\x1b[2Jb"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
        ("a\u202eb", r"a\u202eb"),
        ("a\ud800b", r"a\ud800b"),
        ("پنجشیر", "پنجشیر"),
    ],
    ids=ascii,
)
def test_what_acts_is_escaped(hostile: str, shown: str) -> None:
    assert Text().format(record("%s", hostile)).endswith(f": {shown}")
    assert json.loads(Json().format(record("%s", hostile, source=hostile)))["source"] == shown


@given(st.text(max_size=200), st.text(max_size=50))
def test_whatever_a_text_holds_it_is_one_line(text: str, field: str) -> None:
    for written in (Text(), Json()):
        line = written.format(record("source %s", text, source=field))
        assert len(line.splitlines()) == 1
        line.encode()


def test_no_line_of_a_traceback_can_pass_for_a_record() -> None:
    made = record("failed")
    try:
        raise ValueError("x\n2021-09-03T12:00:00.250Z INFO monitor: all is well")  # noqa: EM101, TRY301, TRY003 -- hostile on purpose
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    lines = Text().format(made).splitlines()
    assert lines[0].endswith(": failed")
    assert all(line.startswith("    | ") for line in lines[1:])
    assert "ValueError" in json.loads(Json().format(made))["traceback"]


def test_a_message_has_an_end() -> None:
    assert len(Text().format(record("%s", "x" * 10**6))) < LONGEST + 200


def test_a_message_that_repeats_is_counted_and_summed_up_when_its_minute_is_over() -> None:
    sampling = Sampling()
    written = [
        one
        for number in range(130)
        for one in sampling.passed(record("source %s: %d bad", "posts", number, at=AT + number / 10, source="posts"))
    ]
    assert [one.getMessage() for one in written] == [f"source posts: {number} bad" for number in range(MOST_ALIKE)]
    told = sampling.passed(record("something else", at=AT + PERIOD))
    assert [one.getMessage() for one in told] == [
        "and 120 more like this in 60 s: source %s: %d bad",
        "something else",
    ]
    assert Json().format(told[0]) == Json().format(record(told[0].getMessage(), at=AT + PERIOD, source="posts"))


def test_after_its_minute_a_message_is_written_again() -> None:
    sampling = Sampling()
    for _ in range(MOST_ALIKE + 5):
        sampling.passed(record("bad"))
    assert [one.getMessage() for one in sampling.passed(record("bad", at=AT + PERIOD))] == [
        "and 5 more like this in 60 s: bad",
        "bad",
    ]


def test_one_source_does_not_hide_another() -> None:
    sampling = Sampling()
    for _ in range(50):
        sampling.passed(record("bad", source="loud"))
    assert sampling.passed(record("bad", source="quiet"))
    assert sampling.passed(record("bad", level=logging.ERROR, source="loud"))


def test_a_flood_of_ever_new_messages_is_bounded_too() -> None:
    sampling = Sampling()
    written = sum(len(sampling.passed(record(f"new {number}"))) for number in range(5 * MOST))
    assert written == MOST
    assert f"and {4 * MOST} more of many kinds in 60 s" in [one.getMessage() for one in sampling.rest()]


def test_a_clock_that_is_set_back_does_not_silence_anything() -> None:
    sampling = Sampling()
    for _ in range(50):
        sampling.passed(record("bad", at=AT + 86_400))
    assert [one.getMessage() for one in sampling.passed(record("bad"))][-1] == "bad"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, given back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    logger.handlers = []
    yield logger
    logging.captureWarnings(capture=False)
    logger.handlers = handlers
    logger.setLevel(level)


def test_the_process_logs_what_is_important_enough_and_says_at_its_end_what_was_left_out(root: logging.Logger) -> None:
    stream = io.StringIO()
    begin(LogSettings(level=LogLevel.WARNING, format=LogFormat.JSON), stream)
    log = logging.getLogger("monitor.test")
    log.info("not this")
    for number in range(MOST_ALIKE + 3):
        log.warning("number %d", number, extra={"receiver": "desk"})
    (lines,) = root.handlers
    assert isinstance(lines, Lines)
    lines.close()
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [one["message"] for one in found][-2:] == ["number 9", "and 3 more like this in 60 s: number %d"]
    assert {one["receiver"] for one in found} == {"desk"}


def test_a_line_of_text_is_the_default(root: logging.Logger) -> None:
    stream = io.StringIO()
    begin(LogSettings(), stream)
    root.info("hello\nthere")
    assert stream.getvalue().endswith("Z INFO root: hello\\nthere\n")
