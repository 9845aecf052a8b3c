"""What every source's parse answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from monitor.marks import FactCheck


class Gone(NamedTuple):
    """An account that is no more, and with it all that it ever wrote; no document of post/1 says such a thing."""

    platform: str
    author: str
    """As the source names the authors of posts."""


class Unnamed(NamedTuple):
    """A deleted post of which only that is known what the source's server calls it."""

    local: str


class Parsed(NamedTuple):
    """What the payloads of a batch hold."""

    posts: pl.DataFrame
    """POSTS, in the order they came."""
    payload: pl.Series
    """Per row: the index of its payload."""
    rejected: Sequence[Counter[str]]
    """Per payload: reason → documents."""
    reviews: Sequence[FactCheck] = ()
    """What fact-checkers say, of no event yet; from a source that brings no posts."""
    documents: Sequence[bytes] = ()
    """Per row: its own document as its source sent it; empty where only the whole payload is known."""
    gone: Sequence[Gone] = ()
    """Accounts whose posts are all deleted, also those from before the source started."""
    local: Mapping[str, str] = {}
    """Id of a post → what the source's server calls it, where that is another id."""
    unnamed: Sequence[str] = ()
    """What the server calls posts that are deleted, where the source does not know their ids any more."""
