import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from classifiers.hashing import combine, read_words, word_hash

WORDS = st.lists(st.lists(st.text(min_size=1, max_size=12), max_size=6), min_size=1, max_size=6)


def by_hand(word: str) -> int:
    """The hash as its definition says it, one code point after the other."""
    value, power = 0, 1
    for letter in word:
        power = power * 0x9E3779B97F4A7C15 % 2**64
        value = (value + ord(letter) * power) % 2**64
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_a_words_hash_is_the_one_its_definition_gives(word: str) -> None:
    assert word_hash(word) == by_hand(word)


def test_known_words_have_the_hashes_they_always_had() -> None:
    assert [word_hash(word) for word in ("false", "دروغ", "謠")] == [
        0x36D84E37F6D9F742,
        0x818694F9BC343FB1,
        0xC1B0882D8CC4202C,
    ]


def test_a_words_hash_does_not_depend_on_its_neighbours() -> None:
    alone = read_words(pl.Series([["dam"]]))
    among = read_words(pl.Series([["the", "old"], [], ["dam", "broke"]]))
    assert among.hashes[2] == alone.hashes[0]
    assert among.rows.tolist() == [0, 0, 2, 2]
    assert among.counts.tolist() == [2, 0, 2]


def test_a_prefix_hashes_like_the_word_it_is() -> None:
    read = read_words(pl.Series([["celebration", "ox"]]))
    assert read.prefixes(8).tolist() == [word_hash("celebrat"), word_hash("ox")]


def test_a_part_of_the_texts_reads_as_if_it_stood_alone() -> None:
    columns = [["a", "bb"], [], ["ccc"], ["d", "e"]]
    part, alone = read_words(pl.Series(columns)).part(1, 4), read_words(pl.Series(columns[1:]))
    for name in ("hashes", "rows", "counts", "starts", "lengths"):
        assert np.array_equal(getattr(part, name), getattr(alone, name)), name
    assert np.array_equal(part.prefixes(2), alone.prefixes(2))


def test_the_order_of_a_pair_matters() -> None:
    first, second = read_words(pl.Series([["not", "true"]])).hashes[:1], read_words(pl.Series([["true"]])).hashes
    assert combine(first, second) != combine(second, first)


def test_texts_without_words_have_no_hashes() -> None:
    read = read_words(pl.Series([[], []], dtype=pl.List(pl.String)))
    assert len(read.hashes) == 0
    assert read.counts.tolist() == [0, 0]


def test_a_skeleton_is_what_two_spellings_of_a_transliteration_share() -> None:
    read = read_words(pl.Series([["khushali", "khoshaali"], ["jhoot", "jhuutt"], ["jashn", "dance"]]))
    hashes, there = read.skeletons()
    assert there.all()
    assert hashes[0] == hashes[1]
    assert hashes[2] == hashes[3]
    assert hashes[4] != hashes[5]


def test_short_words_digits_and_other_scripts_have_no_skeleton() -> None:
    read = read_words(pl.Series([["not", "aaaa", "2021", "دروغ", "ложь", "isha3a", "fire"], []]))
    assert read.skeletons()[1].tolist() == [False, False, False, False, False, False, True]
    assert not len(read_words(pl.Series([[]], dtype=pl.List(pl.String))).skeletons()[0])


@given(WORDS)
def test_a_skeleton_does_not_depend_on_the_other_texts(texts: list[list[str]]) -> None:
    together, _ = read_words(pl.Series(texts, dtype=pl.List(pl.String))).skeletons()
    alone = [read_words(pl.Series([[word]])).skeletons()[0][0] for words in texts for word in words]
    assert together.tolist() == alone
