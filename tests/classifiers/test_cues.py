import polars as pl
import pytest

from classifiers.cues import CUES, cue_table, lexicon_text
from classifiers.hashing import read_words
from classifiers.text import fold, without_links, words

HEADER = "cue\tlanguage\tphrases\n"


def cues(lexicon: str, text: str) -> list[set[str]]:
    """The cues that begin at each word of a text."""
    marks = cue_table(lexicon).find(read_words(words(without_links(fold(pl.Series([text]))))))
    return [{cue for place, cue in enumerate(CUES) if int(mark) >> place & 1} for mark in marks]


LEXICON = HEADER + "denial\ten\tfake* | not the case\nclaim\ten\tbreaking | not the end of it all\n"


def test_a_word_a_stem_and_a_phrase_are_found_where_they_begin() -> None:
    found = cues(LEXICON, "Breaking: that is not the case, faked!")
    assert found == [{"claim"}, set(), set(), {"denial"}, set(), set(), {"denial"}]


def test_a_phrase_does_not_reach_into_the_next_text() -> None:
    read = read_words(pl.Series([["that", "is", "not"], ["the", "case"]]))
    assert not cue_table(LEXICON).find(read).any()


def test_phrases_with_the_same_beginning_are_told_apart() -> None:
    assert cues(LEXICON, "not the end of it all")[0] == {"claim"}
    assert cues(LEXICON, "not the end of it")[0] == set()


def test_a_stem_is_no_longer_than_the_word() -> None:
    assert cues(LEXICON, "fak") == [set()]


def test_an_unknown_cue_is_refused() -> None:
    with pytest.raises(ValueError, match="gossip"):
        cue_table(HEADER + "gossip\ten\tpsst\n")


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("a pack of lies", "denial"),
        ("این خبر تکذیب شد", "denial"),
        ("دا درواغ دي", "denial"),
        ("یہ جھوٹ ہے", "denial"),
        ("لا صحة لهذا الخبر", "denial"),
        ("durogh ast", "denial"),
        ("jhoot hai bhai", "denial"),
        ("es mentira", "denial"),
        ("c'est faux", "denial"),
        ("bu haber yalan", "denial"),
        ("это ложь", "denial"),
        ("这是谣言", "denial"),
        ("fireworks over the river", "celebration"),
        ("شلیک هوایی در شهر", "celebration"),
        ("ہوائی فائرنگ", "celebration"),
        ("إطلاق ألعاب نارية", "celebration"),
        ("any confirmation?", "question"),
        ("آیا درست است", "question"),
    ],
)
def test_the_lexicon_knows_its_languages(text: str, cue: str) -> None:
    assert cue in set().union(*cues(lexicon_text(), text))
