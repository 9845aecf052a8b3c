"""YouTube: searches spread over the day, then numbers and comments; a spent quota waits for the next day."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from monitor.collect.supervise import SourceState
from monitor.collect.terms import Asked
from monitor.collect.youtube import YoutubeCollector, YoutubeSource, written
from monitor.metrics import Metrics
from monitor.watched import Event
from tests.fakes.clock import START, ManualClock
from tests.fakes.polled import Platform, metrics, platform, reading
from tests.fakes.searches import KEY, FakeYoutube

MINUTE = timedelta(minutes=1)
BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge", "old harbour"), none=("chess",))
FIRE = Event(name="fire", proposition="The mill burns", any=("mill",))


@pytest.fixture
def youtube() -> FakeYoutube:
    return FakeYoutube()


@pytest.fixture
async def server(youtube: FakeYoutube) -> AsyncIterator[Platform]:
    async with platform(youtube.answers) as server:
        yield server


def collector(
    server: Platform,
    clock: ManualClock,
    *events: Event,
    key: str = KEY,
    measured: Metrics | None = None,
    **more: object,
) -> YoutubeCollector:
    settings = msgspec.convert({"kind": "youtube", "name": "videos", "api": server.url, **more}, YoutubeSource)
    return YoutubeCollector(settings, key, clock, measured or metrics(), lambda: events or (BRIDGE,))


async def test_videos_and_their_comments_come_once(youtube: FakeYoutube, server: Platform) -> None:
    clock = ManualClock()
    youtube.videos = ["video-one", "video-two"]
    youtube.comments["video-one"] = ["c1", "c2"]
    async with reading(collector(server, clock), clock) as source:
        youtube.comments["video-one"].append("c3")
        await source.passes(10 * MINUTE)
        assert source.ids() == {"video-one": 1, "video-two": 1, "c1": 1, "c2": 1, "c3": 1}
        posts = {post["id"]: post for post in source.posts("create").to_dicts()}
    assert posts["c1"]["reply_to"] == posts["c1"]["root"] == "video-one"
    assert posts["video-one"]["author"] == "UC1"
    assert dict(server.asked[0].query)["q"] == '"bridge"|"old harbour" -"chess"'


async def test_numbers_and_deletions_of_known_videos_are_told(youtube: FakeYoutube, server: Platform) -> None:
    clock = ManualClock()
    youtube.videos = ["video-one", "video-two"]
    async with reading(collector(server, clock), clock) as source:
        youtube.views["video-one"] = 51_200
        youtube.videos.remove("video-two")
        await source.passes(5 * MINUTE)
        assert source.posts("counts").select("id", "views").rows()[-1] == ("video-one", 51_200)
        assert source.ids("delete") == {"video-two": 1}


async def test_searches_stay_within_the_calls_of_a_day(youtube: FakeYoutube, server: Platform) -> None:
    clock = ManualClock()
    async with reading(collector(server, clock, BRIDGE, FIRE), clock) as source:
        await source.passes(timedelta(hours=6), step=timedelta(minutes=5))
    assert 22 <= youtube.calls.count("search") <= 26


async def test_other_requests_stay_within_the_units_of_a_day(youtube: FakeYoutube, server: Platform) -> None:
    clock = ManualClock()
    youtube.videos = ["video-one", "video-two"]
    async with reading(collector(server, clock, units=20), clock) as source:
        await source.passes(timedelta(hours=3), step=timedelta(minutes=5))
    assert len(youtube.calls) - youtube.calls.count("search") == 20


@pytest.mark.parametrize(
    ("status", "reason", "calls"),
    [(403, "commentsDisabled", 1), (404, "videoNotFound", 1), (403, "forbidden", 1), (400, "processingFailure", 3)],
)
async def test_comments_of_one_video_that_are_not_given_are_left_alone(
    youtube: FakeYoutube, server: Platform, status: int, reason: str, calls: int
) -> None:
    clock = ManualClock()
    youtube.videos, youtube.closed = ["video-one", "video-two"], {"video-one": (status, reason)}
    youtube.comments["video-two"] = ["c1"]
    async with reading(collector(server, clock), clock) as source:
        await source.passes(10 * MINUTE)
        assert youtube.calls.count("commentThreads") == calls + 3
        assert source.state is SourceState.RUNNING
        assert source.ids()["c1"] == 1


async def test_comments_that_came_too_fast_are_a_gap(youtube: FakeYoutube, server: Platform) -> None:
    clock = ManualClock()
    youtube.videos, youtube.comments = ["video-one"], {"video-one": ["c-first"]}
    async with reading(collector(server, clock), clock) as source:
        youtube.comments["video-one"] += [f"c{number}" for number in range(400)]
        await source.passes(5 * MINUTE)
        assert {gap.why for gap in source.gaps} == {"bridge: video-one: more comments came than 3 pages hold"}


async def test_a_spent_quota_waits_for_midnight_in_california(youtube: FakeYoutube, server: Platform) -> None:
    clock = ManualClock()
    youtube.spent = {"search"}
    async with reading(collector(server, clock), clock) as source:
        assert source.state is SourceState.UNAVAILABLE
        assert clock.slept[-1] == datetime(2021, 9, 4, 7, tzinfo=UTC) - START
        youtube.spent, youtube.videos = set(), ["video-one"]
        await source.passes(timedelta(hours=20), step=timedelta(hours=1))
        assert source.ids() == {"video-one": 1}
        assert source.gaps[0].why == "YouTube's quota for search is spent; there is a new one at 2021-09-04 07:00 UTC"


async def test_a_wrong_key_refuses_the_source(server: Platform, caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    async with reading(collector(server, clock, key="hunter2-key"), clock) as source:
        await source.until(lambda: source.state is SourceState.REFUSED)
    assert "hunter2" not in caplog.text


async def test_behind_a_resume_point_nothing_comes_twice(youtube: FakeYoutube, server: Platform) -> None:
    clock = ManualClock()
    youtube.videos, youtube.comments = ["video-one"], {"video-one": ["c1"]}
    async with reading(collector(server, clock), clock) as source:
        since = source.resume
    youtube.comments["video-one"].append("c2")
    async with reading(collector(server, clock), clock, since) as source:
        assert source.ids() == {"c2": 1}


async def test_a_restart_is_no_gap_though_more_is_known_than_a_resume_point_holds(
    youtube: FakeYoutube, server: Platform
) -> None:
    clock = ManualClock()
    youtube.videos = [f"video-{number}" for number in range(60)]
    youtube.numbers = False
    for video in youtube.videos[-4:]:
        youtube.comments[video] = [f"{video}-{number}" for number in range(320)]
    youtube.written = {
        name: f"{START + timedelta(seconds=number - 600):%Y-%m-%dT%H:%M:%SZ}"
        for names in youtube.comments.values()
        for number, name in enumerate(names)
    }
    async with reading(collector(server, clock, comments_of=4), clock) as source:
        since, before = source.resume, source.ids()
    youtube.videos.append("video-new")
    youtube.comments["video-58"].append("late")
    youtube.written["late"] = f"{START:%Y-%m-%dT%H:%M:%SZ}"
    await clock.advance(timedelta(hours=1))
    async with reading(collector(server, clock, comments_of=5), clock, since) as source:
        assert source.gaps == []
        assert set(source.ids()) - set(before) == {"video-new", "late"}
        assert len(source.ids()) <= 2 + 4  # the newest comment of each video may come again


async def test_a_spent_quota_stops_the_source_whichever_event_was_asked_for(
    youtube: FakeYoutube, server: Platform
) -> None:
    clock, measured = ManualClock(), metrics()
    youtube.videos = ["video-one"]
    async with reading(collector(server, clock, BRIDGE, FIRE, measured=measured), clock) as source:
        youtube.spent = {"videos"}
        await source.passes(5 * MINUTE)
        assert source.state is SourceState.UNAVAILABLE
        asked = len(youtube.calls)
        await source.passes(timedelta(hours=3), step=timedelta(minutes=5))
        assert len(youtube.calls) == asked
    midnight = datetime(2021, 9, 4, 7, tzinfo=UTC).timestamp()
    assert measured.rate_resets_at.labels("videos")._value.get() == midnight  # noqa: SLF001 -- shown no other way


def test_terms_are_written_as_youtube_reads_them() -> None:
    assert written(Asked(("a",), ("b c",), ("d",))) == '"a" "b c" -"d"'
