"""The platforms that are polled or streamed with an account of ours → their collectors."""

from typing import assert_never

from monitor.clock import Clock
from monitor.collect.collector import Collector
from monitor.collect.factcheck import FactcheckCollector, FactcheckSource
from monitor.collect.gdelt import GdeltCollector, GdeltSource
from monitor.collect.reddit import RedditCollector, RedditSource
from monitor.collect.rss import RssCollector, RssSource
from monitor.collect.telegram import TelegramCollector
from monitor.collect.telegram_preview import preview
from monitor.collect.telegram_settings import TelegramSource, Via
from monitor.collect.telegram_telethon import telethon
from monitor.collect.terms import Events
from monitor.collect.x import XCollector
from monitor.collect.x_settings import XSource
from monitor.collect.youtube import YoutubeCollector, YoutubeSource
from monitor.metrics import Metrics
from monitor.settings import Polled


def polled(source: Polled, word: str | None, clock: Clock, metrics: Metrics, events: Events) -> Collector:
    """The collector of a source that asks a platform; `word` is its secret, `events` those that are watched now."""
    made: Collector
    match source:
        case RssSource():
            made = RssCollector(source, clock, metrics, events)
        case TelegramSource():
            user = telethon(source, word or "", clock) if source.via is Via.TELETHON else None
            made = TelegramCollector(source, clock, metrics, user or preview(source, clock, metrics), events)
        case FactcheckSource():
            made = FactcheckCollector(source, word, clock, metrics, events)
        case XSource():
            made = XCollector(source, word, clock, metrics, events)
        case RedditSource():
            made = RedditCollector(source, word, clock, metrics, events)
        case YoutubeSource():
            made = YoutubeCollector(source, word, clock, metrics, events)
        case GdeltSource():
            made = GdeltCollector(source, clock, metrics, events)
        case _:
            assert_never(source)
    return made
