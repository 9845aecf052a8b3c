"""What authors and platforms claim, and what of it can be believed."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from monitor.collect.post1 import EARLIEST

Count = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""A number that a column can hold."""


def known_time(claimed: str | None) -> str | None:
    """A time as post/1 spells it; None where it is none."""
    try:
        said = datetime.fromisoformat(claimed or "")
    except ValueError:
        return None
    return said.isoformat() if said.tzinfo is not None else None


def posted(claimed: str, at: datetime) -> datetime:
    """When a post was written: what is claimed, if that is a time before it was there for all to see, else that.

    A claim of long ago stands: old posts are carried over from elsewhere by the thousand, and those are not news.
    """
    try:
        said = datetime.fromisoformat(claimed)
    except ValueError:
        return at
    return said if said.tzinfo is not None and EARLIEST <= said <= at else at


def plain(text: str) -> str:
    """The begin of what somebody says, for a log: no character of it acts."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:200])
