from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.contest import LULL
from monitor.judge.judge import Judge
from monitor.judge.race import log_e
from monitor.marks import GapMark, Status, StatusMark
from monitor.records import Finding
from monitor.watched import Duration, Event, Rules
from tests.fakes.counts import EVENT, START, Tick, at, counted, quiet

HOUR = 3_600
ONSET = 0
"""The second at which the burst of every story here is a spike."""


def watched(**rules: Any) -> dict[str, Event]:  # noqa: ANN401  any field of Rules
    return {EVENT: Event(name=EVENT, proposition="The valley has fallen", any=("valley",), rules=Rules(**rules))}


def judge(**rules: Any) -> Judge:  # noqa: ANN401  any field of Rules
    return Judge(watched(**rules))


def burst(claims: int = 0, denials: int = 0, *, narrative: str = "n", size: int = 30) -> list[Tick]:
    """A spike's onset, then one post a second: as many claims as said, between them as many denials."""
    both = claims + denials
    sides = [(number + 1) * claims // both - number * claims // both for number in range(both)]
    posts: list[Tick] = [(ONSET + 1 + number, narrative, side, 1 - side) for number, side in enumerate(sides)]
    return [(ONSET, "noise", size, 0), *posts]


def decide(
    story: Sequence[Tick],
    upto: float = HOUR,
    marks: Sequence[StatusMark] = (),
    cuts: Sequence[float] = (),
    rows: dict[str, bytes] | None = None,
    **rules: object,
) -> list[Finding]:
    """Findings of a story, in calls that end at `cuts`; the judge is saved and restored at each, at last to `rows`."""
    now = judge(**rules)
    found = list(now.decide(quiet(), at(-60)).findings)
    rows = {} if rows is None else rows
    begin = -60.0
    for end in [*sorted({cut for cut in cuts if 0 < cut < upto}), upto]:
        part = [tick for tick in story if begin < tick[0] <= end]
        given_now = [mark for mark in marks if at(begin) < mark.at <= at(end)]
        found += now.decide(counted(part), at(end), given_now).findings
        rows |= now.snapshot()
        now = judge(**rules)
        now.restore(rows)
        begin = end
    return found


def races(found: list[Finding], narrative: str = "n") -> list[tuple[bool, str]]:
    return [(one.holds, one.reason) for one in found if one.narrative == narrative and one.rule == "race"]


def spikes(found: list[Finding]) -> list[tuple[bool, str]]:
    return [(finding.holds, finding.reason) for finding in found if finding.rule == "spike"]


def test_a_claim_that_outruns_its_denials_in_a_spike_is_found() -> None:
    found = decide(burst(60, 6))
    assert races(found) == [(True, "claims_outrun_denials")]
    finding = next(finding for finding in found if finding.narrative == "n")
    numbers = finding.numbers
    assert finding.rule == "race"
    assert numbers["log_e"] >= numbers["threshold"]
    assert numbers["claims"] + numbers["denials"] == (finding.at - at(ONSET)).total_seconds()
    assert numbers["p0"] == 0.5


def test_no_denial_seen_yet_is_a_reason_of_its_own() -> None:
    assert races(decide(burst(30, 0))) == [(True, "no_denial_seen_yet")]


def test_a_denial_before_the_race_began_was_a_denial() -> None:
    assert races(decide([(ONSET - 5, "n", 0, 2), *burst(30, 0)])) == [(True, "claims_outrun_denials")]


def test_a_claim_no_faster_than_its_denials_is_not_found() -> None:
    assert races(decide(burst(300, 300))) == []


def test_without_a_spike_nothing_is_found() -> None:
    slow: list[Tick] = [(number * 300.0 + 1, "n", 1, 0) for number in range(60)]
    assert decide(slow, upto=5 * HOUR) == []


def test_posts_up_to_the_tick_of_the_onset_do_not_count() -> None:
    before: list[Tick] = [(ONSET, "n", 30, 0)]
    assert races(decide(before)) == []
    found = decide([*before, *((ONSET + 1 + number, "n", 1, 0) for number in range(14))])
    assert [finding.numbers["claims"] for finding in found if finding.rule == "race"] == [10]


@pytest.mark.parametrize("floor", [{"minimum_originals": 50}, {"minimum_authors": 50}, {"minimum_platforms": 50}])
def test_below_any_floor_nothing_is_found(floor: dict[str, Any]) -> None:
    assert races(decide(burst(40, 0), **floor)) == []
    assert races(decide(burst(60, 0), **floor)) == [(True, "no_denial_seen_yet")]


def test_later_starts_have_less_of_alpha_to_spend() -> None:
    stories: list[Tick] = burst(30, 0)
    for number in range(3):
        stories += [(second + 60.0 * (number + 1), f"m{number}", a, b) for second, _, a, b in burst(30, 0)[1:]]
    found = [finding for finding in decide(stories) if finding.rule == "race"]
    assert [finding.numbers["start"] for finding in found] == [1, 2, 3, 4]
    thresholds = [finding.numbers["threshold"] for finding in found]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[-1]


def test_starts_older_than_thirty_days_are_forgotten() -> None:
    day = 24 * HOUR
    again: list[Tick] = [(second + 31 * day, name, a, b) for second, name, a, b in burst(30, 0)]
    found = [
        finding
        for finding in decide([*burst(30, 0), *again], upto=32 * day)
        if finding.holds and finding.rule == "race"
    ]
    assert [finding.numbers["start"] for finding in found] == [1, 1]


def denied(begin: float, number: int, every: float = 30.0) -> list[Tick]:
    """Denials and nothing else."""
    return [(begin + every * place, "n", 0, 1) for place in range(number)]


def test_denials_that_overtake_end_it() -> None:
    found = decide(burst(40, 2) + denied(100, 90))
    assert races(found) == [(True, "claims_outrun_denials"), (False, "denials_overtook")]
    [end] = [finding for finding in found if finding.reason == "denials_overtook"]
    assert at(42 + LULL) <= end.at < at(42 + LULL + 30)
    assert end.numbers["log_e"] == pytest.approx(float(log_e(60, 0)), abs=1e-3)
    assert end.numbers["log_e"] > end.numbers["threshold"] > 3
    assert (end.numbers["since_peak_claims"], end.numbers["since_peak_denials"]) == (0, 60)
    assert (end.numbers["claims"], end.numbers["denials"]) == (40, 62)


def test_denials_need_not_make_up_for_all_claims_before_them() -> None:
    found = decide(burst(400, 2) + denied(500, 120, 20))
    [end] = [finding for finding in found if finding.reason == "denials_overtook"]
    assert at(402 + LULL) <= end.at < at(402 + LULL + 20)


def test_denials_in_a_lull_end_nothing_while_claims_go_on_leading() -> None:
    story = burst(400, 2) + denied(500, 30, 1)
    story += [(600.0 + 5 * number, "n", int(number % 11 > 0), int(number % 11 == 0)) for number in range(500)]
    assert races(decide(story)) == [(True, "claims_outrun_denials")]


def test_what_is_asked_of_denials_does_not_change_with_alpha_while_it_holds() -> None:
    numbers = []
    for alpha in (0.05, 1e-6):
        now = judge()
        now.decide(quiet(), at(-60))
        now.decide(counted(burst(40, 2)), at(60))
        now.watch(watched(alpha=alpha))
        found = now.decide(counted(denied(100, 90)), at(HOUR)).findings
        numbers += [finding.numbers["threshold"] for finding in found if finding.reason == "denials_overtook"]
    assert numbers[0] == numbers[1]


def test_a_claim_that_keeps_leading_is_not_overtaken_by_a_run_of_denials() -> None:
    chance = np.random.default_rng(3)
    claimed = (chance.random(1_500) < 0.6).tolist()
    story = burst(40, 2) + [(50.0 + number, "n", int(one), int(not one)) for number, one in enumerate(claimed)]
    assert races(decide(story)) == [(True, "claims_outrun_denials")]


def test_after_it_was_overtaken_it_races_again_only_after_another_onset() -> None:
    story = burst(40, 2) + denied(100, 90)
    again: list[Tick] = [(3_000.0 + number, "n", 1, 0) for number in range(40)]
    assert len(races(decide([*story, *again]))) == 2
    later: list[Tick] = [(second + 2 * HOUR, name, a, b) for second, name, a, b in burst(40, 2)]
    assert len(races(decide([*story, *again, *later], upto=3 * HOUR))) == 3


def mark(second: float, status: Status = Status.DENIED) -> StatusMark:
    return StatusMark(at=at(second), event=EVENT, narrative="n", status=status, by="desk")


def test_a_status_that_is_set_ends_it_and_keeps_it_from_beginning() -> None:
    found = decide(burst(60, 2), marks=[mark(100)])
    assert races(found) == [(True, "claims_outrun_denials"), (False, "status_set")]
    assert [finding.at for finding in found if finding.reason == "status_set"] == [at(100)]
    assert races(decide(burst(60, 2), marks=[mark(5)])) == []


def test_an_unconfirmed_status_ends_nothing() -> None:
    assert len(races(decide(burst(60, 2), marks=[mark(100, Status.UNCONFIRMED)]))) == 1


def test_the_status_of_a_narrative_is_what_was_set_last() -> None:
    now = judge()
    assert now.status_of(EVENT, "n") == Status.UNCONFIRMED
    now.decide(counted([]), at(1))
    now.decide(counted([]), at(10), [mark(3), mark(5, Status.CONFIRMED), mark(50)])
    assert now.status_of(EVENT, "n") == Status.CONFIRMED


def test_quiet_ends_it_at_the_second_though_no_post_arrives_then() -> None:
    found = decide(burst(60, 2), upto=8 * HOUR, quiet=Duration(hours=2))
    assert races(found)[-1] == (False, "quiet")
    calmed = next(finding for finding in found if finding.reason == "calmed")
    assert found[-1].at == calmed.at + timedelta(hours=2)


def test_a_spike_is_a_finding_of_the_whole_event() -> None:
    found = decide(burst(60, 2))
    assert spikes(found) == [(True, "above_baseline"), (False, "calmed")]
    assert found[0].at == at(ONSET)
    assert found[0].numbers["posts"] == 32, "of the last ten minutes"
    assert found[0].numbers["claims"] == 30


def test_while_warming_up_it_is_said_and_neither_spike_nor_race_is_found() -> None:
    now = judge(warm_up=Duration(hours=24))
    now.decide(quiet(), at(-60))
    judged = now.decide(counted(burst(60, 2)), at(HOUR))
    assert {(one.rule, one.reason) for one in judged.findings if one.holds} == {("volume", "viral_warming_up")}
    assert [reading.reading.warm for reading in judged.readings] == [False]


def test_where_races_stand_can_be_asked() -> None:
    now = judge()
    now.decide(quiet(), at(-60))
    now.decide(counted(burst(60, 2)), at(300))
    [reading] = now.races(EVENT)
    assert (reading.narrative, reading.claims, reading.denials, reading.holds) == ("n", 60, 2, True)
    assert reading.posterior > 0.99


def test_a_gap_that_is_known_later_masks_the_zeros_it_left() -> None:
    gap = GapMark(source="s", begins=START - timedelta(hours=11), ends=START - timedelta(hours=1), why="down")
    now = judge(warm_up=Duration(hours=3))
    now.decide(quiet()._replace(gaps=(gap,)), at(-60))
    judged = now.decide(counted(burst(60, 2)), at(HOUR))
    assert [reading.reading.warm for reading in judged.readings] == [False]


STORY = [
    *burst(50, 5),
    *((float(200 + number), f"m{number % 3}", 1, number % 2) for number in range(150)),
    *((float(400 + 20 * number), "n", 0, 1) for number in range(120)),
    *((2.0 * HOUR + second, name, a, b) for second, name, a, b in burst(50, 5, narrative="m1")),
]


@settings(max_examples=25)
@given(st.lists(st.one_of(st.integers(1, 600), st.integers(1, 10 * HOUR)), max_size=6), st.integers(100, 500))
def test_a_restart_at_any_second_changes_no_finding(cuts: list[int], second: int) -> None:
    marks = [StatusMark(at=at(second), event=EVENT, narrative="m0", status=Status.DEBUNKED, by="desk")]
    straight = decide(STORY, 10 * HOUR, marks)
    assert {finding.reason for finding in straight} > {"quiet", "calmed", "denials_overtook"}
    assert decide(STORY, 10 * HOUR, marks, cuts) == straight


def test_what_is_kept_of_a_race_does_not_depend_on_the_cut() -> None:
    story = burst(40, 2) + denied(100, 90) + [(2_900.0 + number, "n", 1, 0) for number in range(40)]
    for upto in (60, 1_500, HOUR):
        whole: dict[str, bytes] = {}
        parts: dict[str, bytes] = {}
        decide(story, upto, rows=whole)
        decide(story, upto, cuts=(20, 50, 130, 1_880, 2_000, 2_910), rows=parts)
        differ = [name for name in whole if whole[name] != parts.get(name)]
        assert whole.keys() == parts.keys()
        assert differ == []
