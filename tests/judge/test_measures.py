from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from monitor.frames import SPOKEN, TICKS
from monitor.judge.given import Given
from monitor.judge.measures import IDLE, Measures, Turned
from monitor.judge.quiet import Gap
from monitor.watched import Measure, Rules

MINUTE, HOUR, DAY = 60, 3_600, 86_400
RULES = Rules()

Said = Mapping[int, Mapping[str, int]]
"""Second → measure → how many."""


def given(said: Said) -> Given:
    rows = [
        {"tick": second, "event": "e", "narrative": ""} | dict.fromkeys(list(TICKS)[3:], 0) | dict(counts)
        for second, counts in sorted(said.items())
    ]
    return Given(pl.DataFrame(rows, schema=TICKS | {"tick": pl.Int64}), [], pl.DataFrame(schema=SPOKEN))


def every(seconds: int, begin: int, end: int, **counts: int) -> dict[int, Mapping[str, int]]:
    return dict.fromkeys(range(begin, end, seconds), counts)


def told(
    events: Mapping[str, Said], ends: Sequence[int], gaps: Sequence[Gap] = (), rules: Rules = RULES
) -> dict[str, list[Turned]]:
    """The turns of events in calls that end so, with a restart at each."""
    measures, rows = Measures(dict.fromkeys(events, rules)), dict[str, bytes]()
    found: dict[str, list[Turned]] = {name: [] for name in events}
    begin = 0
    for end in ends:
        part = {
            name: given({at: row for at, row in said.items() if begin < at <= end}) for name, said in events.items()
        }
        due = [gap for gap in gaps if begin < gap.known <= end]
        for name, measured in measures.take((begin, end), part, due).items():
            found[name] += measured.turned
        rows |= measures.snapshot()
        measures = Measures(dict.fromkeys(events, rules))
        measures.restore(rows)
        begin = end
    return found


QUIET = every(300, 7, DAY, posts=1, others=1)
LOUD = every(10, DAY + 5, DAY + HOUR, posts=2, denials=1, questions=1)


@pytest.mark.parametrize("measure", Measure)
def test_every_count_has_spikes_of_its_own_those_of_a_tag_too(measure: Measure) -> None:
    said = QUIET | every(10, DAY, DAY + HOUR, posts=1) | every(10, DAY, DAY + HOUR, **{"posts": 1, measure.value: 2})
    turned = told({"e": said}, [2 * DAY])["e"]
    assert {one.measure for one in turned if one.turn.begins} == {Measure.POSTS, measure}
    assert all(one.counts[measure.value] == one.turn.posts for one in turned if one.measure is measure)


def test_cuts_and_restarts_change_nothing() -> None:
    events = {
        "a": QUIET | LOUD,
        "b": every(60, 30, 2 * DAY, posts=1) | every(5, DAY + 500, DAY + 2_000, claims=1, posts=1),
    }
    gap = Gap(DAY - 3_000, DAY - 9_000, DAY - 3_500)
    whole = told(events, [2 * DAY], [gap])
    assert whole["a"]
    assert whole["b"]
    cuts = [
        7,
        61,
        HOUR,
        DAY - 3_001,
        DAY - 3_000,
        DAY + 1,
        DAY + 59,
        DAY + 60,
        DAY + 777,
        DAY + HOUR,
        DAY + 5_000,
        2 * DAY,
    ]
    assert told(events, cuts, [gap]) == whole


def test_events_do_not_touch_one_another() -> None:
    alone = told({"a": QUIET | LOUD}, [2 * DAY])["a"]
    assert told({"a": QUIET | LOUD, "b": every(20, 3, 2 * DAY, posts=9)}, [2 * DAY])["a"] == alone


def test_an_event_has_a_history_from_its_first_post_on() -> None:
    measures = Measures({"a": RULES, "b": RULES})
    first = {"a": given(QUIET), "b": given(every(300, DAY - HOUR, DAY, posts=1))}
    measured = measures.take((0, DAY), first, [])
    assert measured["a"].warm == 3 * HOUR
    assert measured["b"].warm is None


def test_an_event_that_is_removed_and_watched_again_warms_up_anew_while_others_go_on() -> None:
    measures = Measures({"a": RULES, "b": RULES})
    measures.take((0, DAY), {"a": given(QUIET), "b": given(QUIET)}, [])
    measures.follow({"b": RULES})
    measures.follow({"a": RULES, "b": RULES})
    measured = measures.take((DAY, DAY + HOUR), {"a": given(LOUD), "b": given(LOUD)}, [])
    assert not measured["a"].turned
    assert measured["b"].turned
    assert measured["b"].turned == told({"b": QUIET | LOUD}, [DAY + HOUR])["b"]


def test_silence_that_turns_out_to_be_a_gap_makes_no_spike_of_the_usual() -> None:
    usual = every(20, 7, 5 * DAY, posts=1)
    said = {at: row for at, row in usual.items() if not 4 * DAY < at <= 4 * DAY + 8 * HOUR}
    known = 4 * DAY + 8 * HOUR + 5
    assert told({"e": said}, [5 * DAY])["e"]
    assert not told({"e": said}, [5 * DAY], [Gap(known, 4 * DAY, known - 5)])["e"]


def test_a_part_of_a_source_that_is_blind_masks_nothing() -> None:
    gaps = [Gap(known, 0, known, "feeds", partial=True) for known in (DAY - 3_000, DAY + 60, 2 * DAY)]
    assert not told({"e": QUIET | LOUD}, [2 * DAY], [gap._replace(partial=False) for gap in gaps])["e"]
    assert told({"e": QUIET | LOUD}, [2 * DAY], gaps) == told({"e": QUIET | LOUD}, [2 * DAY])
    assert told({"e": QUIET | LOUD}, [2 * DAY])["e"]


def test_a_clock_that_jumps_by_decades_costs_no_decades_and_has_a_defined_answer() -> None:
    far = DAY + 60 * 365 * DAY // MINUTE * MINUTE
    said = QUIET | LOUD | {far + at: row for at, row in (QUIET | LOUD).items()}
    assert far > IDLE
    measures = Measures({"e": RULES})
    found = measures.take((0, far + 2 * DAY), {"e": given(said)}, [])["e"].turned
    assert [one.turn.begins for one in found if one.measure is Measure.POSTS] == [True, False, True, False]


def test_a_row_of_an_event_stays_small() -> None:
    measures = Measures({"e": RULES})
    measures.take((0, DAY), {"e": given(QUIET)}, [])
    assert len(measures.snapshot()["e"]) < 20_000


def test_what_is_told_twice_or_out_of_order_by_hours_counts_once_and_in_its_own_time_only() -> None:
    measures, again = Measures({"e": RULES}), Measures({"e": RULES})
    said = QUIET | LOUD
    straight = measures.take((0, 2 * DAY), {"e": given(said)}, [])["e"].turned
    found = again.take((0, DAY + HOUR), {"e": given(said)}, [])["e"].turned
    found += again.take((DAY + HOUR, 2 * DAY), {"e": given(said)}, [])["e"].turned
    assert found == straight
