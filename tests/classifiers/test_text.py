"""The one folding of text."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.text import GROWTH, fold, fold_one, hashtag_words, without_links, words

TRICKY = (
    "aAeEzZоОеАаНнΝνωпنيىیئكکةهۀأ\u200c\u200d\u00ad\u0640\u064b\u0301\u0654 \t\n\0_#@.'’…½ﷺßﬁẞİ"
    "\u1100\u1161\u11a8각ｶﾞか\u3099५1٣👍🏽🇦🇫中"
)
TEXTS = st.one_of(st.text(), st.text(alphabet=TRICKY))


@given(st.lists(st.one_of(st.none(), TEXTS), max_size=8))
def test_folding_a_column_is_folding_each_of_its_texts(texts: list[str | None]) -> None:
    folded = fold(pl.Series("text", texts, dtype=pl.String))
    assert folded.name == "text"
    assert folded.to_list() == [None if text is None else fold_one(text) for text in texts]


@given(TEXTS)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_one(fold_one(text)) == fold_one(text)


@given(TEXTS)
def test_a_folded_text_is_bounded_by_its_length(text: str) -> None:
    assert len(fold_one(text)) <= GROWTH * len(text)


@given(st.text(alphabet="eéÀñöűاآؤیئۀйёάΏ각한カガがḗọ"))
def test_composed_and_decomposed_spellings_are_one(text: str) -> None:
    assert fold_one(unicodedata.normalize("NFD", text)) == fold_one(unicodedata.normalize("NFC", text))


def test_every_code_point_folds_to_a_fixed_point() -> None:
    letters = pl.Series([chr(code) for code in range(0x11_0000) if not 0xD800 <= code < 0xE000])
    folded = fold(letters)
    assert folded.len() == letters.len()
    assert (fold(folded) == folded).all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("پنجشیر", "پنج\u200cشیر"),
        ("پنجشیر", "پنجشېر"),
        ("پنجشیر", "پنجشير"),
        ("پنجشیر", "پَنجـــشیر"),
        ("بنجشير", "بنجشیر"),
        ("کابل", "كابل"),
        ("افغانستان", "أفغانستان"),
        ("جبهه", "جبهة"),
        ("مسئول", "مسؤول".replace("ؤ", "ئ")),
        ("سوال", "سؤال"),
        ("۱۲۳", "١٢٣"),
        ("123", "۱۲۳"),
        ("PANJSHIR", "panjshir"),
        ("Panjshér", "panjsher"),
        ("İstanbul", "istanbul"),
        ("Straße", "STRASSE"),
        ("Ｐａｎｊｓｈｉｒ", "panjshir"),
        ("𝓟𝓪𝓷𝓳𝓼𝓱𝓲𝓻", "panjshir"),
        ("🅿🅰🅽🅹", "panj"),
        ("ᴘᴀɴᴊsʜɪʀ", "panjshir"),
        ("Pan\u200bj\u200dsh\u00adir\ufe0f", "panjshir"),
        ("\u202epanjshir\u202c", "panjshir"),
        ("panj\U000e0061shir", "panjshir"),
        ("Раnjshіr", "panjshir"),
        ("PANJSНIR", "panjshir"),
        ("ΡΑΝJSHIR", "panjshir"),
        ("don’t", "don't"),
        ("  a \n\t b\u00a0", "a b"),
        ("👍🏽", "👍"),
    ],
)
def test_spellings_of_one_word_fold_to_one(one: str, other: str) -> None:
    assert fold_one(one) == fold_one(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("پدر", "بدر"), ("ښه", "سه"), ("ړوند", "روند"), ("گل", "کل"), ("panjshir", "panjsher"), ("中", "忠")],
)
def test_letters_of_their_own_stay_apart(one: str, other: str) -> None:
    assert fold_one(one) != fold_one(other)


@pytest.mark.parametrize(
    "text", ["россия опровергла слухи", "то ест сок", "ελλαδα και αθηνα", "한국어", "がぎぐ", "हिन्दी", "ไทย"]
)
def test_words_of_one_script_survive(text: str) -> None:
    assert fold_one(text) == text


def test_a_russian_word_with_a_latin_letter_in_it_becomes_russian() -> None:
    assert fold_one("пaдение") == "падение"  # the second letter is Latin


def test_a_word_that_no_one_script_can_spell_is_left_alone() -> None:
    assert fold_one("qжf") == "qжf"


def test_urls_and_handles_go_and_hashtags_stay_as_words() -> None:
    texts = pl.Series(
        ["see https://x.org/panjshir now", "@panjshir_news says", "#Panjshir_Resistance holds", "www.a.af"]
    )
    assert words(without_links(fold(texts))).to_list() == [
        ["see", "now"],
        ["says"],
        ["panjshir", "resistance", "holds"],
        [],
    ]


def test_words_are_found_in_every_script() -> None:
    texts = pl.Series(["isn't Kabul's 3rd", "کابل، پنج‌شیر!", "हिन्दी भाषा", "阿富汗", "no 😂👍🏽🇦🇫", ""])
    assert words(fold(texts)).to_list() == [
        ["isn't", "kabul", "s", "3rd"],
        ["کابل", "پنجشیر"],
        ["हिन्दी", "भाषा"],
        ["阿", "富", "汗"],
        ["no", "😂", "👍", "🇦🇫"],
        [],
    ]


def test_camel_case_hashtags_are_split_before_their_case_is_lost() -> None:
    texts = pl.Series(["#StandWithPanjshir and #panjshir", "McDonald #plain", None])
    assert hashtag_words(texts).to_list() == ["#Stand_With_Panjshir", "", ""]
