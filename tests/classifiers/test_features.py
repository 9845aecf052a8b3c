"""What a post is seen as: observations have names, and thread and scope are seen."""

import polars as pl
import pytest

from classifiers.cues import lexicon_text
from classifiers.features import Features, FeatureSettings
from classifiers.reading import posts

FEATURES = Features(lexicon_text(), FeatureSettings(bits=12))
PARENT = "The bridge is closed"


def seen(text: str, parent: str = PARENT, root: str = "", *, answer: bool | None = None) -> dict[str, int]:
    answers = None if answer is None else pl.Series([answer])
    batch = posts(pl.Series([text]), pl.Series([parent]), pl.Series([root]), answers)
    return dict(zip(FEATURES.names, FEATURES.see(batch).observed[0].tolist(), strict=True))


def test_there_are_over_130_observations_each_with_a_name_of_its_own() -> None:
    assert len(FEATURES.names) == len(set(FEATURES.names)) == len(FEATURES.scale) > 130


def test_a_negation_reaches_three_words_on_and_no_further() -> None:
    near, far = seen("it is not a lie"), seen("not the way any of us would ever lie")
    assert (near["denial:after_negation"], near["denial:unnegated"]) == (1, 0)
    assert (far["denial:after_negation"], far["denial:unnegated"]) == (0, 1)


@pytest.mark.parametrize(
    "text", ["a lie", "lie", "چنین چیزی دروغ است", "das ist eine Lüge", "это ложь", "mentira", "デマです"]
)
def test_a_denial_is_a_denial_in_many_languages(text: str) -> None:
    assert seen(text)["denial:any"] == 1


def test_likeness_to_the_parent_grows_with_shared_words() -> None:
    alike, unlike = seen("the bridge is closed today"), seen("what lovely weather")
    assert alike["parent:cosine"] > unlike["parent:cosine"] == 0
    assert unlike["parent:none"] == 1


def test_negating_what_the_parent_says_is_seen() -> None:
    assert seen("the bridge is not closed")["negation_mismatch"] == 1
    assert seen("the bridge is not closed", "the bridge is not closed")["negation_mismatch"] == 0


def test_an_answer_an_original_and_an_answer_deep_in_a_thread_are_told_apart() -> None:
    original, answer = seen("hm", answer=False), seen("hm", answer=True)
    deep = seen("hm", root="Breaking: bridge closed")
    assert (original["answer"], original["proposition"], original["deep"]) == (0, 1, 0)
    assert (answer["answer"], answer["proposition"], answer["deep"]) == (1, 0, 0)
    assert (deep["answer"], deep["deep"]) == (1, 1)


def test_a_root_that_is_the_parent_makes_nothing_deep() -> None:
    assert seen("hm", root=PARENT)["deep"] == 0


def test_a_new_number_is_seen_in_any_digits() -> None:
    assert seen("12 dead", "11 dead")["new_number"] == 1
    assert seen("۱۱ dead", "11 dead")["new_number"] == 0
    assert seen("twelve dead", "11 dead")["new_number"] == 0


def test_who_said_it_is_seen() -> None:
    assert seen("Police: the bridge is open")["attribution"] == 1
    assert seen("Police: the bridge is open")["official:first"] == 1
    assert seen("my brother lives there")["witness:any"] == 1


def test_a_text_of_no_words_is_silent() -> None:
    batch = posts(pl.Series(["", "a", "@x https://example.org"]), pl.Series(["", None, PARENT]))
    assert FEATURES.see(batch).silent.tolist() == [True, False, True]
