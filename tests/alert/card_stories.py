"""Stories that an alert policy is told, and what the desk hears of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from monitor.alert.decide import AlertPolicy
from monitor.marks import AckMark, GapMark, Silence, StatusMark
from monitor.records import Alert, AlertState, Finding, NarrativeState, Transition
from monitor.watched import Duration, Event, Rules
from tests.alert.test_decide import describe, finding
from tests.fakes.counts import EVENT, Tick, at, counted

RULES = Rules(
    alert_on=("race", "volume", "celebration"),
    for_=Duration(seconds=100),
    keep_firing=Duration(seconds=1_000),
    repeat_least=Duration(seconds=900),
    repeat_interval=Duration(hours=4),
)
HOUR = 3_600
ACKNOWLEDGED = AlertState.ACKNOWLEDGED
VIRAL, CONTESTED, RISING = NarrativeState.VIRAL_UNCONFIRMED, NarrativeState.CONTESTED, NarrativeState.RISING


class Story(NamedTuple):
    """What reaches the policy."""

    findings: Sequence[Finding]
    ticks: Sequence[Tick] = ()
    marks: Sequence[StatusMark | Silence | AckMark] = ()
    gaps: Sequence[GapMark] = ()
    passed: Sequence[tuple[float, NarrativeState]] = ()
    """When the narrative came into which state."""
    rules: Rules = RULES

    def states(self) -> list[Transition]:
        """As the judge has them."""
        states = [NarrativeState.WATCH, *(state for _, state in self.passed)]
        return [
            Transition(at=at(second), event=EVENT, narrative="n", before=before, state=state, reason="r", numbers={})
            for (second, _), (before, state) in zip(self.passed, pairwise(states), strict=True)
        ]


def state_of(passed: Sequence[Transition], begin: float) -> Callable[[str, str, datetime], NarrativeState | None]:
    """As the judge answers of a call that begins there: nothing from before it."""

    def asked(_event: str, _narrative: str, time: datetime) -> NarrativeState | None:
        assert time >= at(begin), "nobody knows where it stood before the last call"
        before = [one.state for one in passed if one.at <= time]
        return before[-1] if before else NarrativeState.WATCH

    return asked


def made(story: Story) -> AlertPolicy:
    plain: dict[str, Any] = {"name": EVENT, "proposition": "The valley has fallen", "any": ("valley",)}
    return AlertPolicy({EVENT: Event(**plain, rules=story.rules)}, lambda _: "main")


def played(story: Story, upto: float = 10 * HOUR, cuts: Sequence[float] = ()) -> list[Alert]:
    """The steps, of calls that end at `cuts`; the policy is saved and restored at each."""
    now, rows = made(story), dict[str, bytes]()
    steps: list[Alert] = []
    passed = story.states()
    begin = -1.0
    for end in [*sorted({cut for cut in cuts if 0 < cut < upto}), upto]:
        marks = [mark for mark in story.marks if at(begin) < time_of(mark) <= at(end)]
        gaps = tuple(gap for gap in story.gaps if at(begin) < gap.ends <= at(end))
        steps += now.decide(
            [one for one in story.findings if at(begin) < one.at <= at(end)],
            counted([tick for tick in story.ticks if begin < tick[0] <= end], gaps=gaps),
            at(end),
            describe,
            marks,
            state_of=state_of(passed, begin),
            passed=[one for one in passed if at(begin) < one.at <= at(end)],
        )
        rows |= now.snapshot()
        now = made(story)
        now.restore({key: row for key, row in rows.items() if row})
        begin = end
    return steps


def time_of(mark: StatusMark | Silence | AckMark) -> datetime:
    return mark.at or (mark.begins_at if isinstance(mark, Silence) else at(0))


def told(steps: Sequence[Alert]) -> list[tuple[float, str, str]]:
    """When the desk is told of what rule, and why."""
    return [
        ((one.at - at(0)).total_seconds(), one.rule, one.change) for one in steps if one.change and not one.silenced
    ]


def volume(second: float, **fields: Any) -> Finding:  # noqa: ANN401
    return finding(second, rule="volume", **fields)
