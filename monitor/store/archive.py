"""The archive of mentions: written in the order of the stream, so that reading it by number replays it.

A mention's identity (platform, id, event) is kept as a 64-bit hash: among a hundred million mentions two share one
with a chance of 1 in 4,000, and the later of them is then not archived. A create of a known identity changes nothing;
an update replaces text and links, a counts the numbers, a delete takes text, author and links and leaves what was
counted: tag, narrative, times, numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import polars as pl
import xxhash
from sqlalchemy import Connection, Select, bindparam, case, func, select, update

from monitor.frames import CLUSTERED, REMEMBERED, Schema
from monitor.store.dialect import write_new
from monitor.store.schema import MENTION_COLUMNS, mentions

_TIMES = tuple(name for name in MENTION_COLUMNS if isinstance(CLUSTERED[name], pl.Datetime))
_NUMBERS = ("reposts", "likes", "replies", "views")
_WORDING = ("text", "url", "media", "lang")
_AUTHOR = ("author_followers", "author_created_at", "author_verified")
_CHUNK = 10_000
_AT_ONCE = 500
"""Parameters of one statement; every database takes as many."""

_REPLACE_NUMBERS = update(mentions).where(mentions.c.key == bindparam("of"))
_REPLACE_NUMBERS = _REPLACE_NUMBERS.values({n: func.coalesce(bindparam(f"new_{n}"), mentions.c[n]) for n in _NUMBERS})
_LIVING = update(mentions).where(mentions.c.key == bindparam("of"), mentions.c.deleted.is_(False))
_REPLACE_WORDING = _LIVING.values({n: func.coalesce(bindparam(f"new_{n}"), mentions.c[n]) for n in _WORDING})
_TOMBSTONE = _LIVING.values(
    dict.fromkeys(("text", "url", "media", "payload_sha256", "parent_text", *_AUTHOR))
    | {"author": bindparam("stand_in"), "deleted": True}
)


def key_of(platform: str, post_id: str, event: str) -> int:
    """The archive's key of a mention: a signed 64-bit hash of its identity."""
    digest = xxhash.xxh3_64_intdigest(f"{platform}\0{post_id}\0{event}".encode())
    return digest - (1 << 64) if digest >> 63 else digest


def write(connection: Connection, frame: pl.DataFrame, stand_in: Callable[[], str]) -> list[int]:
    """Archives CLUSTERED rows in their order and answers the keys of the mentions they delete.

    `stand_in` gives the author of a deleted mention: something random that says nothing of the author.
    """
    if frame.is_empty():
        return []
    keyed = frame.with_columns(_keys(frame))
    created = pl.col("op") == "create"
    if keyed.select(created.all()).item():
        _create(connection, keyed)
        return []
    keyed = keyed.with_row_index("row")
    first = pl.col("row").filter(created).min().over("key")
    keyed = keyed.with_columns((~created & (pl.col("row") < first).fill_null(value=False)).alias("early"))
    keyed = _with_stand_ins(keyed, stand_in)
    early, late = keyed.filter("early"), keyed.filter(~created & ~pl.col("early"))
    gone = _change(connection, early)
    _create(connection, keyed.filter(created))
    return gone + _change(connection, late)


def take(connection: Connection, keys: Sequence[int], stand_in: Callable[[], str]) -> None:
    """Takes text, author and links of these mentions, as their authors' deletion does."""
    if keys:
        connection.execute(_TOMBSTONE, [{"of": key, "stand_in": stand_in()} for key in keys])


def _with_stand_ins(keyed: pl.DataFrame, stand_in: Callable[[], str]) -> pl.DataFrame:
    deletes = keyed.select(pl.col("op") == "delete").to_series()
    drawn = [stand_in() if delete else None for delete in deletes]  # in the order of the stream, whatever the cut
    return keyed.with_columns(pl.Series("stand_in", drawn, pl.String))


def _keys(frame: pl.DataFrame) -> pl.Series:
    identity = frame.select(pl.concat_str("platform", "id", "event", separator="\0").cast(pl.Binary)).to_series()
    digests = map(xxhash.xxh3_64_intdigest, identity.to_list())
    return pl.Series("key", np.fromiter(digests, np.uint64, len(identity)).view(np.int64))


def _create(connection: Connection, keyed: pl.DataFrame) -> None:
    if keyed.is_empty():
        return
    rows = keyed.select(
        "key",
        *(
            pl.col(name).to_physical() if name in _TIMES else pl.col(name)
            for name in MENTION_COLUMNS
            if name != "parent_text"
        ),
        pl.when(pl.col("parent").is_null()).then("parent_text").alias("parent_text"),
        pl.lit(value=False).alias("deleted"),
    )
    write_new(connection, mentions, "key", rows)


def _change(connection: Connection, keyed: pl.DataFrame) -> list[int]:
    numbers = keyed.filter(pl.col("op").is_in(["update", "counts"]), pl.any_horizontal(pl.col(_NUMBERS).is_not_null()))
    if len(numbers):
        connection.execute(_REPLACE_NUMBERS, _new(numbers, _NUMBERS))
    wording = keyed.filter(pl.col("op") == "update")
    if len(wording):
        connection.execute(_REPLACE_WORDING, _new(wording, _WORDING))
    deletes = keyed.filter(pl.col("op") == "delete").select(pl.col("key").alias("of"), "stand_in")
    if len(deletes):
        connection.execute(_TOMBSTONE, deletes.to_dicts())
    return deletes["of"].to_list()


def _new(keyed: pl.DataFrame, names: Iterable[str]) -> list[dict[str, object]]:
    return keyed.select(pl.col("key").alias("of"), *(pl.col(name).alias(f"new_{name}") for name in names)).to_dicts()


def recent(connection: Connection, limit: int) -> pl.DataFrame:
    """The last `limit` mentions as CLUSTERED creates in the order of the stream.

    A deleted mention has the text "". `parent_text` is there only where the parent is no mention; `root_text`
    and `cues` never.
    """
    columns = [mentions.c[name] for name in MENTION_COLUMNS]
    found = connection.execute(select(*columns).order_by(mentions.c.number.desc()).limit(limit))
    schema = {name: pl.Int64() if name in _TIMES else CLUSTERED[name] for name in MENTION_COLUMNS}
    parts = [pl.DataFrame(rows, schema=schema, orient="row") for rows in _chunks(found.partitions(_CHUNK))]
    whole = pl.concat([pl.DataFrame(schema=schema), *parts]).reverse()
    return whole.select(_restored(name) for name in CLUSTERED)


def following(connection: Connection, after: int, limit: int) -> tuple[pl.DataFrame, int]:
    """At most `limit` mentions behind the number `after`, as `recent` has them, and the number of the last."""
    columns = [mentions.c.number, *(mentions.c[name] for name in MENTION_COLUMNS)]
    found = connection.execute(
        select(*columns).where(mentions.c.number > after).order_by(mentions.c.number).limit(limit)
    )
    schema: Schema = {"number": pl.Int64()} | {
        name: pl.Int64() if name in _TIMES else CLUSTERED[name] for name in MENTION_COLUMNS
    }
    parts = [pl.DataFrame(rows, schema=schema, orient="row") for rows in _chunks(found.partitions(_CHUNK))]
    whole = pl.concat([pl.DataFrame(schema=schema), *parts])
    last = int(whole["number"][-1]) if whole.height else after
    return whole.select(_restored(name) for name in CLUSTERED), last


def remembered(connection: Connection, limit: int) -> pl.DataFrame:
    """REMEMBERED: the last `limit` mentions, and before them those of their parents that are older."""
    last = _remembered(connection, select(*_MEMORY).order_by(mentions.c.number.desc()).limit(limit)).reverse()
    parents = last.filter(pl.col("parent").is_not_null()).select("platform", pl.col("parent").alias("id"), "event")
    missing = parents.unique(maintain_order=True).join(last, on=["platform", "id", "event"], how="anti")
    keys = sorted(_keys(missing).to_list())
    older = [
        _remembered(connection, select(*_MEMORY).where(mentions.c.key.in_(keys[at : at + _AT_ONCE])))
        for at in range(0, len(keys), _AT_ONCE)
    ]
    whole = pl.concat([*older, last.clear()]).with_columns(older=True).vstack(last.with_columns(older=False))
    return whole.select(REMEMBERED.keys())


_MEMORY = (
    *(mentions.c[name] for name in REMEMBERED if name not in {"text", "older"}),
    case((mentions.c.deleted, None), else_=func.coalesce(mentions.c.text, "")).label("text"),
)


def _remembered(connection: Connection, query: Select[tuple[object, ...]]) -> pl.DataFrame:
    schema = {column.name: REMEMBERED[column.name] for column in _MEMORY}
    found = connection.execute(query)
    parts = [pl.DataFrame(rows, schema=schema, orient="row") for rows in _chunks(found.partitions(_CHUNK))]
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def _chunks(partitions: Iterable[Iterable[Iterable[object]]]) -> Iterator[list[tuple[object, ...]]]:
    for rows in partitions:
        yield [tuple(row) for row in rows]


def _restored(name: str) -> pl.Expr:
    if name == "op":
        return pl.lit("create").cast(CLUSTERED["op"]).alias("op")
    if name in {"root_text", "cues"}:
        return pl.lit(None, pl.String).alias(name)
    if name == "text":
        return pl.col("text").fill_null("")
    return pl.col(name).cast(CLUSTERED[name])
