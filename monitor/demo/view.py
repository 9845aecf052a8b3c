"""The demo's terminal view: a Board → panels. Texts of posts are shown harmless and are never read as markup."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.alert.message import harmless
from monitor.demo.board import Board
from monitor.frames import TAGS, Tag
from monitor.records import Alert, AlertState

HISTORY = timedelta(hours=12)
NARROW = 76
"""Columns below which everything stands in one stack."""
COLOURS = {
    Tag.CLAIM: "#e8743b",
    Tag.DENIAL: "#56b4e9",
    Tag.CELEBRATION: "#f0e442",
    Tag.QUESTION: "#cc79a7",
    Tag.OTHER: "#999999",
}
"""Told apart by colour-blind people too (Okabe and Ito); each stands beside its word."""
STATES = {
    AlertState.PENDING: ("…", "#f0e442"),
    AlertState.FIRING: ("▲", "bold #e8743b"),
    AlertState.ACKNOWLEDGED: ("✓", "#56b4e9"),
    AlertState.RESOLVED: ("▽", "#999999"),
}
_STALE = 60
"""Minutes after which a feed is shown as resting."""
_LINE = 200
_CARD_LINE = 600
_CARD_LINES = 40
_STACK = 36
"""Rows from which one stack has room for the card."""
_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def render(board: Board, width: int, height: int, pace: str) -> RenderableType:
    """The whole view, fit for a terminal of that size; `pace` says how fast the story goes."""
    layout = Layout()
    rows = [
        Layout(_header(board, pace), size=3),
        Layout(tags(board, width if width < NARROW else width - _right(width)), size=8),
        Layout(race(board), size=6),
        Layout(narratives(board), ratio=3, minimum_size=3),
        Layout(alerts(board), ratio=2, minimum_size=3),
    ]
    if width < NARROW:
        layout.split_column(*rows, *([Layout(card(board), ratio=4)] if height >= _STACK else []))
        return layout
    body, left, right = Layout(), Layout(), Layout(size=_right(width))
    left.split_column(*rows[1:])
    right.split_column(Layout(feeds(board), size=6), Layout(card(board)))
    body.split_row(left, right)
    layout.split_column(rows[0], body)
    return layout


def _right(width: int) -> int:
    return min(60, width * 44 // 100)


def spark(values: Sequence[float], top: float) -> str:
    """One block per value, `top` the full height; any value above 0 shows."""
    if top <= 0:
        return " " * len(values)
    steps = len(_BLOCKS) - 1
    return "".join(_BLOCKS[min(steps, max(int(value > 0), round(value / top * steps)))] for value in values)


def bar(share: float, cells: int) -> str:
    """A bar of `share` (0–1) of `cells`, in eighths."""
    eighths = round(min(max(share, 0.0), 1.0) * cells * 8)
    return _EIGHTHS[-1] * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def _header(board: Board, pace: str) -> Panel:
    told = (board.now - board.begins) / (board.ends - board.begins)
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(no_wrap=True, ratio=1)
    line.add_column(no_wrap=True, ratio=1, justify="center", overflow="ellipsis")
    line.add_column(no_wrap=True, ratio=1, justify="right", overflow="ellipsis")
    line.add_row(
        Text(f"{board.now:%a %d %b %Y %H:%M} UTC", "bold"),
        Text(f"{bar(told, 10):·<10} {pace}"),
        Text(f"{board.posts:,} posts, {board.mentions:,} mentions"),
    )
    return Panel(line, title=_plain(board.title, "bold"), title_align="left", border_style="dim")


def tags(board: Board, width: int) -> Panel:
    """Posts per minute and tag over the last day, all on one scale."""
    columns = max(8, min(96, width - 28))
    history, rates = board.history(columns, HISTORY), board.rates()
    top = max(max(values) for values in history.values())
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for tag in TAGS:
        table.add_row(
            Text(f"{_code(tag)} {tag.value}", COLOURS[tag]),
            Text(spark(history[tag], top), COLOURS[tag]),
            Text(f"{rates[tag]:.1f}"),
        )
    note = Text(f"the last 12 hours, top {top:.1f} a minute; right: now", "dim")
    return Panel(Group(table, note), title="tags per minute", title_align="left", border_style="dim")


def race(board: Board) -> Panel:
    """Original claims against original denials, and the evidence that the claim outruns them."""
    running = board.race()
    sides = Table.grid(padding=(0, 1))
    for justify in ("left", "right", "left"):
        sides.add_column(justify=justify, no_wrap=True)
    claims, denials = (running.claims, running.denials) if running else (0, 0)
    for tag, count in ((Tag.CLAIM, claims), (Tag.DENIAL, denials)):
        length = bar(count / max(claims, denials, 1), 28)
        sides.add_row(Text(f"{tag.value}s", COLOURS[tag]), Text(f"{count:,}"), Text(length, COLOURS[tag]))
    if running is None:
        evidence = Text("no race runs: it starts with a spike of the event", "dim")
    else:
        evidence = Text(f"log E {running.log_e:.1f} of {running.threshold:.1f} ", no_wrap=True, overflow="ellipsis")
        evidence.append(f"{bar(running.log_e / running.threshold, 8):<8}", COLOURS[Tag.CLAIM])
        evidence.append(f" P(ahead) {running.posterior:.2f}")
        evidence.append(" OUTRUNS" if running.holds else "", STATES[AlertState.FIRING][1])
    title = Text("the race")
    if running:
        title.append(": ").append_text(_plain(board.label(running.narrative), limit=40))
    return Panel(Group(sides, evidence, _level(board)), title=title, title_align="left", border_style="dim")


def _code(tag: Tag) -> str:
    return tag.value[:2].title()


def _level(board: Board) -> Text:
    """How loud the event is against its normal level."""
    level = board.level()
    if level is None:
        return Text("no post yet", "dim")
    count = f"{level.posts:,} posts in 10 min, normal {level.expected:.0f}"
    if level.spiking:
        return Text.assemble((f"SPIKE {level.posts / max(level.expected, 0.1):.0f}×", "bold"), f"  {count}")
    return Text(f"normal  {count}" if level.warm else f"warming up: no alarm yet  {count}", "dim")


def narratives(board: Board) -> Panel:
    """Narratives by size: originals of both sides, and where each stands."""
    table = Table(box=None, expand=True, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("what is said", no_wrap=True, overflow="ellipsis", ratio=1)
    for tag in (Tag.CLAIM, Tag.DENIAL):
        table.add_column(_code(tag), justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for line in board.narratives()[:20]:
        sides = (Text(f"{line.claims:,}", COLOURS[Tag.CLAIM]), Text(f"{line.denials:,}", COLOURS[Tag.DENIAL]))
        table.add_row(_plain(line.label), *sides, Text(line.state))
    return Panel(table, title="narratives (originals)", title_align="left", border_style="dim")


def feeds(board: Board) -> Panel:
    """Posts per platform and how long ago the last one was seen, in story time; two to a row."""
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in range(2):
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
    found = [
        (_plain(feed.platform), Text(f"{feed.posts:,}"), _age(board.now - feed.last_seen)) for feed in board.feeds()
    ]
    for first, second in zip_longest(found[::2], found[1::2], fillvalue=(Text(), Text(), Text())):
        table.add_row(*first, *second)
    return Panel(table, title="feeds: posts, last seen", title_align="left", border_style="dim")


def _age(age: timedelta) -> Text:
    minutes = int(age.total_seconds() // 60)
    words = "now" if minutes < 1 else f"{minutes} m" if minutes < _STALE else f"{minutes // 60} h"
    return Text(f"{words} ●" if minutes < _STALE else f"{words} ○", "" if minutes < _STALE else "dim")


def alerts(board: Board) -> Panel:
    """Alerts, the one that moved last first."""
    table = Table(box=None, expand=True, pad_edge=False, show_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    found = board.latest()
    for alert in found[:20]:
        mark, colour = STATES[alert.state]
        reason = alert.reason.replace("_", " ")
        table.add_row(
            _moment(alert.at), Text(f"{mark} {alert.state.value}", colour), _plain(alert.rule), _plain(reason)
        )
    body: RenderableType = table if found else Text("none so far", "dim")
    return Panel(body, title="alerts", title_align="left", border_style="dim")


def _moment(at: datetime) -> Text:
    return Text(f"{at:%d %b %H:%M}")


def card(board: Board) -> Panel:
    """The newest message, as the chat received it."""
    body = Text("nothing yet", "dim")
    if board.messages:
        body = Text("\n").join(_card_line(line) for line in board.card.split("\n")[:_CARD_LINES])
    count = f": message {board.messages}" if board.messages else ""
    return Panel(body, title=f"the newsroom's chat{count}", title_align="left", border_style=COLOURS[Tag.CLAIM])


def headline(alert: Alert) -> str:
    """An alert's step on one line, harmless."""
    about = harmless(f"{alert.reason.replace('_', ' ')}: {alert.label}", _LINE)
    told = f" ({alert.change.replace('_', ' ')})" if alert.change and alert.change != alert.state.value else ""
    return f"{alert.at:%d %b %H:%M} UTC  {alert.rule} {alert.state.value}{told}  {about}"


def progress(board: Board) -> str:
    """Where the story stands, on one line."""
    rates, running = board.rates(), board.race()
    sides = ", ".join(f"{tag.value}s {rates[tag]:.1f}/min" for tag in (Tag.CLAIM, Tag.DENIAL))
    race = f", race log E {running.log_e:.1f} of {running.threshold:.1f}" if running else ""
    return f"{board.now:%d %b %H:%M} UTC  {board.posts:,} posts, {board.mentions:,} mentions, {sides}{race}"


def _plain(text: str, style: str = "", limit: int = _LINE) -> Text:
    return Text(harmless(text, limit), style)


def _card_line(line: str) -> Text:
    """A line of a card keeps its indent."""
    indent = len(line) - len(line.lstrip(" "))
    return Text(" " * min(indent, 8)).append_text(_plain(line, limit=_CARD_LINE))
