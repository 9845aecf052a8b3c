"""Which posts speak of which event."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.frames import POSTS
from monitor.match.matcher import HITS, Matcher
from monitor.watched import Event

START = datetime(2021, 9, 3, 12, tzinfo=UTC)
PANJSHIR = Event(name="fall", proposition="Panjshir has fallen", any=("panjshir", "پنجشیر", "panjsher"))


def event(*terms: str, **settings: Any) -> Event:  # noqa: ANN401
    return Event(name=settings.pop("name", "e"), proposition="it happened", any=terms, **settings)


def posts(*texts: str | None, **columns: Any) -> pl.DataFrame:  # noqa: ANN401
    rows = [
        {"platform": "x", "id": str(n), "op": "create", "text": text, "posted_at": START, "seen_at": START} | columns
        for n, text in enumerate(texts)
    ]
    return pl.DataFrame([{name: row.get(name) for name in POSTS} for row in rows], schema=POSTS)


def matches(event: Event, text: str) -> bool:
    return not Matcher([event]).find(posts(text)).is_empty()


@pytest.mark.parametrize(
    "text",
    [
        "پنجشیر", "پنج‌شیر", "پنجشېر", "بنجشير", "Panjsher", "PANJSHIR", "#Panjshir_Resistance", "#PanjshirResistance",
        "«وبنجشير»", "في وادي بنجشير.", "پنجشیر؛", "Panjshir's valley", "(panjshir)", "panj\u200bshir", "Раnjshir",
        "no word of @panjshir_news but of panjshir", "https://t.co/x panjshir", "from:panjshir", "阿panjshir汗",
        "در پنجشیر‌ها", "anti-Panjshir", "_panjshir_", "see https://a.b/c\npanjshir", "PANJSНIR",
    ],
)  # fmt: skip
def test_every_spelling_of_a_term_matches_its_event(text: str) -> None:
    assert matches(PANJSHIR, text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Panjshirvani", "the panjshiri", "پنجشیری", "@panjshir", "@panjshir_news", "@news.panjshir",
        "me@panjshir.af", "https://news.example/panjshir", "www.panjshir.af", "https://a.b/?q=panjshir",
        "panj shir", "बpanjshir",
    ],
)  # fmt: skip
def test_a_term_inside_a_longer_word_a_handle_or_a_url_does_not_match(text: str) -> None:
    assert not matches(PANJSHIR, text)


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("panjshir*", "Panjshirvani", True),
        ("panjshir*", "#PanjshirIsBurning", True),
        ("panjshir*", "unpanjshir", False),
        ("@panjshir", "thanks @Panjshir!", True),
        ("@panjshir", "thanks @panjshir_news", False),
        ("@panjshir*", "thanks @panjshir_news", True),
        ("@panjshir", "panjshir", False),
        ("#panjshir", "#Panjshir now", True),
        ("#panjshir", "panjshir now", False),
        ("#panjshir", "#panjshir_resistance", False),
        ("#StandWithPanjshir", "#standwithpanjshir", True),
        ("news.example/panjshir", "https://news.example/panjshir", False),
        ("https://news.example/panjshir", "see https://news.example/panjshir", True),
        ("fall of panjshir", "The  FALL\nof Panjshir", True),
        ("fall of panjshir", "fall of the panjshir", False),
        ("武汉", "我在武汉市", True),
        ("武汉", "https://t.cn/a武汉加油", True),
        ("กรุงเทพ", "ที่กรุงเทพวันนี้", True),
        ("판지시르", "판지시르에서", True),
        ("पंजशीर", "पंजशीर में", True),
        ("पंज", "पंजशीर", False),
        ("москва", "в Москве", False),
        ("москва", "Москва.", True),
        ("🔥", "fire🔥🔥", True),
        ("12", "۱۲ کشته", True),
        ("12", "2012", False),
        ("c++", "c++ and", True),
    ],
)
def test_terms_are_read_as_they_are_written(term: str, text: str, expected: bool) -> None:  # noqa: FBT001
    assert matches(event(term), text) is expected


@pytest.mark.parametrize(
    ("languages", "term", "text", "expected"),
    [
        (("ar",), "بنجشير", "وبنجشير", True),
        (("ar",), "طالبان", "والطالبان", True),
        (("ar",), "الطالبان", "للطالبان", True),
        (("ar",), "پنجشیر", "لبنجشير", True),
        (("ar",), "قطر", "وقطر", True),
        ((), "قطر", "وقطر", False),
        ((), "كابل", "بكابل", True),
        (("fa",), "كابل", "بكابل", False),
        (("fa",), "پنجشیر", "بنجشير", False),
        (("fa",), "طالب", "طالبها", True),
        (("ar",), "طالب", "طالبها", False),
        ((), "شیر", "بشیر", False),
        (("he",), "כאבול", "בכאבול", True),
        (("en",), "panjshir", "و panjshir", True),
    ],
)
def test_attached_words_are_those_of_the_events_languages(
    languages: tuple[str, ...],
    term: str,
    text: str,
    expected: bool,  # noqa: FBT001
) -> None:
    assert matches(event(term, languages=languages), text) is expected


def test_a_post_may_speak_of_several_events_and_each_is_told_by_its_own_spelling() -> None:
    events = [event("Kabul", "the BANK", name="b"), event("kabul*", name="a"), event("berlin", name="c")]
    found = Matcher(events).find(posts("nothing", "the bank in Kabul", "kabul, berlin"))
    assert found.schema == pl.Schema(HITS)
    assert found.rows() == [
        (1, "b", "the BANK"),
        (1, "a", "kabul*"),
        (2, "b", "Kabul"),
        (2, "a", "kabul*"),
        (2, "c", "berlin"),
    ]


def test_every_all_term_is_needed_and_any_none_term_rules_out() -> None:
    strict = event("bank", all=("kabul", "run", "run"), none=("river",))
    found = Matcher([strict]).find(
        posts("bank kabul", "run on a Kabul bank", "kabul run", "kabul bank run, river", "kabul bank kabul")
    )
    assert found.rows() == [(1, "e", "bank")]


def test_a_person_and_a_place_make_a_match_without_a_term() -> None:
    named = event("xyz", people={"Darren Wilson": ("officer wilson",)}, places={"Ferguson": ("canfield",)})
    found = Matcher([named]).find(
        posts("Officer Wilson", "ferguson", "canfield: Officer Wilson", "Darren Wilson, Ferguson, xyz")
    )
    assert found.rows() == [(2, "e", "canfield"), (3, "e", "xyz")]


def test_a_star_takes_every_post_that_is_not_ruled_out() -> None:
    everything = event("*", none=("sport",))
    found = Matcher([everything, PANJSHIR]).find(posts("", "sport", "panjshir", None))
    assert found.rows() == [(0, "e", "*"), (2, "e", "*"), (2, "fall", "panjshir"), (3, "e", "*")]


def test_only_posts_within_the_events_time_match() -> None:
    bounded = event("panjshir", starts_at=START, ends_at=START + timedelta(hours=1))
    times = [(-1, 0), (0, 0), (59, 90), (60, 60), (90, 30), (-1, 30)]
    frame = posts(*["panjshir"] * len(times)).with_columns(
        posted_at=pl.Series([START + timedelta(minutes=posted) for posted, _ in times], dtype=POSTS["posted_at"]),
        seen_at=pl.Series([START + timedelta(minutes=seen) for _, seen in times], dtype=POSTS["seen_at"]),
    )
    assert Matcher([bounded]).find(frame)["row"].to_list() == [1, 2, 4]


def test_only_creates_and_updates_are_searched() -> None:
    frame = posts("panjshir", "panjshir", "panjshir", "panjshir").with_columns(
        op=pl.Series(["delete", "update", "counts", "create"], dtype=POSTS["op"])
    )
    assert Matcher([PANJSHIR]).find(frame)["row"].to_list() == [1, 3]


@pytest.mark.parametrize("frame", [posts(), posts("nothing"), posts(None)])
def test_no_match_is_an_empty_frame_of_the_same_columns(frame: pl.DataFrame) -> None:
    found = Matcher([PANJSHIR]).find(frame)
    assert found.is_empty()
    assert found.schema == pl.Schema(HITS)


def test_every_unusable_term_is_named() -> None:
    with pytest.raises(ValueError, match="event a: ") as refused:
        Matcher([event("\u200b", name="a"), event("ok", all=("a*b",), none=("*",), name="b")])
    assert len(str(refused.value).splitlines()) == 3


def test_matching_no_events_finds_nothing() -> None:
    assert Matcher([]).find(posts("panjshir")).is_empty()


@given(
    st.lists(
        st.one_of(st.text(), st.sampled_from(["panjshir", "#PanjshirNews ", "@panjshir", "www.panjshir", " kabul"]))
    )
)
def test_a_posts_matches_do_not_depend_on_its_batch(texts: list[str]) -> None:
    matcher = Matcher([PANJSHIR, event("kabul", none=("a",))])
    alone = [(row, *hit) for row, text in enumerate(texts) for _, *hit in matcher.find(posts(text)).rows()]
    assert matcher.find(posts(*texts)).rows() == alone


def test_a_long_batch_is_matched_row_by_row_as_a_short_one() -> None:
    texts = ["kabul", "#PanjshirNews", "nothing"] * 1000
    found = Matcher([PANJSHIR]).find(posts(*texts))
    assert found["row"].to_list() == list(range(1, 3000, 3))
