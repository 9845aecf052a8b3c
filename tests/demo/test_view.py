"""What the demo draws, prints and says at its end."""

import asyncio
import io
import re
from datetime import timedelta
from typing import Literal
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from rich.console import Console, RenderableType

from monitor.alert.message import card_text
from monitor.demo.board import Board
from monitor.demo.picture import picture
from monitor.demo.play import Outcome
from monitor.demo.summary import summary
from monitor.demo.view import bar, headline, progress, render, spark
from monitor.frames import TAGS, Tag
from tests.demo.boards import a_board, a_step
from tests.demo.plays import played
from tests.fakes.alerts import an_alert

HOSTILE = "[bold red]x[/] [link=https://evil.example]y[/link] \x1b[31mred\x1b[0m \u202egnorw\u202c \a[/nothing]"
PANELS = (
    "tags per minute",
    "the race",
    "narratives (originals)",
    "feeds: posts, last seen",
    "alerts",
    "the newsroom's chat",
)


def hostile_board() -> Board:
    alert = an_alert(label=HOSTILE, reason=HOSTILE)
    board = a_board(a_step(HOSTILE, (alert,)))
    board.title = HOSTILE
    board.show([HOSTILE + "\n" + card_text(alert)])
    return board


def drawn(view: RenderableType, width: int = 100, height: int = 30, *, colour: bool = False) -> str:
    file = io.StringIO()
    system: Literal["truecolor"] | None = "truecolor" if colour else None
    console = Console(file=file, width=width, height=height, force_terminal=colour, color_system=system)
    console.print(view)
    return file.getvalue()


def test_a_terminal_of_100_by_30_shows_every_panel() -> None:
    board = a_board(a_step(alerts=(an_alert(),)))
    board.show([card_text(an_alert())])
    text = drawn(render(board, 100, 30, "60 × real time"))
    assert len(text.splitlines()) == 30
    assert max(map(len, text.splitlines())) == 100
    for panel in PANELS:
        assert panel in text
    for word in ("Fri 03 Sep 2021 13:00 UTC", "60 × real time", "50 posts, 50 mentions", "telegram", "claims outrun"):
        assert word in text
    for word in ("log E 5.5 of 6.2", "P(ahead) 0.97", "SPIKE 10×", "viral-unconfirmed", "UNCONFIRMED · firing"):
        assert word in text


@pytest.mark.parametrize(("width", "height"), [(200, 60), (80, 24), (76, 20), (60, 40), (40, 12), (20, 5)])
def test_any_terminal_gets_a_view_of_its_size(width: int, height: int) -> None:
    board = hostile_board()
    lines = drawn(render(board, width, height, "max"), width, height).splitlines()
    assert len(lines) == height
    assert max(map(len, lines)) <= width


def test_an_empty_board_can_be_drawn() -> None:
    text = drawn(render(a_board(), 100, 30, "max"))
    for word in ("no race runs", "no post yet", "none so far", "nothing yet"):
        assert word in text


def test_text_of_posts_neither_acts_as_markup_nor_on_the_terminal() -> None:
    for width in (100, 60):
        view = drawn(render(hostile_board(), width, 40, "max"), width, 40, colour=True)
        assert "[bold red]x[/]" in view
        escapes = re.findall(r"\x1b\[?([^A-Za-z\\]*[A-Za-z\\])", view)
        assert all(re.fullmatch(r"[\d;]*m", escape) for escape in escapes)
        assert "\x1b[31m" not in view
        assert "evil.example\x1b\\" not in view
        assert not set("\u202e\u202c\a") & set(view)


def test_lines_about_alerts_and_progress_are_harmless_too() -> None:
    board = hostile_board()
    for line in (headline(board.alerts[0]), progress(board)):
        assert line.isprintable()


def test_progress_says_time_posts_and_the_race() -> None:
    assert progress(a_board(a_step())) == (
        "03 Sep 13:00 UTC  50 posts, 50 mentions, claims 0.0/min, denials 0.0/min, race log E 5.5 of 6.2"
    )


def test_rates_are_posts_a_minute_of_the_last_quarter_of_an_hour() -> None:
    board = a_board(a_step(hours=0))
    assert set(board.rates().values()) == {0.0}
    late = a_step(hours=1)
    moved = late.walked.mentions.with_columns(pl.col("seen_at") + pl.duration(minutes=50))
    board.add(late._replace(walked=late.walked._replace(mentions=moved)))
    assert {tag: round(rate, 3) for tag, rate in board.rates().items()} == dict.fromkeys(TAGS, round(10 / 15, 3))


def test_history_keeps_every_post_of_its_span() -> None:
    board = a_board(a_step())
    for columns in (8, 24, 97):
        history = board.history(columns, timedelta(hours=24))
        minutes = timedelta(hours=24) / columns / timedelta(minutes=1)
        assert all(len(values) == columns for values in history.values())
        assert all(sum(values) * max(5, -(-minutes // 5) * 5) == pytest.approx(10) for values in history.values())


@pytest.mark.parametrize(
    ("values", "top", "line"), [([0, 1, 4, 8], 8, " ▁▄█"), ([0.001], 8, "▁"), ([0, 0], 0, "  "), ([9], 8, "█")]
)
def test_a_spark_line_shows_all_that_is_not_zero(values: list[float], top: float, line: str) -> None:
    assert spark(values, top) == line


@pytest.mark.parametrize(("share", "line"), [(0, ""), (0.5, "██"), (1, "████"), (7, "████"), (-1, ""), (0.40, "█▋")])
def test_a_bar_ends_within_an_eighth_of_a_cell(share: float, line: str) -> None:
    assert bar(share, 4) == line


def test_the_picture_stands_alone_and_holds_the_card() -> None:
    board = a_board(a_step(alerts=(an_alert(),)))
    board.show([card_text(an_alert())])
    svg = picture(render(board, 110, 32, "max"), "monitor demo")
    assert svg == picture(render(board, 110, 32, "max"), "monitor demo")
    root = ET.fromstring(svg)  # noqa: S314  our own
    words = " ".join(" ".join(root.itertext()).split())
    assert "UNCONFIRMED" in words
    assert "@font-face" not in svg
    assert "url(http" not in svg
    assert "href" not in svg


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return asyncio.run(played(tmp_path_factory.mktemp("demo") / "demo.sqlite"))


def test_the_summary_says_what_was_seen_told_and_tagged(outcome: Outcome) -> None:
    text = drawn(summary(outcome), 120)
    posts, board = outcome.script.posts.height, outcome.board
    for word in (f"{posts:,}, walked and archived in {outcome.steps} steps at", f"{board.mentions:,}: ", "posts/s"):
        assert word in text
    assert re.search(r"alerts fired +1 *\n", text)
    assert "3 of 3 messages received, 0 repeats dropped" in text
    assert re.search(r"race firing \(first firing\) +claims outrun denials: Bazarak has fallen", text)
    denial = outcome.score.tags()[Tag.DENIAL]
    assert re.search(rf"denial +{denial.precision:.3f} +{denial.recall:.3f} +{denial.f1:.3f} +{denial.true}\n", text)
    assert text.index("denial ") < text.index("\n  claim ")
    for word in ("README.md", "monitor replay", "monitor check", "config/"):
        assert word in text


def test_the_summary_of_a_stopped_play_says_so(outcome: Outcome) -> None:
    assert "Stopped at 03 Sep 14:00 UTC of the story" in drawn(summary(outcome._replace(finished=False)), 120)
