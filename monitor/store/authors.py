"""What an author wrote, of all that is archived, and its deletion as the source would tell it post by post."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import polars as pl
from sqlalchemy import Connection, select

from monitor.frames import POSTS
from monitor.store.alerts import portions
from monitor.store.schema import mentions

_TOLD = {name: POSTS[name] for name in ("source", "platform", "id", "op")}


class Written(NamedTuple):
    """Mentions of authors who are gone, those that have their texts still."""

    keys: Sequence[int]
    posts: pl.DataFrame
    """POSTS without times: their deletion."""


def written_by(connection: Connection, authors: Collection[tuple[str, str]]) -> Written:
    """The living mentions by these (platform, author), in the order of the stream."""
    found: list[tuple[int, int, str, str, str]] = []
    post = (mentions.c.source, mentions.c.platform, mentions.c.id)
    living = select(mentions.c.number, mentions.c.key, *post, mentions.c.author).where(mentions.c.deleted.is_(False))
    for some in portions(sorted({author for _, author in authors})):
        for *row, author in connection.execute(living.where(mentions.c.author.in_(some))):
            number, key, source, platform, name = row
            if (platform, author) in authors:
                found.append((number, key, source, platform, name))
    found.sort()
    return Written([key for _, key, *_ in found], deletions(row[2:] for row in found))


def deletions(posts: Iterable[tuple[str, str, str]]) -> pl.DataFrame:
    """POSTS without times: one that deletes each of these posts (source, platform, id)."""
    told = pl.DataFrame([(*post, "delete") for post in posts], _TOLD, orient="row")
    whole = pl.concat([pl.DataFrame(schema=POSTS), told], how="diagonal")
    return whole.unique(("platform", "id"), maintain_order=True)
