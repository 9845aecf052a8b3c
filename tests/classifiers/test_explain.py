import polars as pl
import pytest

from classifiers.artifact import load
from classifiers.explain import Why, explain, sentence
from classifiers.tagger import Tagger
from classifiers.train import OUTPUT

PARENT = "The bridge is closed"


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load(OUTPUT)


def why(tagger: Tagger, text: str, parent: str = PARENT) -> Why:
    return explain(tagger, pl.Series([text]), pl.Series([parent]))[0]


@pytest.mark.parametrize(
    ("text", "word", "cue"),
    [
        ("This is fake news, people", "fake", "denial"),
        ("این خبر دروغ است", "دروغ", "denial"),
        ("Fireworks over the river tonight", "Fireworks", "celebration"),
    ],
)
def test_the_word_that_pulled_is_named_as_it_stands_with_its_cue(
    tagger: Tagger, text: str, word: str, cue: str
) -> None:
    told = why(tagger, text)
    pulls = {pull.what: pull for pull in told.pulls}
    assert told.tag == cue
    assert word in pulls
    assert cue in pulls[word].cues


def test_pulls_come_strongest_first_and_never_push_away(tagger: Tagger) -> None:
    told = why(tagger, "That is a lie, a fake, I am standing on the bridge and it is open as usual")
    strengths = [pull.by for pull in told.pulls]
    assert strengths == sorted(strengths, reverse=True)
    assert all(strength > 0 for strength in strengths)


def test_the_answer_does_not_depend_on_the_other_posts(tagger: Tagger) -> None:
    texts = ["This is fake news", "", "source?", "nice weather"]
    together = explain(tagger, pl.Series(texts), pl.Series([PARENT] * 4))
    assert together == [why(tagger, text) for text in texts]


def test_a_post_that_says_nothing_says_so(tagger: Tagger) -> None:
    assert sentence(why(tagger, "https://example.org")) == "other 0.92 (nothing read)"


def test_nothing_is_explained_where_nothing_is_asked(tagger: Tagger) -> None:
    empty = pl.Series([], dtype=pl.String)
    assert explain(tagger, empty, empty) == []
