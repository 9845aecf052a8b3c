"""What an operator may set of Telegram's channels, and what the source declares of itself."""

from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta

from monitor.collect.about import About
from monitor.collect.http_settings import Address, HttpSource
from monitor.watched import Duration, Name


class Via(StrEnum):
    """How Telegram is read."""

    PREVIEW = "preview"
    TELETHON = "telethon"


Channel = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{3,31}$(?!\n)", description="a channel's public name, without @ and address"),
]


class TelegramSource(
    HttpSource, tag="telegram", tag_field="kind", frozen=True, forbid_unknown_fields=True, kw_only=True
):
    """Reads public Telegram channels: from their web preview, which needs no account, or with Telethon, as a user."""

    ABOUT: ClassVar[About] = About(
        reads="messages of public channels, their views and reactions as rounded on the page",
        access="none; only channels that show a preview at t.me; via telethon, an account of a user and an app's id "
        "and hash, and Telethon installed (pip install virality-monitor[telethon])",
        limits="none is announced; 30 pages a minute, and a channel that rests is asked ever more seldom; via telethon "
        "10 requests in 30 seconds, and the waits that Telegram asks for",
        resumes="messages have numbers: pages back to the last one are fetched, 50 of 20 messages (of 100 via "
        "telethon); beyond them is a gap; for an event that is added each channel is read back over look_back, "
        "within as many pages",
        edits="those of the newest twenty messages, as the page shows them: another text, or a number that is missing; "
        "via telethon of the newest hundred, and of older ones where the account has joined the channel; of the time "
        "it was away deletions among the newest twenty (hundred), and no edits",
        cannot="private channels and groups, comments, who forwards; edits and deletions of what left the "
        "newest page; the page may change any day (monitor_source_drift); via telethon this "
        "was never run against Telegram",
        reposts="by forwards, which are posts of the channel that forwards",
    )

    name: Name
    """What the source is called in metrics, alerts and the archive."""
    via: Via = Via.PREVIEW
    """`preview` reads the pages that anybody sees, `telethon` asks Telegram as a user, with the extra of that name."""
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    """The channels' public names."""
    every: Duration = Duration(seconds=45)
    """How often a channel that posts is asked,"""
    slowest: Duration = Duration(minutes=5)
    """… and how often one that rests."""
    per_minute: Annotated[int, Meta(ge=1, le=600)] = 30
    """Pages in a minute, of all channels together: Telegram names no limit."""
    pages: Annotated[int, Meta(ge=1, le=1000)] = 50
    """Pages of a channel that are fetched to make up for time away, beyond which there is a gap, or to look back."""
    look_back: Duration = Duration(hours=1)
    """How far each channel is read back for an event that is added while the source runs, within `pages`; 0s: never."""
    site: Address = "https://t.me"
    """Where the web preview is."""
    api_id: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """The number of an app of yours at my.telegram.org, for `telethon`."""
    token_env: str | None = None
    """Environment variable with that app's hash."""
    token_file: str | None = None
    """File with that hash, as an alternative to `token_env`."""
    session: str | None = None
    """Telethon's session file of the user, for `telethon`; whoever has it is that user."""
