"""Rows of races that an older version left are taken up."""

from typing import Any

import msgspec

from tests.fakes.counts import EVENT, START, at, counted, quiet
from tests.judge.test_judge import HOUR, ONSET, burst, judge, races

TALLY = f"judge/event/{EVENT}/races/n"
EPOCH = f"judge/event/{EVENT}/races/"
_DISPERSION: list[list[Any]] = []


def as_it_was(rows: dict[str, bytes]) -> dict[str, bytes]:
    """The rows of races as 0.1.0 wrote them."""
    tally: list[Any] = msgspec.msgpack.decode(rows[TALLY])
    (start, onset, calm, neither, *epoch), starts, _ = msgspec.msgpack.decode(rows[EPOCH])
    return rows | {
        TALLY: msgspec.msgpack.encode([*tally[:6], _DISPERSION, *tally[9:13]]),
        EPOCH: msgspec.msgpack.encode([[start, onset, calm, sum(neither), *epoch[:-1]], starts]),
    }


def test_a_finding_of_an_older_version_goes_on_until_denials_overtake() -> None:
    now = judge()
    now.decide(counted([], quiet()), START)
    assert races(now.decide(counted(burst(60, 6)), at(100)).findings) == [(True, "claims_outrun_denials")]
    rows = as_it_was(now.snapshot())
    again = judge()
    again.restore(rows)
    (before,), (after,) = now.races(EVENT), again.races(EVENT)
    assert (after.claims, after.denials, after.log_e, after.holds) == (
        before.claims,
        before.denials,
        before.log_e,
        True,
    )
    denials = counted([(ONSET + 100 + number, "n", 0, 1) for number in range(200)])
    assert races(again.decide(denials, at(HOUR)).findings)[0] == (False, "denials_overtook")
