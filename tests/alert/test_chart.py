"""The chart: what stands on it, that hostile text only stands there, and that every letter it draws has a glyph."""

import struct
import unicodedata
from datetime import timedelta
from importlib.resources import files
from random import Random
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from monitor.alert import words
from monitor.alert.card import card, plain
from monitor.alert.chart import picture
from monitor.alert.chart_drawing import HEIGHT, WIDTH, drawing
from monitor.alert.chart_text import COVERED, breadth, drawn, is_rtl, lines
from monitor.records import Alert, Series
from tests.fakes.alerts import AT, an_alert
from tests.fakes.corpus import SCRIPTS, hostile
from tests.fakes.pictures import charted, pixels

FONTS = (
    files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf",
    files("fontpkg_noto_sans_arabic") / "files" / "NotoSansArabic[wdth,wght].ttf",
)


def svg(alert: Alert, **fields: Any) -> ET.Element:  # noqa: ANN401
    made = drawing(alert, **fields)
    assert made is not None
    return ET.fromstring(made)  # noqa: S314 -- our own


def said(alert: Alert, **fields: Any) -> list[str]:  # noqa: ANN401
    """Every text of the chart, without what sets its direction."""
    return [(one.text or "").strip("\u2066\u2067\u2069") for one in svg(alert, **fields).findall(".//{*}text")]


def test_it_names_status_claim_sides_scale_and_marks() -> None:
    alert = charted(spikes=(AT - timedelta(minutes=20),))
    texts = said(alert, zone=ZoneInfo("Asia/Kabul"))
    assert texts[:2] == ["UNCONFIRMED", "the valley has fallen"]
    for one in ("claims 41", "denials 3", "celebration 17", "alert 18:58", "spike 18:40", "source blind"):
        assert one in texts
    assert "per minute · UTC+04:30" in texts
    assert "18:45" in texts


def test_each_side_has_a_colour_and_a_line_of_its_own() -> None:
    curves = [one for one in svg(charted()).findall(".//{*}path") if one.get("fill") == "none"]
    assert len({one.get("stroke") for one in curves}) == len({one.get("stroke-dasharray") for one in curves}) == 3


def test_an_alert_without_counts_has_no_chart() -> None:
    assert picture(an_alert()) is None
    assert card(an_alert()).trend == ""


def test_it_is_a_png_of_twice_a_phones_width_in_points() -> None:
    made = picture(charted())
    assert made is not None
    assert made[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", made[16:24]) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("text", hostile())
def test_hostile_text_only_stands_there(text: str) -> None:
    plain_one = {one.tag for one in svg(charted(label="plain")).iter()}
    tree = svg(charted(label=text, proposition=text, event=text))
    assert {one.tag for one in tree.iter()} <= plain_one
    for one in tree.findall(".//{*}text"):
        inside = (one.text or "")[1:-1]
        assert not any(unicodedata.category(char) in {"Cc", "Cs", "Cn", "Co"} for char in inside)
        assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in inside)


@pytest.mark.parametrize("script", ["latin", "dari", "pashto", "urdu", "arabic", "cyrillic", "greek", "hindi"])
def test_a_claim_in_a_script_of_the_fonts_is_the_title(script: str) -> None:
    text = SCRIPTS[script]
    assert drawn(text) == text
    assert is_rtl(text) == (script in {"dari", "pashto", "urdu", "arabic"})
    assert " ".join(said(charted(label=text))[1:3]).startswith(text.split(" ", maxsplit=1)[0])


@pytest.mark.parametrize("script", ["chinese", "japanese", "korean", "thai", "amharic", "tamil", "hebrew"])
def test_a_claim_in_any_other_script_is_left_to_the_card(script: str) -> None:
    assert said(charted(label=SCRIPTS[script], proposition=SCRIPTS[script]))[1] == words.CHART_NO_TITLE
    assert said(charted(label=SCRIPTS[script]))[1] == "The valley has fallen"


def test_a_text_from_right_to_left_stands_at_the_right_edge_and_is_a_sentence_by_itself() -> None:
    title = svg(charted(label=SCRIPTS["dari"])).findall(".//{*}text")[1]
    assert (title.get("text-anchor"), (title.text or "")[0]) == ("end", "\u2067")


def test_every_letter_that_may_be_drawn_has_a_glyph() -> None:
    there = {code for font in FONTS for code in codes_of(font.read_bytes())}
    asked = {code for span in COVERED for code in span if unicodedata.category(chr(code)) not in {"Cn", "Cc"}}
    assert not [hex(code) for code in sorted(asked - there)]


def codes_of(font: bytes) -> set[int]:
    """The code points for which a TrueType font has a glyph, by its format-12 or format-4 table (OpenType, cmap)."""
    (tables,) = struct.unpack_from(">H", font, 4)
    where = next(
        struct.unpack_from(">I", font, 12 + 16 * n + 8)[0] for n in range(tables) if font[12 + 16 * n :][:4] == b"cmap"
    )
    (count,) = struct.unpack_from(">H", font, where + 2)
    codes: set[int] = set()
    for n in range(count):
        table = where + struct.unpack_from(">I", font, where + 4 + 8 * n + 4)[0]
        (kind,) = struct.unpack_from(">H", font, table)
        if kind == 12:
            (groups,) = struct.unpack_from(">I", font, table + 12)
            for group in range(groups):
                first, last, _ = struct.unpack_from(">III", font, table + 16 + 12 * group)
                codes |= set(range(first, last + 1))
        elif kind == 4:
            (double,) = struct.unpack_from(">H", font, table + 6)
            ends = struct.unpack_from(f">{double // 2}H", font, table + 14)
            begins = struct.unpack_from(f">{double // 2}H", font, table + 16 + double)
            codes |= {code for first, last in zip(begins, ends, strict=True) for code in range(first, last + 1)}
    return codes - {0xFFFF}


@pytest.mark.parametrize("script", ["latin", "dari", "pashto", "urdu", "arabic", "cyrillic", "greek", "hindi"])
def test_a_long_title_ends_inside_the_picture(script: str) -> None:
    text = SCRIPTS[script].upper().replace(" ", " " if script != "arabic" else "ض ") * 9
    made = picture(charted(label=text))
    assert made is not None
    shown = pixels(made, range(50, 130))
    assert all(pixel > 250 for row in shown for pixel in row[:8] + row[-8:])
    assert any(pixel < 100 for row in shown for pixel in row)


def test_lines_are_cut_at_words_and_never_lose_a_mark() -> None:
    assert lines("one two three", 4.5, 2) == ["one two", "three"]
    assert lines("one two three four five six", 4.5, 2) == ["one two", "three…"]
    (only,) = lines("x\u0301" * 400, 9.0, 1)
    assert only.endswith("\u0301…")
    assert breadth(only) <= 9.0


@pytest.mark.parametrize("length", [0, 1, 2, 29, 180, 5_000])
@pytest.mark.parametrize("most", [0, 1, 10**9])
def test_any_counts_can_be_drawn(length: int, most: int) -> None:
    chance = Random(length + most)
    sides = [tuple(chance.randint(0, most) for _ in range(length)) for _ in range(3)]
    series = Series(begins=AT, claims=sides[0], denials=sides[1], celebrations=sides[2])
    made = picture(an_alert(series=series, claims=10**12))
    assert (made is None) == (length == 0)
    shown = card(an_alert(series=series)).trend
    assert shown.isprintable()
    assert len(shown) < 150


def test_the_bars_stand_in_the_plain_text_and_end_with_the_step() -> None:
    text = plain(card(charted()))
    (line,) = [one for one in text.splitlines() if one.startswith("Claims ·")]
    assert line.endswith("(14:01–14:31 UTC, 2 min a bar, highest 13)")
    assert "█" in line
