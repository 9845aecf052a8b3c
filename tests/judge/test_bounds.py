"""What the judge keeps stays bounded, however many narratives, statuses and sources an event has had."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitor.judge import status, watch
from monitor.judge.judge import Judge
from monitor.marks import MergeMark, Status, StatusMark
from monitor.watched import Duration, Event, Rules
from tests.fakes.counts import EVENT, Tick, at, counted, quiet

HOUR, DAY = 3_600, 86_400


def judge(rows: dict[str, bytes] | None = None) -> Judge:
    rules = Rules(volume_span=Duration(hours=1))
    made = Judge({EVENT: Event(name=EVENT, proposition="The valley has fallen", any=("*",), rules=rules)})
    made.restore(rows or {})
    return made


def kept(rows: dict[str, bytes], kind: str) -> set[str]:
    return {key.rpartition("/")[2] for key, row in rows.items() if kind in key and row} - {""}


@pytest.mark.parametrize("cuts", [[], [500, 3_600, 9_000, 40_000], list(range(1_000, 2 * DAY, 20_000))])
def test_of_too_many_narratives_those_nobody_has_spoken_of_for_longest_are_forgotten(
    cuts: Sequence[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "MOST", 40)
    monkeypatch.setattr(watch, "ROOM", 5)
    story: list[Tick] = [(60.0 * number + 5, f"n{number}", 1, 0) for number in range(DAY // 60)]
    story += [(60.0 * number + 7, "loud", 1, 0) for number in range(0, DAY // 60, 2)]
    now, rows, begin = judge(), dict[str, bytes](), 0.0
    found = []
    for end in [*cuts, 2 * DAY]:
        found += now.decide(counted([tick for tick in sorted(story) if begin < tick[0] <= end]), at(end)).findings
        rows |= now.snapshot()
        assert len(kept(rows, "/races/")) <= 40 + 60 + 1
        now, begin = judge(rows), end
    assert len(kept(rows, "/races/")) <= 40
    assert kept(rows, "/races/") == kept(rows, "/states/")
    assert {"loud", "n1439"} <= kept(rows, "/races/")
    assert "n1" not in kept(rows, "/races/")
    straight = judge()
    assert found == straight.decide(counted(sorted(story)), at(2 * DAY)).findings != []
    assert straight.dropped == DAY // 60 + 1 - len(kept(rows, "/races/"))


def test_of_too_many_statuses_that_which_was_set_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "MOST", 10)
    now, rows = judge(), dict[str, bytes]()
    for number in range(30):
        mark = StatusMark(
            at=at(number), event=EVENT, narrative=f"n{number}", status=Status.DENIED, by="wire", voice=True
        )
        now.decide(counted([]), at(number + 1), [mark])
        rows |= now.snapshot()
    assert len(kept(rows, "judge/status/")) == 10
    assert now.status_of(EVENT, "n0") is Status.UNCONFIRMED
    assert judge(rows).status_of(EVENT, "n29") is Status.DENIED


def viral(narrative: str) -> list[Tick]:
    return [(0, "noise", 30, 0), *((1.0 + number, narrative, 1, 0) for number in range(60))]


def merged(
    story: Sequence[Tick], marks: Sequence[StatusMark | MergeMark], cuts: Sequence[int] = ()
) -> list[tuple[str, ...]]:
    now, said, rows, begin = judge(), list[tuple[str, ...]](), dict[str, bytes](), -60.0
    now.decide(quiet(), at(-60))
    rows |= now.snapshot()
    for end in [*cuts, HOUR]:
        now = judge(rows)
        due = [mark for mark in marks if at(begin) < mark.at <= at(end)]
        judged = now.decide(counted([tick for tick in story if begin < tick[0] <= end]), at(end), due)
        said += [(one.narrative, one.rule, one.reason) for one in judged.findings if one.narrative and not one.holds]
        said += [(one.narrative, one.state.value, one.reason) for one in judged.transitions if one.at >= at(100)]
        rows |= now.snapshot()
        begin = end
    return said


def test_what_holds_of_a_narrative_ends_when_it_is_merged() -> None:
    merge = MergeMark(at=at(100), event=EVENT, narrative="n", into="m", by="desk")
    said = merged(viral("n"), [merge])
    assert {("n", "race", "merged"), ("n", "faded", "merged")} <= set(said)
    assert sorted(merged(viral("n"), [merge], [50, 99, 100, 101])) == sorted(said)


def test_what_was_established_of_it_holds_of_the_one_it_is_merged_into() -> None:
    marks: list[StatusMark | MergeMark] = [
        StatusMark(at=at(100), event=EVENT, narrative="n", status=Status.DEBUNKED, by="desk"),
        MergeMark(at=at(120), event=EVENT, narrative="n", into="m", by="desk"),
    ]
    said = merged(viral("m"), marks)
    assert {("m", "race", "status_set"), ("m", "settled", "status_debunked")} <= set(said)
    assert sorted(merged(viral("m"), marks, [110, 120])) == sorted(said)


def test_a_viral_narrative_that_is_settled_passes_once() -> None:
    mark = StatusMark(at=at(100), event=EVENT, narrative="n", status=Status.DENIED, by="desk")
    said = [one for one in merged(viral("n"), [mark]) if one[:1] == ("n",)]
    assert [one for one in said if one[1] not in {"race", "volume"}] == [("n", "settled", "status_denied")]


def test_early_merges_wait_for_their_time_also_over_a_restart() -> None:
    now = judge()
    now.decide(counted([]), at(1), [MergeMark(at=at(120), event=EVENT, narrative="n", into="m", by="desk")])
    debunked = StatusMark(at=at(60), event=EVENT, narrative="n", status=Status.DEBUNKED, by="desk")
    again = judge(now.snapshot())
    again.decide(counted([]), at(119) + timedelta(milliseconds=1), [debunked])
    assert again.status_of(EVENT, "m") is Status.UNCONFIRMED
    again.decide(counted([]), at(121))
    assert again.status_of(EVENT, "m") is Status.DEBUNKED
