"""A coordinated burst cannot win the race alone, and is named when it is there: windows ▶ judge."""

from datetime import timedelta
from typing import Any

import pytest

from monitor.judge.judge import Judge
from monitor.judge.readings import RaceReading
from monitor.records import Finding
from monitor.watched import Event, Rules
from monitor.window.counts import Windows
from tests.fakes import mentions
from tests.fakes.mentions import START

ONSET = 240
"""The post from which on the event is loud: one a minute before, one a second since."""
OLD = START - timedelta(days=2_000)
NEW = START - timedelta(days=3)
Row = dict[str, Any]


def talk(size: int = 300, platforms: tuple[str, ...] = ("x", "telegram", "mastodon")) -> list[Row]:
    """Claims and denials of another narrative, equally many, on several platforms; with the quiet before."""
    return [
        {
            "seen_at": (at := START + timedelta(seconds=60 * min(number, ONSET) + max(number - ONSET, 0))),
            "event_time": at,
            "id": f"t{number}",
            "author": f"t{number}",
            "narrative": "talk",
            "platform": platforms[number % len(platforms)],
            "tag": ("claim", "denial")[number // 3 % 2],
            "author_created_at": OLD,
        }
        for number in range(ONSET + size)
    ]


def burst(size: int, **common: Any) -> list[Row]:  # noqa: ANN401  any column of CLUSTERED
    """Claims of the narrative `n` in the loud time, of old accounts on all platforms where nothing else is said."""
    rows = []
    for number in range(size):
        at = START + timedelta(seconds=60 * ONSET + 60 + number)
        plain = {
            "seen_at": at,
            "event_time": at,
            "id": f"b{number}",
            "author": f"b{number}",
            "narrative": "n",
            "platform": ("x", "telegram", "mastodon")[number % 3],
            "author_created_at": OLD,
            "language": ("fa", "en")[number % 2],
        }
        rows.append(plain | {name: value(number) if callable(value) else value for name, value in common.items()})
    return rows


def judged(rows: list[Row], pieces: int = 7) -> tuple[list[Finding], RaceReading | None]:
    """The findings of the race of `n`, and where it stands at the end."""
    frame = mentions.clustered(*rows).sort("seen_at", "platform", "id")
    windows = Windows()
    judge = Judge({"fall": Event(name="fall", proposition="The valley has fallen", any=("valley",), rules=Rules())})
    found: list[Finding] = []
    size = frame.height // pieces + 1
    for begin in range(0, frame.height, size):
        part = frame[begin : begin + size]
        last = part["seen_at"][-1]
        upto = frame["seen_at"][begin + size] if begin + size < frame.height else last + timedelta(seconds=2)
        found += judge.decide(windows.add(part, upto), upto).findings
    readings = {one.narrative: one for one in judge.races("fall")}
    return [one for one in found if one.narrative == "n" and one.rule == "race"], readings.get("n")


def test_the_same_posts_by_people_of_their_own_on_all_platforms_do_win() -> None:
    findings, reading = judged([*talk(), *burst(60)])
    assert [one.reason for one in findings] == ["no_denial_seen_yet"]
    assert reading is not None
    assert reading.holds
    assert not reading.signs.coordinated


@pytest.mark.parametrize(
    ("size", "common", "signs"),
    [
        (
            50,
            {"author": lambda n: f"b{n % 5}", "author_created_at": NEW, "platform": "x"},
            {"few_authors", "young", "one_platform"},
        ),
        (
            200,
            {"copy_of": lambda n: "b0" if n else None, "author_created_at": NEW},
            {"pasted", "young"},
        ),
        (200, {"author_created_at": NEW, "platform": "x"}, {"young", "one_platform"}),
        (60, {"platform": "x"}, {"one_platform"}),
        (50, {"author": lambda n: f"b{n % 5}", "platform": "telegram"}, {"few_authors", "one_platform"}),
    ],
)
def test_a_burst_alone_never_wins_and_its_signs_are_read(size: int, common: Row, signs: set[str]) -> None:
    rows = [*talk(), *burst(size, **common), *burst(12, narrative="n", tag="denial", id=lambda n: f"d{n}")]
    findings, reading = judged(rows)
    assert findings == []
    assert reading is not None
    assert {name for name, there in reading.signs._asdict().items() if there} == signs
    assert reading.signs.coordinated == (len(signs) > 1)


def test_a_burst_within_a_claim_that_wins_by_itself_is_named() -> None:
    pasted = burst(150, copy_of="b0", author_created_at=NEW, id=lambda n: f"p{n}", author=lambda n: f"p{n}")
    findings, _ = judged([*talk(), *pasted, *burst(60)])
    assert [one.reason for one in findings] == ["coordinated"]
    numbers = findings[0].numbers
    assert numbers["pasted"] >= 0.5
    assert numbers["new_accounts"] >= 0.5
    assert numbers["posts_per_author"] >= 1
    assert numbers["top_platform"] < 0.5


def test_claims_of_one_platform_win_where_that_is_where_the_event_is_told() -> None:
    findings, _ = judged([*talk(platforms=("x",)), *burst(60, platform="x")])
    assert [one.reason for one in findings] == ["no_denial_seen_yet"]


def denials(**common: Any) -> list[Row]:  # noqa: ANN401  any column of CLUSTERED
    """Sixty, one a minute, after sixty claims."""
    later = START + timedelta(seconds=60 * ONSET + 120)
    named = {name: lambda n: f"d{n}" for name in ("id", "author")}
    when = {name: lambda n: later + timedelta(minutes=n) for name in ("seen_at", "event_time")}
    return burst(60, tag="denial", **named | when | common)


def test_answers_in_one_thread_do_not_end_a_race_that_people_of_their_own_would_end() -> None:
    apart, _ = judged([*talk(), *burst(60), *denials()])
    assert [one.reason for one in apart] == ["no_denial_seen_yet", "denials_overtook"]
    thread, _ = judged([*talk(), *burst(60), *denials(reply_to="b0")])
    assert [one.reason for one in thread] == ["no_denial_seen_yet"]


def test_readings_tell_platforms_languages_the_lag_and_how_soon_either_side_grew() -> None:
    claims = burst(130)
    denials = burst(2, tag="denial", id=lambda n: f"d{n}", author=lambda n: f"d{n}", platform="x")
    _, reading = judged([*talk(), *claims, *denials])
    assert reading is not None
    assert sum(claims for claims, _ in reading.platforms.values()) == 130
    assert reading.platforms["x"] == (44, 2)
    assert reading.languages == {"fa": (65, 1), "en": (65, 1)}
    assert reading.lag == 0
    assert [(one.posts, one.claims, one.denials) for one in reading.reached] == [(100, 99, None)]
    assert reading.ratio == pytest.approx(130.5 / 2.5, abs=0.01)
    assert reading.denial_share == pytest.approx(2.5 / 133, abs=0.001)


def test_no_denial_has_no_lag() -> None:
    _, reading = judged([*talk(), *burst(40)])
    assert reading is not None
    assert reading.lag is None


def test_the_crowd_does_not_depend_on_the_cut() -> None:
    rows = [*talk(), *burst(120, platform="x"), *burst(40, id=lambda n: f"c{n}", author=lambda n: f"c{n}")]
    assert judged(rows, 1) == judged(rows, 3) == judged(rows, 40)
