from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alert.silence import matches as falls_under
from monitor.alert.silence import silenced_until
from monitor.marks import Silence
from tests.fakes.counts import START

HOUR = timedelta(hours=1)
NAMES = st.sampled_from(["a", "b"])


def silence(hours: float = 1, /, **fields: Any) -> Silence:  # noqa: ANN401
    plain: dict[str, Any] = {"id": "s", "begins_at": START - HOUR, "expires_at": START + hours * HOUR}
    return Silence(owner="desk", comment="known", **plain | fields)


@pytest.mark.parametrize(
    ("matcher", "matches"),
    [
        ({}, True),
        ({"event": "fall"}, True),
        ({"event": "fall", "narrative": "n", "rule": "race"}, True),
        ({"event": "other"}, False),
        ({"event": "fall", "narrative": "m"}, False),
        ({"rule": "spike"}, False),
    ],
)
def test_a_silence_matches_what_it_names_and_all_it_leaves_open(matcher: dict[str, str], *, matches: bool) -> None:
    assert falls_under(silence(**matcher), "fall", "n", "race") is matches


@given(NAMES, NAMES, NAMES)
def test_an_exact_silence_matches_itself_alone(event: str, narrative: str, rule: str) -> None:
    exact = silence(event="a", narrative="a", rule="a")
    assert falls_under(exact, event, narrative, rule) is ((event, narrative, rule) == ("a", "a", "a"))


def test_an_expired_silence_silences_nothing() -> None:
    assert silenced_until([silence(1)], "fall", "n", "race", START + HOUR) is None


def test_of_several_silences_the_last_to_expire_counts() -> None:
    several = [silence(2), silence(5, event="fall", id="t"), silence(9, event="other", id="u")]
    assert silenced_until(several, "fall", "n", "race", START) == START + 5 * HOUR


def test_silences_that_follow_each_other_are_one() -> None:
    second = silence(5, id="t", begins_at=START + HOUR)
    assert silenced_until([second, silence(1)], "fall", "n", "race", START) == START + 5 * HOUR


def test_a_silence_counts_from_when_it_was_made_until_another_of_its_id_is_made() -> None:
    forms = [silence(9, at=START), silence(2, at=START + HOUR, narrative="m"), silence(4, at=START + 3 * HOUR)]
    found = [silenced_until(forms, "fall", "n", "race", START + hours * HOUR) for hours in (-0.5, 0, 1, 3)]
    assert found == [None, START + HOUR, None, START + 4 * HOUR]


def test_a_silence_that_has_not_begun_silences_nothing() -> None:
    assert silenced_until([silence(1)], "fall", "n", "race", START - 2 * HOUR) is None
