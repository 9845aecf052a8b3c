"""Telegram's web preview: every message once, what came while away is fetched, edits and deletions are seen."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from monitor.collect import telegram_preview
from monitor.collect.supervise import SourceState
from monitor.collect.telegram import TelegramCollector
from monitor.collect.telegram_page import count
from monitor.collect.telegram_settings import TelegramSource
from monitor.metrics import Metrics
from monitor.watched import Duration, Event
from tests.fakes.clock import START, ManualClock
from tests.fakes.feeds import FakeChannel, Said, message, preview
from tests.fakes.polled import Platform, metrics, platform, reading

MINUTE = timedelta(minutes=1)


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
async def server(channel: FakeChannel) -> AsyncIterator[Platform]:
    async with platform(channel.answers) as server:
        yield server


def collector(
    server: Platform,
    clock: ManualClock,
    *channels: str,
    events: Sequence[Event] = (),
    measured: Metrics | None = None,
    **more: object,
) -> TelegramCollector:
    settings = TelegramSource(
        name="channels",
        channels=channels or ("harbour_news",),
        every=Duration(minutes=1),
        slowest=Duration(minutes=1),
        site=server.url,
        per_minute=600,
        **more,  # type: ignore[arg-type]
    )
    shown = measured or metrics()
    return TelegramCollector(settings, clock, shown, telegram_preview.preview(settings, clock, shown), lambda: events)


def named(*numbers: int) -> dict[str, int]:
    return {f"harbour_news/{number}": 1 for number in numbers}


async def test_messages_come_once_with_what_the_page_says_of_them(channel: FakeChannel, server: Platform) -> None:
    clock = ManualClock()
    channel.add(3, START - MINUTE)
    async with reading(collector(server, clock), clock) as source:
        await source.passes(3 * MINUTE)
        channel.add(1, clock.now())
        await source.passes(MINUTE)
        assert source.ids() == named(1, 2, 3, 4)
        post = source.posts().to_dicts()[0]
    assert post["text"] == "The bridge is closed, message 1\nsecond line"
    assert (post["author"], post["author_followers"], post["views"]) == ("harbour_news", 8500, 1200)
    assert (post["url"], post["posted_at"]) == ("https://t.me/harbour_news/1", START - MINUTE)


async def test_edits_counts_and_deletions_are_told(channel: FakeChannel, server: Platform) -> None:
    clock = ManualClock()
    channel.add(5, START)
    async with reading(collector(server, clock), clock) as source:
        channel.edit(2, "It was a drill")
        channel.views[3] = "1.3M"
        del channel.messages[4]
        await source.passes(MINUTE)
        assert source.ids("update") == named(2)
        assert source.posts("counts").select("id", "views").rows() == [("harbour_news/3", 1_300_000)]
        assert source.ids("delete") == named(4)
        await source.passes(2 * MINUTE)
        assert source.ids("delete") == named(4)


async def test_a_message_that_left_the_page_was_not_deleted(channel: FakeChannel, server: Platform) -> None:
    clock = ManualClock()
    channel.add(20, START)
    async with reading(collector(server, clock), clock) as source:
        channel.add(15, START)
        await source.passes(MINUTE)
        assert source.ids() == named(*range(1, 36))
        assert source.posts("delete").is_empty()


async def test_what_came_while_away_is_fetched_page_by_page(channel: FakeChannel, server: Platform) -> None:
    clock = ManualClock()
    channel.add(5, START)
    async with reading(collector(server, clock), clock) as source:
        since = source.resume
    channel.add(90, START)
    async with reading(collector(server, clock), clock, since) as source:
        assert source.ids() == named(*range(6, 96))
        assert source.gaps == []


async def test_what_was_deleted_while_away_is_told_and_nothing_that_was_never_there(
    channel: FakeChannel, server: Platform
) -> None:
    clock = ManualClock()
    channel.add(5, START)
    del channel.messages[2]
    async with reading(collector(server, clock), clock) as source:
        since = source.resume
    del channel.messages[3]
    del channel.messages[5]
    channel.add(1, START)
    async with reading(collector(server, clock), clock, since) as source:
        await source.passes(MINUTE)
        assert source.ids() == named(6)
        assert source.ids("delete") == named(3, 5)


async def test_of_what_was_deleted_while_away_only_that_is_noticed_which_would_stand_on_the_newest_page(
    channel: FakeChannel, server: Platform
) -> None:
    clock = ManualClock()
    channel.add(40, START)
    async with reading(collector(server, clock), clock) as source:
        since = source.resume
    channel.add(10, START)
    del channel.messages[25], channel.messages[35]
    async with reading(collector(server, clock), clock, since) as source:
        await source.passes(MINUTE)
        assert source.ids("delete") == named(35)


async def test_more_than_the_pages_hold_is_a_gap(channel: FakeChannel, server: Platform) -> None:
    clock = ManualClock()
    channel.add(5, START)
    async with reading(collector(server, clock, pages=2), clock) as source:
        channel.add(90, START)
        await source.passes(MINUTE)
        (gap,) = source.gaps
        assert source.ids() == named(*range(1, 46), *range(76, 96))
    assert gap.why == "harbour_news: more messages came than 2 pages hold"
    assert (gap.begins, gap.ends) == (START, START + MINUTE)


async def test_a_page_that_is_not_understood_any_more_is_noticed(channel: FakeChannel, server: Platform) -> None:
    clock, measured = ManualClock(), metrics()
    drift = measured.source_drift.labels("channels")
    channel.add(5, START)
    async with reading(collector(server, clock, measured=measured), clock) as source:
        assert drift._value.get() == 0  # noqa: SLF001 -- prometheus_client shows it no other way
        channel.drifted = True
        channel.add(1, START)
        await source.passes(MINUTE)
        assert drift._value.get() == 1  # noqa: SLF001 -- as above
        assert source.state is SourceState.UNAVAILABLE
        assert source.posts("delete").is_empty()
        channel.drifted = False
        await source.passes(5 * MINUTE)
        assert source.ids() == named(*range(1, 7))


async def test_a_channel_without_a_preview_does_not_hold_up_the_others(channel: FakeChannel, server: Platform) -> None:
    clock = ManualClock()
    channel.add(1, START)
    async with reading(collector(server, clock, "private_one", "harbour_news"), clock) as source:
        await source.passes(MINUTE)
        assert source.ids() == named(1)
        assert source.states == [SourceState.STARTING, SourceState.RUNNING]


async def test_a_source_without_any_channel_to_read_is_refused(server: Platform) -> None:
    clock = ManualClock()
    async with reading(collector(server, clock, "private_one"), clock) as source:
        assert source.state is SourceState.REFUSED


def test_forwards_replies_reactions_and_pictures_are_read() -> None:
    more = (
        '<div class="tgme_widget_message_forwarded_from">Forwarded from '
        '<a class="tgme_widget_message_forwarded_from_name" href="https://t.me/dock_watch/7">Dock Watch</a></div>'
        '<a class="tgme_widget_message_reply" href="https://t.me/harbour_news/11">'
        '<div class="tgme_widget_message_text js-message_reply_text tgme_widget_message_metatext">Is it true?</div></a>'
        """<a class="tgme_widget_message_photo_wrap" style="width:1px;background-image:url('https://cdn.example/a.jpg')">"""
        '</a><div><span class="tgme_reaction"><i class="emoji"><b>😱</b></i>1.1K</span>'
        '<span class="tgme_reaction"><i class="emoji"><b>👍</b></i>41</span></div>'
    )
    said = Said(12, "The bridge & the <quay> are closed", START)
    body = preview("x", []).replace("</section>", message("harbour_news", said, "3", more) + "</section>").encode()
    settings, clock, shown = TelegramSource(name="channels", channels=("harbour_news",)), ManualClock(), metrics()
    source = TelegramCollector(settings, clock, shown, telegram_preview.preview(settings, clock, shown), tuple)
    (post,) = source.parse([body], START).posts.to_dicts()
    assert post["text"] == "The bridge & the <quay> are closed\nsecond line"
    assert (post["repost_of"], post["reply_to"], post["parent_text"]) == (
        "dock_watch/7",
        "harbour_news/11",
        "Is it true?",
    )
    assert (post["views"], post["likes"]) == (3, 1141)
    assert "https://cdn.example/a.jpg" in post["media"]


@pytest.mark.parametrize(
    ("text", "number"), [("12.3K", 12_300), ("7", 7), ("1,2M", 1_200_000), ("😱41", 41), ("", None), ("many", None)]
)
def test_counts_are_read_as_they_are_rounded(text: str, number: int | None) -> None:
    assert count(text) == number
