import re
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alert import words
from monitor.alert.example import example_alert
from monitor.alert.message import card_text
from monitor.marks import GapMark, Status
from monitor.records import AlertState, NarrativeState
from tests.fakes.alerts import AT, a_piece, an_alert


def test_the_card_says_everything_in_the_desks_order() -> None:
    assert card_text(an_alert()).splitlines() == [
        "UNCONFIRMED · firing · fall",
        "Claim: the valley has fallen",
        "Watched: The valley has fallen",
        "First shown here: x, 2021-09-03 13:30 UTC",
        "Now: 41 claims against 3 denials, by 39 authors",
        "Celebration reports: 17. Questions: 5.",
        "Posts:",
        "  [claim] x, 2021-09-03 13:30 UTC: the valley has fallen, says source 0 https://example.org/0",
        "  [denial] x, 2021-09-03 13:31 UTC: the valley has fallen, says source 1 https://example.org/1",
        (
            "Why it fired: original claims outrun original denials by more than chance explains "
            "(log of the evidence 4.2, threshold 3, share of claims an even race may show 0.62)"
        ),
        "Holds since: 2021-09-03 14:28 UTC",
        f"Confidence: {words.WORTH['race']}",
        "telegram blind 2021-09-03 14:01 UTC–2021-09-03 14:30 UTC (flood wait): counts are a floor",
        "What would change it: denials that catch up, a quiet spell, or a status set by the desk or a registered voice",
        "Alert a1, 2021-09-03 14:30 UTC",
    ]


def test_the_card_says_where_the_narrative_stands_and_which_source_is_quiet() -> None:
    card = card_text(
        an_alert(narrative_state=NarrativeState.VIRAL_UNCONFIRMED, rule="volume", reason="viral_no_verdict")
    )
    assert "Where it stands: viral, unconfirmed" in card
    assert "no verdict yet on whether denials keep up" in card
    assert "Source: wire" in card_text(an_alert(narrative="", rule="quiet", subject="wire"))


def test_a_voice_that_is_quiet_is_named_as_a_registered_voice() -> None:
    text = card_text(an_alert(narrative="", rule="quiet", reason="voice_silent", subject="voice:The Agency \x1b[31m"))
    assert "Registered voice: The Agency" in text
    assert "a registered voice says nothing of the event" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("state", NarrativeState)
def test_every_state_has_words(state: NarrativeState) -> None:
    assert words.NARRATIVE_STATE[state] in card_text(an_alert(narrative_state=state))


def test_the_desks_own_time_stands_before_utc() -> None:
    card = card_text(an_alert(), timezone(timedelta(hours=4, minutes=30)))
    assert "Holds since: 2021-09-03 18:58 +0430 (2021-09-03 14:28 UTC)" in card


def test_without_a_label_the_claim_is_the_proposition_and_stands_once() -> None:
    card = card_text(an_alert(label="", proposition="The bridge is closed"))
    assert card.count("The bridge is closed") == 1


def test_at_most_five_posts_are_shown() -> None:
    card = card_text(an_alert(evidence=tuple(a_piece(n) for n in range(9))))
    assert card.count("[claim]") == 5


def test_a_post_removed_by_its_author_is_said_to_be() -> None:
    card = card_text(an_alert(evidence=(a_piece(text="", url=None, author=None),)))
    assert "[claim] x, 2021-09-03 13:30 UTC: (removed by its author, or too old to keep)" in card


def test_a_post_is_shown_with_the_words_it_was_read_by_as_long_as_it_is_there() -> None:
    card = card_text(an_alert(evidence=(a_piece(cues="fallen · says"),)))
    assert "says source 0 https://example.org/0 (cue words: fallen · says)" in card
    gone = card_text(an_alert(evidence=(a_piece(text="", url=None, author=None, cues="fallen"),)))
    assert "cue words" not in gone


def test_an_unknown_reason_rule_and_number_are_shown_as_they_are_called() -> None:
    card = card_text(an_alert(rule="panic", reason="many_at_once", numbers={"posts_per_minute": 1234.5678}))
    assert "Why it fired: many at once (posts per minute 1235)" in card
    assert f"What would change it: {words.OTHER_CHANGE}" in card


def test_what_is_over_is_not_said_to_change() -> None:
    assert words.CHANGE not in card_text(an_alert(state=AlertState.RESOLVED))
    assert words.CHANGE in card_text(an_alert(state=AlertState.RESOLVED, also=("volume",)))


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("state", AlertState)
def test_no_card_calls_anything_true_or_false(status: Status, state: AlertState) -> None:
    card = card_text(an_alert(status=status, state=state))
    assert card.startswith(status.value.upper())
    assert not re.search(r"\b(true|false|fake|real|lie|hoax|fact)\b", card, re.IGNORECASE)


@given(st.text(max_size=60), st.text(max_size=60))
def test_hostile_text_adds_no_line_and_no_mark_to_the_card(text: str, other: str) -> None:
    gap = GapMark(source=text, begins=AT, ends=AT, why=other)
    plain = an_alert(evidence=(a_piece(),), blind=(GapMark(source="s", begins=AT, ends=AT, why="w"),))
    hostile = an_alert(
        label="a" + text, event=other, evidence=(a_piece(text=text, url=other, cues=text),), blind=(gap,)
    )
    lines = card_text(hostile).split("\n")
    assert len(lines) == len(card_text(plain).split("\n"))
    assert all(line.isprintable() for line in (line.replace("\u200c", "") for line in lines))


def test_the_example_is_marked_as_a_test_everywhere() -> None:
    card = card_text(example_alert(AT))
    assert example_alert(AT) == example_alert(AT)
    marked = [line for line in card.splitlines() if line.startswith(("Claim", "  [", "test-feed"))]
    assert len(marked) == 5
    assert all("TEST" in line for line in marked)


def test_every_status_and_state_has_a_word() -> None:
    assert set(words.STATUS) == set(Status)
    assert set(words.STATE) == set(AlertState)
