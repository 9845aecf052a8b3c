"""Hot posts are read again: on most platforms fresh counts, edits and deletions come only to whoever asks.

Hottest first, in the platform's own batch size, so many requests a minute, and no post more often than is set. A post
is as hot as it is new, answered, quoted and reposted, half of which is gone after half an hour, and as its likes,
reposts and replies grew until its last read. Whoever waits for long has a turn too.
"""

import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol, runtime_checkable

import polars as pl

from monitor.arrivals import Payload
from monitor.clock import Clock
from monitor.collect.supervise import Put
from monitor.errors import SourceRefusedError, SourceUnavailableError

HALVED = timedelta(minutes=30)
REFUSED = timedelta(hours=1)
"""After so long a platform that refused it is asked again: a budget is given anew, a right is granted."""
COLD = 2.0**-12
"""What nobody has answered for six hours is not read again,"""
GROWS = 1.0
"""… unless it had gained so many reactions a minute,"""
LONG_ENOUGH = timedelta(minutes=15)
"""… over so long at least: each read costs, on X money, but a lull, or an answer from a cache, says nothing."""
DOUBLES = timedelta(minutes=10)
"""Who has waited so long comes as early as if it were twice as hot."""
MOST = 5_000
"""Posts that are remembered; the coldest make room."""

log = logging.getLogger(__name__)


class Refreshes(NamedTuple):
    """How a source reads posts again."""

    at_once: int
    """Posts in one request."""
    per_minute: int
    """Requests in a minute; 0 reads none again."""
    again: timedelta
    """How long a post is left alone between two reads."""
    waiting: int = 0
    """Posts of which the source itself wants to know what became of them; it adds them to what it is asked."""

    @property
    def room(self) -> int:
        """Hot posts in one request: what waits gets up to half of it."""
        return self.at_once - min(self.waiting, self.at_once // 2)


@runtime_checkable
class Refresher(Protocol):
    """A collector whose platform says of posts by their ids what they are now."""

    @property
    def name(self) -> str:
        """The source's name in the configuration."""
        ...

    @property
    def refreshes(self) -> Refreshes:
        """How many, and how often."""
        ...

    async def refresh(self, ids: Sequence[str]) -> Payload | None:
        """What has become of posts, at most `at_once`; None where there is nothing to say.

        Raises SourceUnavailableError and SourceRefusedError.
        """
        ...


def heat(answers: float, idle: float, grown: int, over: float) -> float:
    """How hot a post is: answers, the last of them `idle` seconds ago, and reactions that were added a minute.

    `grown`: reactions (likes, reposts, replies) that were added in the last `over` seconds; less than a minute is one.
    """
    return answers * math.exp2(-idle / HALVED.total_seconds()) + max(grown, 0) / max(over / 60, 1.0)


def urgency(hot: float, waited: float) -> float:
    """In what order posts are read, the largest first: heat in doublings, and one more each time DOUBLES has passed.

    `waited`: seconds since it was read. So what is lukewarm comes after so many times DOUBLES as the others are hotter.
    """
    return math.log2(1.0 + hot) + waited / DOUBLES.total_seconds()


class _Known(NamedTuple):
    """So many reactions a post had at a time."""

    many: int
    at: float

    def grown(self, many: int, at: float) -> float:
        """Reactions a minute that were added until then."""
        return heat(0.0, 0.0, many - self.many, at - self.at)


class _Post:
    """A mention: its answers when it was last touched, its reactions as told last, and before it was last read."""

    __slots__ = ("answers", "asked_at", "base", "before", "grows", "known", "source", "touched_at")

    def __init__(self, source: str, at: float, age: float) -> None:
        self.source = source
        self.answers, self.touched_at, self.asked_at = 1.0, at, at
        self.known = self.before = self.base = _Known(0, at - age)
        self.grows: float | None = None
        """Reactions a minute up to `base`, over LONG_ENOUGH at least; None where that is not known."""

    def now(self, at: float) -> float:
        return heat(self.answers, at - self.touched_at, 0, 0) + self.before.grown(*self.known)

    def lives(self, at: float) -> bool:
        """Whether it is worth reading at all, by what its last read has told."""
        if self.known.at - self.base.at >= LONG_ENOUGH.total_seconds():
            self.grows, self.base = self.base.grown(*self.known), self.known
        grows = self.base.grown(self.known.many, at) if self.grows is None else self.grows
        return self.is_answered(at) or grows >= GROWS

    def is_answered(self, at: float) -> bool:
        return heat(self.answers, at - self.touched_at, 0, 0) >= COLD

    def touch(self, at: float) -> None:
        self.answers, self.touched_at = heat(self.answers, at - self.touched_at, 0, 0) + 1.0, at

    def read(self) -> None:
        """It was read when it was asked for, and has not grown but for what is told of it now."""
        self.before, self.known = self.known, _Known(self.known.many, self.asked_at)

    def rest(self) -> None:
        """Nothing is known of how it grew: it does not until it is told."""
        self.before = self.base = self.known
        self.grows = 0.0


class Hot:
    """The mentions that are worth reading again."""

    def __init__(self, clock: Clock, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._posts: dict[tuple[str, str], _Post] = {}
        self._began = clock.monotonic()

    def take(self, mentions: pl.DataFrame) -> None:
        """A batch of mentions (CLUSTERED): new ones, and what they answer or quote; bare reposts heat only."""
        at = self._clock.monotonic()
        self._take(mentions.with_columns(at=pl.lit(at)), at)

    def refill(self, mentions: pl.DataFrame) -> None:
        """The last mentions before a restart (CLUSTERED), as if they had come while this ran; not those without text.

        A deleted one has none. What is cold is not read again for what it had gained when it was not.
        """
        age = ((pl.lit(self._clock.now()) - pl.col("seen_at")).dt.total_microseconds() / 1e6).clip(lower_bound=0)
        at = self._clock.monotonic()
        self._take(mentions.filter(pl.col("text") != "").with_columns(at=at - age), at)
        for post in self._posts.values():
            if not post.is_answered(at):
                post.rest()

    def _take(self, mentions: pl.DataFrame, now: float) -> None:
        age = (pl.col("seen_at") - pl.col("posted_at")).dt.total_microseconds() / 1e6
        told = ("likes", "reposts", "replies")
        counts = pl.when(pl.any_horizontal(pl.col(told).is_not_null())).then(pl.sum_horizontal(told))
        columns = ("source", "platform", "id", "op", "parent", "repost_of", "at", age.fill_null(0.0), counts)
        for source, platform, name, op, parent, repost_of, at, old, count in mentions.select(columns).iter_rows():
            if op == "delete":
                self._posts.pop((platform, name), None)
                continue
            if op == "create":
                if repost_of is None:
                    self._posts.setdefault((platform, name), _Post(source, at, old))
                if (answered := self._posts.get((platform, parent))) is not None:
                    answered.touch(at)
            if count is not None and (post := self._posts.get((platform, name))) is not None:
                post.known = _Known(count, now)
        if len(self._posts) > self._most:
            by_heat = sorted(self._posts.items(), key=lambda item: -item[1].now(now))
            self._posts = dict(by_heat[: self._most * 9 // 10])

    def drop(self, name: str, source: str) -> None:
        """This post of a source is not worth it."""
        self._posts = {key: post for key, post in self._posts.items() if (key[1], post.source) != (name, source)}

    def due(self, source: str, how: Refreshes) -> list[str]:
        """The hottest posts of a source that were left alone long enough; they count as asked for from now on."""
        at = self._clock.monotonic()
        waiting = [
            (-urgency(post.now(at), at - max(post.asked_at, self._began)), name, post)
            for (_, name), post in self._posts.items()
            if post.source == source and at - post.asked_at >= how.again.total_seconds() and post.lives(at)
        ]
        chosen = sorted(waiting, key=lambda one: one[:2])[: how.room]
        for _, _, post in chosen:
            post.asked_at = at
        return [name for _, name, _ in chosen]

    def read(self, source: str, names: Sequence[str]) -> None:
        """These were asked for, and the platform has answered; what it said is taken after this."""
        answered = set(names)
        for (_, name), post in self._posts.items():
            if name in answered and post.source == source:
                post.read()


async def refreshing(
    one: Refresher, hot: Hot, put: Put, clock: Clock, *, stands: Callable[[], bool] = lambda: True
) -> None:
    """Reads hot posts again, for ever, while the source `stands`; where the platform refuses it the source goes on.

    Where it refuses a question, one of its posts is to blame: each half is asked for by itself, and so on down to it.
    """
    per_minute = one.refreshes.per_minute
    if not per_minute:
        return
    pause = timedelta(minutes=1) / per_minute
    halves: deque[list[str]] = deque()
    while True:
        await _turn(clock, pause, stands)
        how = one.refreshes
        ids = halves.popleft() if halves else hot.due(one.name, how)
        if not ids and not how.waiting:
            continue
        try:
            payload = await one.refresh(ids)
        except SourceUnavailableError as error:
            log.info("source %s: posts are not read again: %s", one.name, error, extra={"source": one.name})
            await clock.sleep(timedelta(seconds=max(error.retry_after or 0.0, 60.0)))
            continue
        except SourceRefusedError as error:
            if error.question and len(ids) > 1:
                halves += [ids[: len(ids) // 2], ids[len(ids) // 2 :]]
                continue
            if error.question and ids:
                hot.drop(ids[0], one.name)
            said = "source %s: posts are not read again: %s"
            log.error(said, one.name, error, extra={"source": one.name})  # noqa: TRY400 -- expected: one line
            if not error.question:
                await clock.sleep(REFUSED)
            continue
        hot.read(one.name, ids)
        if payload is not None:
            await put(payload)


async def _turn(clock: Clock, pause: timedelta, stands: Callable[[], bool]) -> None:
    """Waits for the next request."""
    await clock.sleep(pause)
    while not stands():
        await clock.sleep(pause)
