"""Why an alert fired and what holds now stay apart, with few numbers each."""

import re
from typing import Any

import pytest

from monitor.alert import words
from monitor.alert.card import card, plain, step
from monitor.records import Alert, AlertState, Because
from tests.alert.test_decide import FIRING, RESOLVED, finding, gone, steps
from tests.fakes.alerts import an_alert

THEN = {
    "claims": 12.0,
    "denials": 3.0,
    "celebrations": 4.0,
    "log_e": 4.2,
    "threshold": 3.1,
    "p0": 0.62,
    "posterior": 0.9998,
    "start": 1.0,
    "dispersion": 1.3,
    "lag_s": 600.0,
    "claims_100_s": 900.0,
}
ENDED = {"claims": 70.0, "denials": 101.0, "posterior": 0.31, "log_e": -3.0}


def raced(**fields: Any) -> Alert:  # noqa: ANN401  any field of the record
    told = {"fired": Because("claims_outrun_denials", THEN), "numbers": THEN} | fields
    return an_alert(**told)


def test_why_it_fired_has_the_numbers_of_that_moment_and_few_of_them() -> None:
    shown = card(raced(claims=80, denials=9))
    assert shown.why.endswith("explains (claims then 12, denials then 3)")
    assert shown.confidence.startswith("99.9 % chance, by the counts of that moment, that claims ran ahead")
    assert shown.now == ""
    assert "Now: 80 claims against 9 denials" in plain(shown)


def test_a_race_that_is_over_says_how_it_ended_and_not_that_claims_run_ahead() -> None:
    over = {"reason": "denials_overtook", "change": "denials_overtook", "numbers": ENDED}
    shown = card(raced(state=AlertState.RESOLVED, claims=72, denials=104, **over))
    said = plain(shown)
    assert shown.now == "denials have overtaken the claims (claims then 70, denials then 101)"
    assert f"How it ended: {shown.now}" in said
    assert "At its end: 72 claims against 104 denials" in said
    assert "Why it fired: original claims outrun" in said
    assert said.count("ran ahead") == 1
    assert step(shown) == (
        "UNCONFIRMED · resolved · fall. How it ended: denials have overtaken the claims "
        "(claims then 70, denials then 101). 72 claims against 104 denials, by 39 authors"
    )


def test_a_race_that_fires_on_says_that_denials_are_ahead() -> None:
    assert card(raced(claims=80, denials=80)).now == ""
    assert f"Meanwhile: {words.DENIALS_AHEAD}" in plain(card(raced(claims=80, denials=81)))
    assert card(raced(rule="volume", claims=80, denials=81)).now == ""


def test_what_ends_by_a_word_of_somebody_has_no_old_numbers() -> None:
    shown = card(raced(state=AlertState.RESOLVED, reason="status_set", numbers=THEN))
    assert shown.now == "a status was set"


@pytest.mark.parametrize(
    ("rule", "numbers", "said"),
    [
        (
            "volume",
            {"claims": 20.0, "denials": 2.0, "originals": 99.0, "minutes": 60.0},
            "claims then 20, denials then 2, within 60 min",
        ),
        (
            "spike",
            {"posts": 400.0, "expected": 33.21, "ratio": 12.04, "score": 9.0},
            "normal level 33.21, times the normal level 12.04",
        ),
        (
            "quiet",
            {"silent_minutes": 125.0, "usual_minutes": 31.0},
            "silent for 125 min, longest silence of the last days 31 min",
        ),
    ],
)
def test_every_rule_has_numbers_of_its_own(rule: str, numbers: dict[str, float], said: str) -> None:
    shown = card(an_alert(rule=rule, reason="many_posts", fired=Because("many_posts", numbers)))
    assert shown.why == f"as many posts in a short time as the rules name ({said})"


@pytest.mark.parametrize("rule", words.RULE)
def test_every_card_says_what_its_finding_is_worth_and_calls_nothing_true_or_false(rule: str) -> None:
    for numbers in ({}, {"posterior": 0.97}):
        shown = card(raced(rule=rule, fired=Because("some_reason", numbers)))
        assert f"\n{words.CONFIDENCE}: {shown.confidence}\n" in plain(shown)
        assert not re.search(r"\b(true|false|lie|hoax|fake)\b", shown.confidence)
        assert ("97 %" in shown.confidence) == (rule == "race" and bool(numbers))
    assert rule in words.WORTH


def test_a_step_keeps_what_the_alert_fired_for() -> None:
    told = steps(
        [finding(0), gone(1_000, "quiet"), finding(1_100, reason="coordinated"), gone(4_000, "denials_overtook")]
    )
    assert {one.fired.reason for one in told if one.fired is not None} == {"claims_outrun_denials"}
    assert all(one.fired is not None for one in told)
    assert [one.reason for one in told if one.state is RESOLVED] == ["denials_overtook"]
    assert any(one.state is FIRING for one in told)
