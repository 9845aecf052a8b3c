"""Words split column-wise are the words of the regular expressions."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from classifiers.hashing import read_words
from classifiers.said import said_words
from classifiers.text import fold, without_links, words

PIECES = (
    *("https://a.example/x", "http://", "http:/", "www.", "www.b.c", "wwww.d", "@ada.x", "@", "#tag_of", "xhttp://y"),
    *(
        "don't",
        "it's",
        "x't't",
        "'t",
        "t'",
        "don't_",
        "'",
        "🇦",
        "🇫",
        "🇦🇫🇬",
        "❤",
        "👍🏽",
        "中",
        "文字",
        "ไทย",
        "က",
        "ﷺ",
        "½",
    ),
    *(
        "پنج‌شیر",
        "كابل",
        "नहीं",
        "ложь",
        "a1",
        "२",
        "…",
        "\0",
        "\n",
        " ",
        " ",
        "_",
        ".",
        "ᄀ",
        "각",
        "か゛",
        "e\u0301",
        "Ω",
    ),
)
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


@given(st.lists(TEXTS, max_size=6))
def test_split_words_are_those_of_the_regular_expressions(texts: list[str]) -> None:
    column = pl.Series("text", texts, dtype=pl.String)
    split, told = said_words(texts), read_words(words(without_links(fold(column))))
    for name in ("counts", "lengths", "points", "hashes", "rows", "starts", "begins", "sums"):
        assert np.array_equal(getattr(split, name), getattr(told, name)), name


def test_every_code_point_is_split_as_the_regular_expressions_do() -> None:
    texts = [f"a{chr(code)}b{chr(code)}" for code in range(0x11_0000) if not 0xD800 <= code < 0xE000]
    split, told = said_words(texts), read_words(words(without_links(fold(pl.Series(texts)))))
    assert np.array_equal(split.counts, told.counts)
    assert np.array_equal(split.hashes, told.hashes)


def test_many_texts_are_split_like_each_of_them() -> None:
    texts = [f"the dam has not broken {number} https://x.example/{number} @ada" for number in range(2_500)]
    split = said_words(texts)
    assert split.counts.tolist() == [6] * len(texts)
    assert np.array_equal(split.part(1_500, 1_501).hashes, said_words(texts[1_500:1_501]).hashes)
