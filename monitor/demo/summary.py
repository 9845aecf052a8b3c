"""What the demo says at its end: what was seen, when it was told, how well it tagged, where to go next."""

from collections.abc import Iterator
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from monitor.demo.play import Outcome
from monitor.demo.score import Rate, claim_peak
from monitor.demo.view import COLOURS, headline
from monitor.frames import Tag
from monitor.records import AlertState

_SHOWN = 24
_ORDER = (Tag.DENIAL, Tag.CLAIM, Tag.CELEBRATION, Tag.QUESTION, Tag.OTHER)

NEXT = (
    ("README.md", "what the monitor is and how to run it on real sources"),
    ("config/demo/events/", "the event file this story was watched with; copy it to config/events/ and change it"),
    ("monitor replay POSTS --event FILE", "your own recorded posts through the same stages"),
    ("monitor check", "lists every mistake in config/ before you run the daemon"),
)


def summary(outcome: Outcome) -> RenderableType:
    """Everything, for a terminal or a file."""
    parts: list[RenderableType] = [Text(), Text(_opening(outcome), "bold"), _counts(outcome), Text()]
    parts += [Text("Alerts", "bold"), *_alerts(outcome), Text(f"  {lead(outcome)}"), Text()]
    parts += [Text("How well it tagged, against the truth of every post", "bold"), _tagging(outcome), Text()]
    parts += [Text("Where to go next", "bold"), _next()]
    return Group(*parts)


def lead(outcome: Outcome) -> str:
    """The first race alert against the peak of the claim, in one sentence."""
    fired = outcome.board.fired("race")
    peak = claim_peak(outcome.script.truth, outcome.board.now)
    if fired is None:
        return "No race alert fired."
    if peak is None:
        return f"The first race alert fired at {fired.at:%d %b %H:%M} UTC; nothing was claimed."
    minutes = round((peak - fired.at) / timedelta(minutes=1))
    when = f"{abs(minutes)} minutes {'before' if minutes >= 0 else 'after'}"
    return f"The first race alert fired at {fired.at:%d %b %H:%M} UTC, {when} the claim's peak at {peak:%d %b %H:%M}."


def _opening(outcome: Outcome) -> str:
    if outcome.finished:
        return f"The story is over: {outcome.board.title}"
    return f"Stopped at {outcome.board.now:%d %b %H:%M} UTC of the story: {outcome.board.title}"


def _counts(outcome: Outcome) -> Table:
    board = outcome.board
    speed = board.posts / max(outcome.busy, 0.001)
    totals = ", ".join(f"{count:,} {tag.value}" for tag, count in board.totals().items())
    table = _grid()
    table.add_row("  posts", f"{board.posts:,}, walked and archived in {outcome.steps:,} steps at {speed:,.0f} posts/s")
    table.add_row("  mentions", f"{board.mentions:,}: {totals}")
    table.add_row("  narratives", f"{len(board.narratives()):,}")
    fired = len({alert.id for alert in board.alerts if alert.state is AlertState.FIRING})
    table.add_row("  alerts fired", f"{fired:,}")
    chat = outcome.chat
    said = f"{len(chat.messages):,} of {outcome.queued:,} messages received, {chat.repeats:,} repeats dropped"
    table.add_row("  chat", said)
    return table


def _alerts(outcome: Outcome) -> Iterator[Text]:
    steps = [alert for alert in outcome.board.alerts if alert.state is not AlertState.PENDING]
    for alert in steps[:_SHOWN]:
        yield Text(f"  {headline(alert)}", no_wrap=True, overflow="ellipsis")
    if len(steps) > _SHOWN:
        yield Text(f"  … and {len(steps) - _SHOWN:,} more")
    if not steps:
        yield Text("  none")


def _tagging(outcome: Outcome) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 2))
    table.add_column("  tag", no_wrap=True)
    for name in ("precision", "recall", "F1", "posts"):
        table.add_column(name, justify="right", no_wrap=True)
    upto = None if outcome.finished else outcome.board.now
    rates = outcome.score.tags(upto)
    for tag in _ORDER:
        table.add_row(Text(f"  {tag.value}", COLOURS[tag]), *_cells(rates[tag]))
    table.add_row("  (matching)", *_cells(outcome.score.matching(upto)))
    return table


def _cells(rate: Rate) -> tuple[str, str, str, str]:
    return f"{rate.precision:.3f}", f"{rate.recall:.3f}", f"{rate.f1:.3f}", f"{rate.true:,}"


def _next() -> Table:
    table = _grid()
    for what, why in NEXT:
        table.add_row(f"  {what}", why)
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    return table
