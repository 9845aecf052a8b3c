"""What the types cannot say of sources that ask platforms."""

from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec

from monitor.collect.factcheck import FactcheckSource
from monitor.collect.http_settings import HttpSource
from monitor.collect.reddit import RedditSource
from monitor.collect.telegram_settings import TelegramSource, Via
from monitor.collect.telegram_telethon import EXTRA
from monitor.collect.x_settings import XSource
from monitor.collect.youtube import YoutubeSource
from monitor.settings.readable import unreadable
from monitor.settings.sentences import shown

_FURTHEST = timedelta(days=30)
_TIMES = ("every", "slowest", "recheck", "spacing", "silence")


def of_source(source: HttpSource, path: str) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in a source that asks a platform; nothing of those that stream."""
    word = "secret" if isinstance(source, RedditSource) else "token"
    if isinstance(source, XSource | YoutubeSource | RedditSource) and not _named(source, word):
        yield f"{path}: no {word}; name where it is with {word}_env or {word}_file"
    if isinstance(source, FactcheckSource) and not source.pages and not _named(source, "token"):
        yield f"{path}: nothing to ask; name the API key with token_env or token_file, or write pages"
    for name in _TIMES:
        if getattr(source, name, None) is not None and not getattr(source, name):
            yield f'{path}.{name}: no time at all; write a length of time, as in "1m"'
    if getattr(source, "look_back", timedelta()) > _FURTHEST:
        yield f"{path}.look_back: looks back for more than 30 days; write a shorter time"
    if isinstance(source, TelegramSource) and source.slowest < source.every:
        yield f"{path}.slowest: is shorter than every; write a longer time"
    if isinstance(source, TelegramSource) and source.via is Via.TELETHON:
        yield from _of_telethon(source, path)


def _of_telethon(source: TelegramSource, path: str) -> Iterator[str]:
    if find_spec("telethon") is None:
        yield f"{path}.via: {EXTRA}"
    if source.api_id is None:
        yield f"{path}.api_id: is missing; write the number of your app at my.telegram.org"
    if not _named(source, "token"):
        yield f"{path}: no token; name where the app's hash is with token_env or token_file"
    if source.session is None:
        yield f"{path}.session: is missing; write the path of Telethon's session file"
    elif why := unreadable(source.session):
        yield f"{path}.session: cannot read {shown(source.session)} ({why}); sign in with Telethon first"


def _named(source: HttpSource, word: str) -> bool:
    return any(getattr(source, f"{word}_{place}") is not None for place in ("env", "file"))
