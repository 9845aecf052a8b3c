"""What an operator may set of Bluesky, and what the source declares of itself."""

from typing import Annotated, ClassVar

from msgspec import Meta

from monitor.collect.about import About
from monitor.collect.bluesky_connect import BlueskyWire
from monitor.collect.http_settings import Address, HttpSource
from monitor.watched import Duration, Name

Did = Annotated[
    str,
    Meta(
        pattern=r"^did:[a-z]+:[A-Za-z0-9._:%-]+$(?!\n)",
        max_length=256,
        description="a DID such as did:plc:z72i7hdynmk6r22z27h6tvur, no handle",
    ),
]


class BlueskySource(HttpSource, tag="bluesky", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Reads Bluesky's posts from a Jetstream server."""

    ABOUT: ClassVar[About] = About(
        reads="all public posts and reposts of the network, or those of chosen accounts; likes and replies as counts",
        access="none; to look back when an event is added, an account and an app password of it (login)",
        limits="none is announced; a reader that falls far behind is cut off, and goes on where it was",
        resumes="goes on behind the last event, for as long as the server keeps events (36 hours); beyond is a gap; "
        "of an event that is added the search brings what was said within look_back, a thousand posts a term, where "
        "there is a login",
        edits="deletes and accounts that are gone as they happen, hot posts are read again; edits hardly exist",
        cannot="likes taken back, followers",
        reposts="by repost posts",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    host: Address = "https://jetstream.us-east.bsky.network"
    """The Jetstream server."""
    wire: BlueskyWire = BlueskyWire.AUTO
    """The version spoken: `v2`, `v1`, or `auto` for version 2 where the server has it."""
    likes: bool = True
    """Counts likes: they are most of what the network says."""
    accounts: Annotated[
        tuple[Did, ...],
        Meta(max_length=200),
    ] = ()
    """Accounts (DIDs) to which it is restricted; without any, everybody's posts are read."""
    packed: bool = False
    """Asks for events packed with zstd: under half the traffic, for a little more work."""
    dictionary: str | None = None
    """The zstd dictionary of version 1, a file; version 2 hands out its own."""
    dictionary_id: Annotated[int, Meta(ge=1, le=4294967295)] = 20260811
    """The number of the zstd dictionary that is asked of version 2."""
    rewind: Duration = Duration(seconds=5)
    """How far version 1 is asked to go back behind another server's or version's last event."""
    stale: Duration = Duration(minutes=1)
    """The connection is made anew when nothing came for so long."""
    remembered: Annotated[int, Meta(ge=1000, le=10_000_000)] = 100_000
    """Posts whose likes, reposts and replies are counted; the network writes so many in an hour."""
    web: Address = "https://bsky.app"
    """Where people read posts."""
    api: Address = "https://public.api.bsky.app"
    """Where hot posts are read again, 25 in a request."""
    refresh: Annotated[int, Meta(ge=0, le=600)] = 12
    """Such requests in a minute; 0 reads no post again."""
    refresh_again: Duration = Duration(minutes=2)
    """How long a post is left alone between two reads."""
    login: Annotated[str, Meta(pattern=r"^[!-~]{1,256}$(?!\n)", description="a handle, DID or address")] | None = None
    """Account that searches what was said before an event was added; without one nothing is searched for."""
    password_env: str | None = None
    """Environment variable with an app password of that account."""
    password_file: str | None = None
    """File with that password, as an alternative to `password_env`."""
    service: Address = "https://bsky.social"
    """The server of that account, through which it searches."""
    searches: Annotated[int, Meta(ge=1, le=3000)] = 150
    """Requests in five minutes by which it searches; Bluesky takes 3000 of one address."""
    search_pages: Annotated[int, Meta(ge=1, le=100)] = 10
    """Pages of a hundred posts that are read of each term."""
    look_back: Duration = Duration(hours=1)
    """How much of the past is searched for an event that is added."""
