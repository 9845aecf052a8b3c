from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.quiet import SLOT, Gap, Sources
from monitor.records import Finding
from monitor.watched import Event

DAY = 86_400
FIRST = 18_000 * DAY
EVENT = Event(name="fall", proposition="The valley has fallen", any=("valley",))
BUSY = [FIRST + slot * SLOT for slot in range(4 * DAY // SLOT) if slot % 3 == 0]
"""Heard every quarter of an hour for four days."""


def found(heard: Sequence[int], upto: int, cuts: Sequence[int] = (), gaps: Sequence[Gap] = ()) -> list[Finding]:
    """Findings about one source, with a restart at each cut."""
    rows: dict[str, bytes] = {}
    findings: list[Finding] = []
    begin = FIRST - 1
    for end in [*sorted({cut for cut in cuts if begin < cut < upto}), upto]:
        sources = Sources(EVENT)
        sources.restore(rows, "row")
        part = [("wire", slot) for slot in heard if begin < slot + 1 <= end]
        findings += sources.run((begin, end), part, [gap for gap in gaps if begin < gap.known <= end])
        rows = {"row": sources.save()}
        begin = end
    return findings


def said(findings: Sequence[Finding]) -> list[tuple[bool, str, int]]:
    return [(one.holds, one.reason, int(one.at.timestamp())) for one in findings]


def test_a_source_that_speaks_as_usual_is_not_quiet() -> None:
    assert found(BUSY, BUSY[-1] + SLOT) == []


def test_a_source_is_quiet_after_an_hour_and_twice_its_longest_silence_until_it_is_heard() -> None:
    again = BUSY[-1] + 3 * 3_600
    findings = found([*BUSY, again], again + SLOT)
    ends = BUSY[-1] + SLOT
    assert said(findings) == [(True, "source_silent", ends + 3_600), (False, "heard_again", again + SLOT)]
    assert findings[0].subject == "wire"
    assert findings[0].numbers == {"silent_minutes": 60.0, "usual_minutes": 10.0}


def test_a_source_that_sleeps_at_night_may() -> None:
    awake = [slot for slot in BUSY if slot % DAY < 16 * 3_600]
    assert found(awake, awake[-1] + 15 * 3_600) == []
    assert [one.holds for one in found(awake, awake[-1] + 17 * 3_600)] == [True]


def test_before_two_whole_days_nothing_is_said() -> None:
    young = [slot for slot in BUSY if slot < FIRST + 2 * DAY]
    assert found(young, FIRST + 6 * DAY) == []


def test_a_known_gap_is_no_silence() -> None:
    ends = BUSY[-1] + SLOT
    gap = Gap(ends + 3_000, float(ends), float(ends + 3_000), "wire")
    assert found(BUSY, ends + 6_000, gaps=[gap]) == []
    other = gap._replace(source="another")
    assert [one.holds for one in found(BUSY, ends + 6_000, gaps=[other])] == [True]


@settings(max_examples=30)
@given(st.sets(st.integers(0, 5 * DAY // SLOT), max_size=60), st.lists(st.integers(FIRST, FIRST + 6 * DAY), max_size=6))
def test_a_restart_at_any_second_changes_nothing(missing: set[int], cuts: list[int]) -> None:
    holes = {hole + k for hole in missing for k in range(20)}
    heard = [slot for slot in BUSY if (slot - FIRST) // SLOT not in holes]
    assert found(heard, FIRST + 6 * DAY, cuts) == found(heard, FIRST + 6 * DAY)
