"""What an operator may set of a Mastodon server, and what the source declares of itself."""

from typing import Annotated, ClassVar

from msgspec import Meta

from monitor.collect.about import About
from monitor.collect.http_settings import Address, HttpSource
from monitor.watched import Duration, Name

Tag = Annotated[str, Meta(pattern=r"^[^\s#/?&]{1,100}$(?!\n)", description="a hashtag without its #")]


class MastodonSource(
    HttpSource, tag="mastodon", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Reads hashtags and public timelines of one Mastodon server; a source for each server."""

    ABOUT: ClassVar[About] = About(
        reads="posts with chosen hashtags, or all public posts that one server knows",
        access="a token of a user of the server, with the right read:statuses",
        limits="300 requests in 5 minutes, 300 in 15 for pages of timelines; kept to, as are the server's headers",
        resumes="reads what was missed from the timelines, to a bound; beyond is a gap; of an event that is added, the "
        "timelines within look_back, and what the server's search finds where it has one and lets us (read:search)",
        edits="as they happen while it runs; hot posts are read again; not those of other posts while it was away",
        cannot="posts that the server does not know, deletions while it was away of posts that are not hot, and of "
        "posts before the last 50,000 mentions, counts of posts that are not hot",
        reposts="not at all: timelines of hashtags hold no boosts; the number on a post is what one server knows",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    instance: Address
    """The server."""
    streaming: Address | None = None
    """Where it streams; where it is not set, the server is asked."""
    token_env: str | None = None
    """Environment variable that holds a user's token with the right `read:statuses`."""
    token_file: str | None = None
    """File that holds it; set one."""
    tags: Annotated[tuple[Tag, ...], Meta(max_length=100)] = ()
    """Hashtags that are followed."""
    public: bool = False
    """Follows all public posts that the server knows, where it lets us."""
    local: bool = False
    """Only posts that were written on this server."""
    rewind: Duration = Duration(minutes=2)
    """How far behind the last post a timeline is read anew: posts of other servers come late, with an earlier id."""
    refill: Annotated[int, Meta(ge=1, le=1000)] = 50
    """Pages of 40 posts that are read of each timeline after an outage, at most; beyond them is a gap."""
    look_back: Duration = Duration(hours=1)
    """How much of the past is read again, and searched, for an event that is added."""
    look_back_pages: Annotated[int, Meta(ge=0, le=1000)] = 10
    """Pages of 40 posts that are read for it of each timeline, and of each of its terms; 0 looks back not at all."""
    requests: Annotated[int, Meta(ge=1, le=100_000)] = 300
    """Requests that the server takes in five minutes,"""
    paged_requests: Annotated[int, Meta(ge=1, le=100_000)] = 300
    """… and in fifteen minutes of those that name a place in a timeline."""
    refresh: Annotated[int, Meta(ge=0, le=600)] = 3
    """Requests in a minute by which hot posts are read again, 20 in each; 0 reads none again."""
    refresh_again: Duration = Duration(minutes=5)
    """How long a post is left alone between two reads."""
    remembered: Annotated[int, Meta(ge=1000, le=10_000_000)] = 50_000
    """Posts whose address is known when somebody answers or deletes them."""
