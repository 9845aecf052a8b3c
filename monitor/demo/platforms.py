"""What platforms do differently: how posts spread there, how their ids look, how soon we see them."""

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """How a post came about."""

    ORIGINAL = 0
    REWORD = 1
    """Says the same in other words: an original set off by another."""
    COPY = 2
    """Nearly the same text as another's post, without saying so."""
    REPOST = 3
    REPLY = 4
    QUOTE = 5


class Platform(NamedTuple):
    """One platform's habits."""

    name: str
    spread: tuple[float, float, float, float, float]
    """Weights of reword, copy, repost, reply, quote among the children of a post."""
    bare: float
    """Share of reposts without text."""
    delay: float
    """Median seconds until a post is seen."""
    languages: bool
    """Whether it states a language."""
    identity: str
    """How its ids are written."""


PLATFORMS = (
    Platform("twitter", (0.14, 0.06, 0.53, 0.20, 0.07), 0.7, 3.0, languages=True, identity="{flake}"),
    Platform(
        "bluesky",
        (0.14, 0.05, 0.45, 0.28, 0.08),
        1.0,
        1.5,
        languages=True,
        identity="at://did:plc:demo{account:04d}/app.bsky.feed.post/3k{ms:x}{serial:x}",
    ),
    Platform("mastodon", (0.13, 0.04, 0.48, 0.35, 0.0), 1.0, 3.0, languages=True, identity="1{ms}{serial:07d}"),
    Platform("telegram", (0.18, 0.20, 0.42, 0.20, 0.0), 0.0, 4.0, languages=False, identity="demo{account}/{serial}"),
    Platform("reddit", (0.15, 0.05, 0.0, 0.80, 0.0), 0.0, 20.0, languages=False, identity="t1_{serial:07x}"),
    Platform("youtube", (0.10, 0.05, 0.0, 0.85, 0.0), 0.0, 40.0, languages=False, identity="Ug{ms:x}.{serial:x}"),
    Platform(
        "rss",
        (0.65, 0.35, 0.0, 0.0, 0.0),
        0.0,
        75.0,
        languages=False,
        identity="https://wire.example.org/item/{serial}",
    ),
)
CODES = {platform.name: code for code, platform in enumerate(PLATFORMS)}
WIRE = CODES["rss"]
"""Where nobody answers: what it sets off appears elsewhere."""
FLAKE_EPOCH = 1_288_834_974_657
"""Millisecond from which snowflake ids count."""


def identity(platform: int, serial: int, milliseconds: int) -> str:
    """A post's id as the platform writes it; unique as `serial` is."""
    flake = (milliseconds - FLAKE_EPOCH << 22) + serial
    return PLATFORMS[platform].identity.format(flake=flake, account=serial % 4099, ms=milliseconds, serial=serial)


def permalink(platform: int, post_id: str) -> str:
    """A public link on a host that does not exist."""
    name = PLATFORMS[platform].name
    return post_id if name == "rss" else f"https://{name}.example.org/{post_id.removeprefix('at://')}"
