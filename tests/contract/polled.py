"""The sources that ask platforms, for the contract suite: thirty posts each.

X is among the parsers alone: it reads again what may have come late before it was cut off, and the archive knows it.
Of the parsers only two stand here, that of factcheck and one for the others, which share theirs; what each reads is put
to the same test in `tests/collect/test_news.py`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from monitor.arrivals import Payload
from monitor.clock import Clock
from monitor.collect.collector import Collector
from monitor.collect.factcheck import FactcheckCollector, FactcheckSource
from monitor.collect.gdelt import GdeltCollector, GdeltSource
from monitor.collect.reddit import RedditCollector, RedditSource
from monitor.collect.rss import RssCollector, RssSource
from monitor.collect.telegram import TelegramCollector
from monitor.collect.telegram_preview import preview
from monitor.collect.telegram_settings import TelegramSource
from monitor.collect.x import XCollector
from monitor.collect.x_settings import XSource
from monitor.collect.youtube import YoutubeCollector, YoutubeSource
from monitor.watched import Event
from tests.contract.feed import Feed
from tests.fakes.clock import START, ManualClock
from tests.fakes.feeds import FakeChannel, FakeFeed
from tests.fakes.polled import Answers, metrics, platform, reading
from tests.fakes.searches import KEY, FakeGdelt, FakeReddit, FakeYoutube

EVENTS = (Event(name="bridge", proposition="The bridge has come down", any=("bridge",)),)
THIRTY = 30

Made = Callable[[str, Clock], Collector]


def rss(url: str, clock: Clock) -> Collector:
    return RssCollector(RssSource(name="posts", feeds=(f"{url}/feed",), private=True), clock, metrics(), lambda: EVENTS)


def telegram(url: str, clock: Clock) -> Collector:
    settings = TelegramSource(name="posts", channels=("harbour_news",), site=url)
    return TelegramCollector(settings, clock, metrics(), preview(settings, clock, metrics()), lambda: EVENTS)


def factcheck(url: str, clock: Clock) -> Collector:
    settings = FactcheckSource(name="posts", api=url, private=True)
    return FactcheckCollector(settings, KEY, clock, metrics(), lambda: EVENTS)


def x(url: str, clock: Clock) -> Collector:
    return XCollector(XSource(name="posts", budget=1.0, api=url), KEY, clock, metrics(), lambda: EVENTS)


def reddit(url: str, clock: Clock) -> Collector:
    settings = RedditSource(name="posts", client_id="app", api=url, accounts=url)
    return RedditCollector(settings, KEY, clock, metrics(), lambda: EVENTS)


def youtube(url: str, clock: Clock) -> Collector:
    return YoutubeCollector(YoutubeSource(name="posts", api=url), KEY, clock, metrics(), lambda: EVENTS)


def gdelt(url: str, clock: Clock) -> Collector:
    return GdeltCollector(GdeltSource(name="posts", api=url), clock, metrics(), lambda: EVENTS)


def feeds_of_thirty() -> list[tuple[Made, Answers]]:
    """Each source that can be read from a resume point on, and a platform that has thirty posts for it."""
    feed, channel = FakeFeed(size=THIRTY), FakeChannel(size=THIRTY)
    community, videos, articles = FakeReddit(), FakeYoutube(), FakeGdelt()
    for one in (feed, channel, articles):
        one.add(THIRTY, START - timedelta(minutes=9))
    community.add(THIRTY)
    videos.numbers = False  # they would come as documents of their own
    videos.videos = [f"video-{number:05}" for number in range(THIRTY)]
    return [
        (rss, feed.answers),
        (telegram, channel.answers),
        (reddit, community.answers),
        (youtube, videos.answers),
        (gdelt, articles.answers),
    ]


def built(made: Made, answers: Answers) -> Callable[[Path], AbstractAsyncContextManager[Feed]]:
    @asynccontextmanager
    async def build(directory: Path) -> AsyncIterator[Feed]:  # noqa: ARG001 -- a platform needs none
        async with platform(answers) as server:

            async def collect(since: str | None) -> list[Payload]:
                clock = ManualClock()
                async with reading(made(server.url, clock), clock, since) as source:
                    return source.payloads

            yield Feed(made(server.url, ManualClock()), collect)

    build.__name__ = made.__name__
    return build


FEEDS = [built(made, answers) for made, answers in feeds_of_thirty()]
PARSERS = [made("http://localhost", ManualClock()) for made in (x, factcheck)]
