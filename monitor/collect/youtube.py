"""YouTube: a search for videos about the events a few times an hour, then their numbers and their comments.

A search costs one of a hundred calls a day, everything else one of ten thousand units, so the searches are spread over
the day and the rest goes to what they found. Both are given anew at midnight in California.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from monitor.arrivals import Contact, Payload
from monitor.clock import Clock
from monitor.collect.about import About
from monitor.collect.http import Answer, Http, opened
from monitor.collect.http_rates import Budget, Limit
from monitor.collect.http_settings import Address, HttpSource
from monitor.collect.news import Document, Found, parsed
from monitor.collect.parsed import Parsed
from monitor.collect.polling import Part, Polling, Read
from monitor.collect.terms import Asked, Events, asked, questions, quoted
from monitor.collect.youtube_items import PLATFORM, answer, items, reasons
from monitor.errors import PostRejectedError, SourceUnavailableError
from monitor.marks import GapMark
from monitor.metrics import Metrics
from monitor.watched import Duration, Name

_DAY = timedelta(days=1)
_LATE = timedelta(hours=6)
"""How long after it was published a video may appear in searches."""
_VIDEOS = 50
"""In one look-up."""
_COMMENTS = 100
_COMMENT_PAGES = 3
_LONGEST = 400
_WRONG, _FORBIDDEN, _MISSING = 400, 403, 404
_OF_ONE_VIDEO = frozenset({"commentsDisabled", "videoNotFound", "forbidden"})
"""Why the comments of a video are not to be had; anywhere else `forbidden` is said to us."""
_OF_THIS_MOMENT = frozenset({"processingFailure"})
_SPENT = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})


class YoutubeSource(HttpSource, tag="youtube", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Searches YouTube for videos about the events, and reads their numbers and comments."""

    ABOUT: ClassVar[About] = About(
        reads="videos that the search finds, their numbers, and comments of the ten newest of each event",
        access="an API key",
        limits="a hundred searches and ten thousand other requests a day: 96 are spread over the day and the "
        "events, 9000 are used; when they are spent, the rest of the day (in California) is a gap",
        resumes="videos since the last search; comments back to what is known, three hundred deep; beyond is a gap",
        edits="titles and descriptions of the last fifty videos of each event; one that is missing is deleted",
        cannot="what is said in a video; replies to comments; deletions of comments; a new video may take "
        "hours to be found",
        reposts="there are none",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    token_env: str | None = None
    """Environment variable with the API key."""
    token_file: str | None = None
    """File with that key, as an alternative to `token_env`."""
    searches: Annotated[int, Meta(ge=1, le=100_000)] = 96
    """Searches in a day, spread evenly over the events; YouTube gives a hundred."""
    units: Annotated[int, Meta(ge=1, le=10_000_000)] = 9_000
    """Other requests in a day; YouTube gives ten thousand."""
    every: Duration = Duration(minutes=5)
    """How often the videos of an event are looked at again, for numbers and comments."""
    comments_of: Annotated[int, Meta(ge=0, le=50)] = 10
    """Videos of an event, the newest ones, whose comments are read."""
    api: Address = "https://www.googleapis.com/youtube/v3"
    """Where its interface is."""


class _Place(Struct, omit_defaults=True):
    """Where an event goes on."""

    asked_at: datetime | None = None
    """When it was last searched for."""
    videos: list[str] = []
    """The videos that were found, the newest last."""
    silent: list[str] = []
    """Those whose comments are closed."""
    told: dict[str, str] = {}
    """Video → when the newest comment of it was written that was read; in the order in which they were read."""
    turn: int = 0
    """How many searches there were: where an event needs several questions, they take turns."""


class YoutubeCollector:
    """The collector of a YoutubeSource; its resume point is the videos of each event and when it was searched for."""

    stale_after: timedelta | None = None
    """An answer that does not come in time is a failure."""

    def __init__(
        self, settings: YoutubeSource, key: str | None, clock: Clock, metrics: Metrics, events: Events
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._key = key or ""
        self._clock = clock
        self._metrics = metrics
        self._events = events
        self._polling = Polling(settings.name, clock, settings.every, metrics)
        self._searches = Budget(Limit(settings.searches, _DAY), clock)
        self._looked: set[str] = set()
        """Parts whose videos were looked at since the start."""
        self._walked: set[tuple[str, str]] = set()
        """Part and video whose comments were read since the start."""
        self._units = Budget(Limit(settings.units, _DAY), clock)

    def payloads(self, since: str | None) -> AsyncIterator[Payload | GapMark | Contact]:
        """New videos and comments, and what became of the known ones; a GapMark where comments came too fast."""
        hidden = [self._key]
        return self._polling.payloads(
            since, self._parts, opened(self.name, self._settings, self._clock, self._metrics, hidden=hidden), self._ask
        )

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        """The videos and comments in these answers."""
        return parsed(bodies, self.name, PLATFORM, seen_at, items)

    def _parts(self) -> list[str]:
        return [event.name for event in self._events() if asked(event) is not None]

    async def _ask(self, http: Http, part: Part) -> AsyncIterator[Read]:
        place = _place(part.mark)
        now = self._clock.now()
        between = _DAY / self._settings.searches * max(1, len(self._parts()))
        if (place.asked_at is None or now - place.asked_at >= between) and self._searches.left():
            async for read in self._searched(http, part, place):
                yield read
        asked_for = place.videos[-_VIDEOS:]
        if asked_for and self._units.left():
            params = [("part", "snippet,statistics"), ("id", ",".join(asked_for)), ("maxResults", str(_VIDEOS))]
            told = await self._got(http, "videos", params)
            found = _read(told)
            if part.name not in self._looked:  # the first time since a start: those of before it are no news
                _learn_again(part, _whole(found))
                self._looked.add(part.name)
            there = {one["id"] for one in _whole(found)}
            gone = [video for video in asked_for if video not in there]
            place.videos = [video for video in place.videos if video not in gone]
            yield Read(told.body, found, gone, _mark(place))
        talked = [one for one in reversed(place.videos) if one not in place.silent]
        for video in talked[: self._settings.comments_of]:
            async for read in self._commented(http, part, place, video):
                yield read

    async def _searched(self, http: Http, part: Part, place: _Place) -> AsyncIterator[Read]:
        """One search; where the event's terms need several questions, one of them after the other, search by search."""
        wanted = next((asked(event) for event in self._events() if event.name == part.name), None)
        queries = list(questions(wanted, written, _LONGEST)) if wanted is not None else []
        if not queries:
            return
        now = self._clock.now()
        after = (place.asked_at or now - _DAY) - _LATE * len(queries)
        query = queries[place.turn % len(queries)]
        params = [
            ("part", "snippet"),
            ("type", "video"),
            ("order", "date"),
            ("maxResults", str(_VIDEOS)),
            ("publishedAfter", f"{after:%Y-%m-%dT%H:%M:%SZ}"),
            ("q", query),
        ]
        told = await self._got(http, "search", params)
        was = {*place.videos}
        found = [
            one
            for one in _read(told)
            if not isinstance(one, dict) or (one["id"] not in part.known and one["id"] not in was)
        ]
        fresh = [str(one["id"]) for one in reversed(found) if isinstance(one, dict)]
        lost = f"more than {_VIDEOS} videos came since the last search" if len(fresh) == _VIDEOS else ""
        place.asked_at, place.videos, place.turn = now, [*place.videos, *fresh][-_VIDEOS:], place.turn + 1
        yield Read(told.body, found, mark=_mark(place), lost=lost)

    async def _commented(self, http: Http, part: Part, place: _Place, video: str) -> AsyncIterator[Read]:
        """The comments of a video back to what is known, the oldest page first."""
        pages: list[tuple[bytes, list[Found]]] = []
        token, lost = "", ""
        begun, newest = video in place.told, place.told.get(video, "")
        before = newest if (part.name, video) not in self._walked else ""
        while self._units.left():
            if len(pages) == _COMMENT_PAGES:
                lost = f"{video}: more comments came than {_COMMENT_PAGES} pages hold"
                break
            more = [("pageToken", token)] if token else []
            params = [("part", "snippet"), ("videoId", video), ("order", "time"), ("maxResults", str(_COMMENTS)), *more]
            told = await self._got(http, "commentThreads", params)
            if told.status == _WRONG:
                return
            if told.status in {_FORBIDDEN, _MISSING}:
                place.silent = [*place.silent, video][-_VIDEOS:]
                yield Read(b"", (), mark=_mark(place))
                return
            found = _read(told)
            _learn_again(part, (one for one in _whole(found) if (_written_at(one) or before) < before))
            pages.append((told.body, found))
            token = answer(told.body).nextPageToken
            if not token or any(isinstance(one, dict) and one["id"] in part.known for one in found):
                break
        self._walked.add((part.name, video))
        for body, found in reversed(pages):
            newest = max([newest, *map(_written_at, _whole(found))])
            others = [(name, at) for name, at in place.told.items() if name != video]
            place.told = dict([*others, (video, newest)][-_VIDEOS:])
            yield Read(body, found, mark=_mark(place), lost=lost if begun else "")
            lost = ""

    async def _got(self, http: Http, path: str, params: Sequence[tuple[str, str]]) -> Answer:
        """An answer; 400, 403 and 404 only where they say something of the comments of one video."""
        budget = self._searches if path == "search" else self._units
        address = f"{self._settings.api.rstrip('/')}/{path}"
        asked_for = [*params, ("key", self._key)]
        also = (_WRONG, _FORBIDDEN, _MISSING)
        told = await http.get(address, params=asked_for, budgets=(budget,), also=also)
        if told.status not in also:
            return told
        why = reasons(told.body)
        if why & _SPENT:
            raise self._spent(path)
        if why & _TOO_FAST:
            said = "YouTube is asked too fast"
            raise SourceUnavailableError(said)
        if path == "commentThreads" and why & (_OF_THIS_MOMENT if told.status == _WRONG else _OF_ONE_VIDEO):
            return told
        raise http.refusal(told)

    def _spent(self, path: str) -> SourceUnavailableError:
        """The source stops, whatever part of it was asked, until it is midnight in California."""
        now = self._clock.now()
        there = now.astimezone(ZoneInfo("America/Los_Angeles"))
        midnight = datetime.combine(there.date() + _DAY, time(0), there.tzinfo).astimezone(UTC)
        self._metrics.rate_remaining.labels(self.name).set(0)
        self._metrics.rate_resets_at.labels(self.name).set(midnight.timestamp())
        said = f"YouTube's quota for {path} is spent; there is a new one at {midnight:%Y-%m-%d %H:%M} UTC"
        return SourceUnavailableError(said, (midnight - now).total_seconds(), whole=True)


def written(wanted: Asked) -> str:
    """An event's terms as YouTube writes them; words that have to occur as well it can only be given."""
    parts = ["|".join(map(quoted, wanted.any)), *map(quoted, wanted.all)]
    return " ".join([*parts, *(f"-{quoted(term)}" for term in wanted.none)])


def _place(mark: str) -> _Place:
    try:
        return msgspec.json.decode(mark, type=_Place)
    except msgspec.MsgspecError:
        return _Place()


def _mark(place: _Place) -> str:
    return msgspec.json.encode(place).decode()


def _whole(found: Sequence[Found]) -> list[Document]:
    return [one for one in found if isinstance(one, dict)]


def _written_at(one: Document) -> str:
    return str(one.get("created_at") or "")


def _learn_again(part: Part, documents: Iterable[Document]) -> None:
    """These were brought before a restart, though no resume point has room for the names of all."""
    part.known.learn([one for one in documents if one["id"] not in part.known])


def _read(told: Answer) -> list[Found]:
    try:
        return list(items(told.body))
    except PostRejectedError as error:
        why = "what YouTube answers is not understood"
        raise SourceUnavailableError(why) from error
