"""The schema of every frame that walks through the house, on one page.

Rows are ordered by (seen_at, platform, id). Times are aware UTC in microseconds. Each stage adds columns to the right
and never drops a row, but for `match`, which keeps mentions only (one row per post and event).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import polars as pl

from classifiers.tags import TAGS, Tag
from monitor.marks import GapMark, Mark

__all__ = [
    "CLUSTERED",
    "HEARD",
    "LATE",
    "MENTIONS",
    "ORDER",
    "POSTS",
    "REMEMBERED",
    "SPOKEN",
    "TAG",
    "TAGGED",
    "TAGS",
    "TICKS",
    "TIME",
    "Batch",
    "Counted",
    "Schema",
    "Tag",
]

Schema = dict[str, pl.DataType | type[pl.DataType]]

TIME = pl.Datetime("us", "UTC")
TAG = pl.Enum([tag.value for tag in TAGS])
VIA = pl.Enum(["term", "reply", "quote", "repost", "known"])
"""How a post came to be a mention; `known` is an update, delete or counts of a known one."""

ORDER = ("seen_at", "platform", "id")

POSTS: Schema = {
    "source": pl.String,  # the collector's name in the configuration
    "platform": pl.String,
    "id": pl.String,
    "op": pl.Enum(["create", "update", "delete", "counts"]),
    "text": pl.String,  # "" for a bare repost
    "posted_at": TIME,  # what the author says; null only where op is delete or counts
    "seen_at": TIME,
    "author": pl.String,  # keyed hash, or as the recording has it
    "author_followers": pl.Int64,
    "author_created_at": TIME,
    "author_verified": pl.Boolean,
    "lang": pl.String,
    "reply_to": pl.String,
    "repost_of": pl.String,
    "quote_of": pl.String,
    "root": pl.String,
    "parent_text": pl.String,
    "reposts": pl.Int64,
    "likes": pl.Int64,
    "replies": pl.Int64,
    "views": pl.Int64,
    "url": pl.String,
    "media": pl.String,  # JSON list of {url, kind, sha256}
    "payload_sha256": pl.String,  # of the document in which the source sent it, in hex; null in recordings
}

MENTIONS: Schema = POSTS | {
    "event": pl.String,
    "via": VIA,
    "term": pl.String,  # the event's own spelling that matched; null where via is no term
    "event_time": TIME,  # min(posted_at, seen_at)
    "parent": pl.String,  # id of the known mention this one answers, quotes or reposts; null where there is none
    "root_text": pl.String,
    "voice": pl.String,  # the event's registered voice that wrote it; null for anybody else
}
"""`parent_text` is filled from thread memory where the parent is known."""

TAGGED: Schema = MENTIONS | {
    "tag": TAG,
    "p_claim": pl.Float64,  # probabilities, rounded to 1e-4
    "p_denial": pl.Float64,
    "p_celebration": pl.Float64,
    "p_question": pl.Float64,
    "p_other": pl.Float64,
    "language": pl.String,  # as the tagger's own model reads it; und where that cannot be said
    "attributed": pl.Boolean,  # it says who says so: no word of its own author's
    "cues": pl.String,  # the words that pulled it to its tag, for people; null where nobody will be shown it
}

CLUSTERED: Schema = TAGGED | {
    "narrative": pl.String,  # id; null where the post asserts nothing and answers nothing
    "copy_of": pl.String,  # id of the original this repeats; null for an original
}

REMEMBERED: Schema = {
    "platform": pl.String,
    "id": pl.String,
    "event": pl.String,
    "text": pl.String,  # as it stands now; null once the mention was deleted
    "parent": pl.String,
    "root": pl.String,
    "repost_of": pl.String,
    "narrative": pl.String,
    "copy_of": pl.String,
    "older": pl.Boolean,  # made before the last mentions, and the parent of one of them
}
"""What the memories of mentions are refilled from at the start: the last ones in the order in which they were made."""

TICKS: Schema = {
    "tick": TIME,  # whole second; covers posts with tick - 1 s <= seen_at < tick
    "event": pl.String,
    "narrative": pl.String,  # "" for the event as a whole
    "posts": pl.Int64,  # all that follow are increments at this tick, fresh (not late) creates only
    "reposts": pl.Int64,
    "originals": pl.Int64,  # neither repost nor copy
    "claims": pl.Int64,  # originals by an author new to this side of this narrative
    "denials": pl.Int64,
    "celebrations": pl.Int64,
    "questions": pl.Int64,
    "others": pl.Int64,
    "authors": pl.Int64,  # who did not speak of the event for a week; of the event as a whole, 0 for its narratives
    "claim_authors": pl.Int64,  # distinct authors, originals and reposts alike
    "denial_authors": pl.Int64,
    "claim_platforms": pl.Int64,  # platforms on which the claim is new
    "reach": pl.Int64,  # followers of the authors, where known
}

SPOKEN: Schema = {
    "tick": TIME,  # as in TICKS
    "event": pl.String,
    "narrative": pl.String,
    "denial": pl.Boolean,  # else a claim
    "counts": pl.Boolean,  # one of TICKS' claims or denials: an original by an author new to this side
    "copy": pl.Boolean,  # a near-copy that reposts nothing: pasted
    "young": pl.Boolean,  # by an account made less than 30 days before
    "platform": pl.String,
    "language": pl.String,
    "thread": pl.UInt64,  # hash of what began it
}
"""Fresh claims and denials of a narrative one by one, reposts and copies too: who is behind the counts of TICKS."""

HEARD: Schema = {
    "event": pl.String,
    "source": pl.String,
    "voice": pl.String,  # the event's registered voice that spoke there; null for anybody else
    "slot": TIME,  # the begin of five minutes of seen time in which they said something of the event
}
"""Who speaks at all, late or not; a slot may be handed on more than once."""

LATE: Schema = {
    "source": pl.String,
    "posts": pl.Int64,  # behind their source's watermark: archived, not in any count
}


class Batch(NamedTuple):
    """What walks through the house at once: posts, and the marks that came with them."""

    posts: pl.DataFrame
    """POSTS, in ORDER."""
    upto: datetime
    """The stream is complete before this time: no later batch holds a post seen earlier."""
    marks: tuple[Mark, ...] = ()
    resume: Mapping[str, str] = {}
    """Source → where it goes on after this batch."""
    rejected: Mapping[tuple[str, str], int] = {}
    """(source, reason) → documents that were no posts."""


class Counted(NamedTuple):
    """What the window stage hands to the judge; all that is complete up to a time and was not handed on before."""

    ticks: pl.DataFrame
    """TICKS, by tick, event, narrative."""
    late: pl.DataFrame
    """LATE, by source."""
    gaps: tuple[GapMark, ...] = ()
    """The gaps that came with these posts."""
    heard: pl.DataFrame = pl.DataFrame(schema=HEARD)
    """HEARD, by slot, event, source, voice."""
    spoken: pl.DataFrame | None = None
    """SPOKEN, by tick, event, narrative; None from who counts no more than ticks."""
