from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.quiet import SLOT, Gap, Sources
from monitor.records import Finding
from monitor.watched import Event, Voice, VoiceKind

DAY = 86_400
FIRST = 18_000 * DAY
EVENT = Event(
    name="fall",
    proposition="The valley has fallen",
    any=("valley",),
    voices=(Voice(name="The Agency", kind=VoiceKind.WIRE, accounts=("x:agency",)),),
)
AGENCY = "voice:The Agency"
BUSY = [FIRST + slot * SLOT for slot in range(4 * DAY // SLOT) if slot % 3 == 0]
"""Heard every quarter of an hour for four days."""


def found(
    heard: Sequence[int], upto: int, cuts: Sequence[int] = (), gaps: Sequence[Gap] = (), name: str = "wire"
) -> list[Finding]:
    """Findings about one source, or a voice that is heard through the source wire, with a restart at each cut."""
    rows: dict[str, bytes] = {}
    findings: list[Finding] = []
    begin = FIRST - 1
    for end in [*sorted({cut for cut in cuts if begin < cut < upto}), upto]:
        sources = Sources(EVENT)
        sources.restore(rows, "row")
        part = [(name, slot, "wire") for slot in heard if begin < slot + 1 <= end]
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


def test_a_part_that_was_blind_for_days_takes_nothing_from_the_usual_silence() -> None:
    awake = [FIRST + slot * SLOT for slot in range(12 * DAY // SLOT) if slot * SLOT % DAY < 15 * 3_600]
    told = range(FIRST + 2 * DAY + 3_600, FIRST + 10 * DAY, 3_600)
    dead = [Gap(known, float(FIRST + 2 * DAY), float(known), "wire", partial=True) for known in told]
    assert found(awake, FIRST + 12 * DAY, range(FIRST, FIRST + 12 * DAY, DAY), dead) == []


def test_while_a_part_is_blind_its_source_is_not_quiet() -> None:
    ends = BUSY[-1] + SLOT
    blind = Gap(ends + 3_000, float(ends), float(ends + 3_000), "wire", partial=True)
    assert said(found(BUSY, ends + 9_000, gaps=[blind])) == [(True, "source_silent", ends + 3_000 + 3_600)]


def test_a_row_from_before_parts_were_told_apart_is_taken_up() -> None:
    sources = Sources(EVENT)
    row: list[object] = [FIRST // DAY, FIRST + SLOT, 0, True, [600, 600], None, [], {}]
    sources.restore({"row": msgspec.msgpack.encode({"wire": row})}, "row")
    assert said(sources.run((FIRST, FIRST + DAY), [], [])) == [(True, "source_silent", FIRST + SLOT + 3_600)]


def test_a_registered_voice_is_quiet_by_the_same_rule_and_named_as_a_voice() -> None:
    again = BUSY[-1] + 3 * 3_600
    findings = found([*BUSY, again], again + SLOT, name=AGENCY)
    ends = BUSY[-1] + SLOT
    assert said(findings) == [(True, "voice_silent", ends + 3_600), (False, "voice_heard_again", again + SLOT)]
    assert {one.subject for one in findings} == {AGENCY}


def test_a_voice_that_speaks_once_a_day_may_and_is_quiet_after_two_days() -> None:
    daily = [FIRST + day * DAY + 9 * 3_600 for day in range(5)]
    assert found(daily, daily[-1] + 47 * 3_600, name=AGENCY) == []
    assert said(found(daily, daily[-1] + 49 * 3_600, name=AGENCY)) == [
        (True, "voice_silent", daily[-1] + SLOT + 2 * (DAY - SLOT)),
    ]


def test_days_without_a_word_were_days_of_the_whole_silence() -> None:
    heard = [FIRST, FIRST + 9 * DAY]
    assert found(heard, FIRST + 25 * DAY, name=AGENCY) == []
    assert [one.holds for one in found(heard, FIRST + 28 * DAY, name=AGENCY)] == [True]


def test_the_silence_of_a_voice_is_excused_by_a_gap_of_a_source_through_which_it_is_heard() -> None:
    ends = BUSY[-1] + SLOT
    gap = Gap(ends + 3_000, float(ends), float(ends + 3_000), "wire")
    assert found(BUSY, ends + 6_000, gaps=[gap], name=AGENCY) == []
    other = gap._replace(source="another")
    assert [one.holds for one in found(BUSY, ends + 6_000, gaps=[other], name=AGENCY)] == [True]


def test_a_voice_that_is_registered_no_more_is_not_quiet_any_more() -> None:
    sources = Sources(EVENT)
    ends = BUSY[-1] + SLOT
    heard = [(AGENCY, slot, "wire") for slot in BUSY]
    assert [one.holds for one in sources.run((FIRST - 1, ends + 4_000), heard, [])] == [True]
    sources.follow(msgspec.structs.replace(EVENT, voices=()))
    assert said(sources.run((ends + 4_000, ends + 5_000), [], [])) == [(False, "voice_removed", ends + 4_001)]
    assert sources.run((ends + 5_000, ends + DAY), [], []) == []


@settings(max_examples=30)
@given(
    st.sets(st.integers(0, 5 * DAY // SLOT), max_size=60),
    st.lists(st.integers(FIRST, FIRST + 6 * DAY), max_size=6),
    st.sampled_from(["wire", AGENCY]),
    st.lists(st.tuples(st.integers(0, 6 * DAY), st.integers(1, DAY), st.booleans()), max_size=3),
)
def test_a_restart_at_any_second_changes_nothing(
    missing: set[int], cuts: list[int], name: str, outages: list[tuple[int, int, bool]]
) -> None:
    holes = {hole + k for hole in missing for k in range(20)}
    heard = [slot for slot in BUSY if (slot - FIRST) // SLOT not in holes]
    gaps = [
        Gap(FIRST + at + long, float(FIRST + at), float(FIRST + at + long), "wire", partial)
        for at, long, partial in outages
    ]
    upto = FIRST + 6 * DAY
    assert found(heard, upto, cuts, gaps, name) == found(heard, upto, (), gaps, name)
