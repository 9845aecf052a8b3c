"""What an event would have matched in the archive, by its own terms: read in portions, so that memory stays bounded.

The archive holds the mentions of the events that are watched, so a preview shows the part of an event that they saw.
Answers to what matches are not followed: they would come on top.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import polars as pl

from monitor.errors import SettingsError
from monitor.match.matcher import Matcher
from monitor.store.reader import Reader
from monitor.watched import Event
from monitor.web.bodies import Hour, Preview, Sample, TermCount

PORTION = 20_000
SAMPLES = 10
_KEPT = 300
"""Characters of a text that is shown."""


def preview(
    event: Event, reader: Reader, most: int, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Preview:
    """Looks at the newest `most` mentions; `progress` hears how many of how many were read.

    Raises SettingsError if the terms cannot be looked for, StoreError if the store cannot be read.
    """
    try:
        matcher = Matcher([event])
    except ValueError as error:
        raise SettingsError(str(error).splitlines()) from error
    found = _Found(event.name)
    end = reader.last_number()
    begin = place = max(0, end - most)
    while place < end:
        portion, last = reader.texts(place, min(PORTION, end - place))
        if last == place:
            break
        place = last
        found.add(portion, matcher)
        progress(place - begin, end - begin)
    return found.preview()


class _Found:
    """What was found so far."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._read = 0
        self._matched = 0
        self._hours = Counter[datetime]()
        self._terms = Counter[str]()
        self._samples: dict[str, Sample] = {}

    def add(self, portion: pl.DataFrame, matcher: Matcher) -> None:
        """Takes one portion; a post that mentions several events is one post."""
        posts = portion.unique(["platform", "id"], keep="first", maintain_order=True)
        posts = posts.with_columns(pl.col("text").fill_null(""), op=pl.lit("create"))
        hits = matcher.find(posts)
        matched = posts[hits["row"]].with_columns(hits["term"])
        hour = matched.select(pl.min_horizontal("posted_at", "seen_at").dt.truncate("1h")).to_series()
        self._read += posts.height
        self._matched += matched.height
        self._hours.update(hour.to_list())
        self._terms.update(matched["term"].to_list())
        for row in matched.tail(20 * SAMPLES).iter_rows(named=True):
            self._sample(row)

    def _sample(self, row: dict[str, Any]) -> None:
        text = row["text"][:_KEPT]
        self._samples.pop(text, None)
        self._samples[text] = Sample(
            platform=row["platform"],
            id=row["id"],
            posted_at=row["posted_at"],
            term=row["term"],
            text=text,
            url=row["url"],
        )
        if len(self._samples) > SAMPLES:
            del self._samples[next(iter(self._samples))]

    def preview(self) -> Preview:
        """All of it."""
        return Preview(
            event=self._event,
            read=self._read,
            matched=self._matched,
            hours=tuple(Hour(begins=begins, posts=posts) for begins, posts in sorted(self._hours.items())),
            terms=tuple(TermCount(term=term, posts=posts) for term, posts in self._terms.most_common()),
            samples=tuple(reversed(self._samples.values())),
        )
