"""What a kind of source declares of itself; docs/sources.md is written from it."""

from typing import NamedTuple


class About(NamedTuple):
    """What an operator must know before relying on a source; plain sentences without markup that breaks a table."""

    reads: str
    """What it brings."""
    access: str
    """What it takes to be let in."""
    limits: str
    """How much may be asked, and what keeps to it."""
    resumes: str
    """What becomes of posts that were written while it was away."""
    edits: str
    """How it learns of edits and deletions."""
    cannot: str
    """What it cannot tell."""
    reposts: str
    """How reposts are counted: by repost posts, or by the growth of a number; never both."""


OWN = About(
    reads="post/1 documents, whatever platform they come from",
    access="",
    limits="none of a platform's; the channel to the worker holds it back",
    resumes="",
    edits="documents with op update and delete",
    cannot="what the documents do not say",
    reposts="by posts with repost_of",
)
"""What sources of post/1 documents have in common."""
