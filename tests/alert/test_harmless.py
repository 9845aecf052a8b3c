import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alert.harmless import harmless, harmless_link

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cc", "Cf", "Cs", "Co", "Mn"]),
        st.sampled_from(" \n\u200c\u202e[](){}<>@!`سلا\u0301🇦🇫👍🏽"),
    ),
    max_size=80,
)
LIMITS = st.integers(0, 60)


@given(HOSTILE, LIMITS)
def test_nothing_that_acts_comes_through(text: str, limit: int) -> None:
    shown = harmless(text, limit)
    assert len(shown) <= limit
    assert {unicodedata.category(char) for char in shown.replace("\u200c", "")}.isdisjoint({"Cc", "Cf", "Cs", "Co"})
    assert not set(shown) & set("\n\r\t@<>`\u2028\u2029\x85\xa0")
    assert "](" not in shown
    shown.encode("utf-8")


@given(HOSTILE, LIMITS)
def test_what_is_harmless_is_left_alone(text: str, limit: int) -> None:
    once = harmless(text, limit)
    assert harmless(once, limit) == once


@given(HOSTILE, LIMITS)
def test_a_longer_text_ends_with_an_ellipsis_and_never_inside_a_character(text: str, limit: int) -> None:
    whole, cut = harmless(text, 10_000), harmless(text, limit)
    if len(whole) <= limit:
        assert cut == whole
    elif limit:
        assert cut.endswith("…")
        kept = cut[:-1]
        assert whole.startswith(kept)
        rest = whole[len(kept) :].lstrip(" \u200c")
        assert not unicodedata.combining(rest[0])


@given(st.text("abcdefgh سلام0123456789.,!?", max_size=100))
def test_plain_words_come_through_as_they_are(text: str) -> None:
    assert harmless(text, 200) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "␛[2Jgone"),
        ("a\x00b\x07", "a�b�"),
        ("one\n\n two\u2028three", "one two three"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("Pan\u200bjshir\ufeff", "Panjshir"),
        ("پنج\u200cشیر", "پنج\u200cشیر"),
        ("\u200cپنج\u200c\u200cشیر\u200c", "پنج\u200cشیر"),
        ("a\u200cb", "ab"),
        ("@everyone <!channel>", "＠everyone ‹!channel›"),
        ("[safe](https://evil.example)", "[safe] (https://evil.example)"),
        ("Z\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "Z\u0301\u0301\u0301\u0301"),
        ("\u0301\u0301 a", "a"),
        ("\ud800", "�"),
        ("x\U000e0061\ufe0f\u3164y", "xy"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert harmless(text, 100) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("the valley has fallen", 14, "the valley…"),
        ("the valley has fallen", 10, "the…"),
        ("a" * 20, 10, "a" * 9 + "…"),
        ("x " + "a" * 20, 10, "x aaaaaaa…"),
        ("🇦🇫🇦🇫🇦🇫", 4, "🇦🇫…"),
        ("👍🏽👍🏽👍🏽", 4, "👍🏽…"),
        ("ee\u0301ee\u0301", 3, "e…"),
        ("abc", 3, "abc"),
        ("abc", 0, ""),
    ],
)
def test_a_text_is_cut_at_a_word_or_else_between_characters(text: str, limit: int, shown: str) -> None:
    assert harmless(text, limit) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("https://example.org/@name/1", "https://example.org/%40name/1"),
        ("https://example.org/پنجشیر", "https://example.org/%D9%BE%D9%86%D8%AC%D8%B4%DB%8C%D8%B1"),
        ("https://example.org/>|<!channel>", "https://example.org/%3E%7C%3C!channel%3E"),
        ("javascript:alert(1)", None),
        ("https://bank.example@evil.example/", None),
        ("https://exa\u202emple.org/", None),
        ("https://example.org/ a", None),
        ("https://[half", None),
        ("https:///nowhere", None),
        ("https://example.org/" + "a" * 500, None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_plain_web_address_is_shown(url: str | None, shown: str | None) -> None:
    assert harmless_link(url) == shown


@given(HOSTILE)
def test_no_link_of_hostile_text_breaks_out(text: str) -> None:
    link = harmless_link("https://example.org/" + text)
    assert link is None or (link.isascii() and not set(link) & set(" @<>`[]()|"))
