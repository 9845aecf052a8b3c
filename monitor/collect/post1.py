"""post/1 documents → a POSTS frame; what cannot be used is counted by reason, and never raises.

Two parsers on purpose: msgspec checks types strictly (polars turns `5` into `"5"`), polars builds the columns; together
they are four times faster than building columns from objects. Only a chunk with a bad line is read line by line.
"""

import io
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import compress
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
import polars as pl
from msgspec import Meta, Struct

from monitor.collect.parsed import Parsed
from monitor.errors import PostRejectedError
from monitor.frames import POSTS, TIME
from monitor.records import Op

MAX_TEXT = 20_000
MAX_ID = 256
MAX_AHEAD = timedelta(minutes=10)
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""Where no clock says otherwise (a recording without seen_at), times from here on are forged."""

_Count = Annotated[int, Meta(ge=0, le=2**53)]


class _Media(Struct, gc=False):
    url: str
    kind: str | None = None
    sha256: str | None = None


class _Wire(Struct, gc=False):
    """The types of post/1; sizes and times are checked on columns."""

    id: str
    platform: str
    op: str = "create"
    text: str | None = None
    created_at: str | None = None
    seen_at: str | None = None
    author: str | None = None
    author_followers: _Count | None = None
    author_created_at: str | None = None
    author_verified: bool | None = None
    lang: str | None = None
    reply_to: str | None = None
    repost_of: str | None = None
    quote_of: str | None = None
    root: str | None = None
    parent_text: str | None = None
    reposts: _Count | None = None
    likes: _Count | None = None
    replies: _Count | None = None
    views: _Count | None = None
    url: str | None = None
    media: list[_Media] | None = None


FIELDS = _Wire.__struct_fields__
COUNTS = ("author_followers", "reposts", "likes", "replies", "views")
TIMES = ("created_at", "seen_at", "author_created_at")
RAW: dict[str, pl.DataType | type[pl.DataType]] = {
    name: pl.Int64 if name in COUNTS else pl.Boolean if name == "author_verified" else pl.String for name in FIELDS
}
_WORDS = ("id", "platform", "author", "lang", "reply_to", "repost_of", "quote_of", "root", "url", "media")
"""Columns that name something: U+0000 stands in none of them, and is left out of texts."""
_LINE = msgspec.json.Decoder(_Wire)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(msgspec.Raw)
MOST_IN_ARRAY = 500


class Decoded(NamedTuple):
    """Usable posts in the order they came, and how many documents were rejected for which reason."""

    posts: pl.DataFrame
    rejected: Counter[str]


def decode(lines: bytes, source: str, seen_at: datetime | None = None) -> Decoded:
    """Decodes NDJSON `lines`; `seen_at` is when the collector saw them, None for a recording that carries it itself."""
    rejected: Counter[str] = Counter()
    try:
        _LINE.decode_lines(lines)
        raw = pl.read_ndjson(io.BytesIO(lines), schema=RAW) if lines.strip() else pl.DataFrame(schema=RAW)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, pl.exceptions.PolarsError):
        raw = _line_by_line(lines, rejected)
    return checked(raw, source, seen_at, rejected)


def parse(bodies: Sequence[bytes], source: str, seen_at: datetime, *, as_sent: bool = False) -> Parsed:
    """The posts of `bodies`, each NDJSON, a JSON array or one object; all at once, since a call costs milliseconds.

    `as_sent`: the source itself wrote these documents, so they are handed on beside the posts.
    """
    rejected: list[Counter[str]] = [Counter() for _ in bodies]
    documents = [documents_of(body, found) for body, found in zip(bodies, rejected, strict=True)]
    payload = np.repeat(np.arange(len(bodies), dtype=np.uint32), [len(found) for found in documents])
    lines = [line for found in documents for line in found]
    joined = b"\n".join(lines)
    try:
        _LINE.decode_lines(joined)
        raw = pl.read_ndjson(io.BytesIO(joined), schema=RAW) if lines else pl.DataFrame(schema=RAW)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, pl.exceptions.PolarsError):
        good = [_usable(line, rejected[owner]) for line, owner in zip(lines, payload.tolist(), strict=True)]
        lines = [line for line, document in zip(lines, good, strict=True) if document is not None]
        payload = payload[[document is not None for document in good]]
        raw = pl.DataFrame([document for document in good if document is not None], schema=RAW)
    owned = raw.with_columns(pl.Series("payload", payload, dtype=pl.UInt32))
    return parsed(owned, rejected, source, seen_at, lines if as_sent else ())


def parsed(
    raw: pl.DataFrame, rejected: list[Counter[str]], source: str, seen_at: datetime, lines: Sequence[bytes] = ()
) -> Parsed:
    """post/1 columns and each row's `payload`; adds to `rejected`. Of `lines`, one a row, the usable are handed on."""
    frame = with_reason(raw, seen_at)
    bad = frame.filter(pl.col("reason").is_not_null())
    for owner, reason, count in bad.group_by("payload", "reason").len().iter_rows():
        rejected[owner][reason] += count
    good_rows = frame.filter(pl.col("reason").is_null())
    own = list(compress(lines, frame["reason"].is_null().to_list()))
    return Parsed(posts_of(good_rows, source), good_rows["payload"], rejected, documents=own)


def documents_of(body: bytes, rejected: Counter[str]) -> list[bytes]:
    """The documents of a payload, one line each: those of an array, or the lines that are not blank."""
    start = body.lstrip()
    if not start.startswith(b"["):
        lines = [line for line in body.split(b"\n") if line.strip()]
        return [body.replace(b"\n", b" ")] if len(lines) > 1 and _is_one(start) else lines
    try:
        found = _ARRAY.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        rejected["not_json"] += 1
        return []
    if len(found) > MOST_IN_ARRAY:
        rejected["over_size"] += len(found)
        return []
    return [bytes(document).replace(b"\n", b" ") for document in found]


def _is_one(body: bytes) -> bool:
    """Whether a text of several lines is one JSON document, written with line breaks."""
    try:
        _ANY.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _usable(line: bytes, rejected: Counter[str]) -> dict[str, Any] | None:
    """One document as a row, its media as text; None and a count where it is none."""
    try:
        document: dict[str, Any] = msgspec.to_builtins(_parse(line))
    except PostRejectedError as error:
        rejected[error.reason] += 1
        return None
    if document["media"] is not None:
        document["media"] = msgspec.json.encode(document["media"]).decode()
    return document


def _line_by_line(lines: bytes, rejected: Counter[str]) -> pl.DataFrame:
    rows = (_usable(line, rejected) for line in lines.split(b"\n") if line.strip())
    return pl.DataFrame([row for row in rows if row is not None], schema=RAW)


def _parse(line: bytes) -> _Wire:
    """One document with the right types; raises PostRejectedError with the reason."""
    try:
        return _LINE.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PostRejectedError(_reason(line), str(error)) from error


def _reason(line: bytes) -> str:
    """Why `line` is no post/1 document, as one of REJECTIONS."""
    try:
        document: Any = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "not_json"
    if not isinstance(document, dict):
        return "not_an_object"
    if document.get("id") is None or document.get("platform") is None:
        return "missing_field"
    if any(isinstance(document.get(name), int | float) for name in TIMES):
        return "bad_time"
    return "wrong_type"


def checked(raw: pl.DataFrame, source: str, seen_at: datetime | None, rejected: Counter[str]) -> Decoded:
    """Checks sizes, times and characters of `raw` (post/1 columns) by column; adds to `rejected`."""
    frame = with_reason(raw, seen_at)
    bad = frame.filter(pl.col("reason").is_not_null())
    for reason, count in bad.group_by("reason").len().iter_rows():
        rejected[reason] += count
    return Decoded(posts_of(frame.filter(pl.col("reason").is_null()), source), rejected)


def with_reason(raw: pl.DataFrame, seen_at: datetime | None) -> pl.DataFrame:
    """Adds to post/1 columns the times they mean and `reason`: why a row is rejected, or null."""
    frame = _timed(raw, seen_at).with_columns(pl.col("op").fill_null(Op.CREATE.value))
    return frame.with_columns(reason=_why())


def posts_of(good: pl.DataFrame, source: str) -> pl.DataFrame:
    """POSTS of rows without a reason."""
    return good.with_columns(
        pl.lit(source).alias("source"),
        pl.when(pl.col("op").is_in(["create", "update"])).then(_without_nul("text").fill_null("")).alias("text"),
        _without_nul("parent_text"),
        pl.lit(None, pl.String).alias("payload_sha256"),
    ).select(pl.col(name).cast(dtype) for name, dtype in POSTS.items())


def _without_nul(name: str) -> pl.Expr:
    """A text without U+0000, which no database need take."""
    return pl.col(name).str.replace_all("\0", "", literal=True)


def _timed(raw: pl.DataFrame, seen_at: datetime | None) -> pl.DataFrame:
    """Text times → TIME (null where unreadable, remembered in `bad_time`); seen_at falls back on created_at."""
    texts = [name for name in TIMES if raw.schema[name] == pl.String]
    frame = raw.with_columns(
        pl.coalesce(
            pl.col(name).str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False),
            pl.col(name).str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False),
        ).alias(f"{name}_parsed")
        for name in texts
    )
    bad = [pl.col(name).is_not_null() & pl.col(f"{name}_parsed").is_null() for name in texts]
    bad_time = pl.any_horizontal(bad) if bad else pl.lit(value=False)
    frame = frame.with_columns(bad_time.alias("bad_time"))
    frame = frame.with_columns(pl.col(f"{name}_parsed").cast(TIME).alias(name) for name in texts)
    seen = pl.col("seen_at") if seen_at is None else pl.lit(seen_at, dtype=TIME)
    return frame.with_columns(
        pl.col("created_at").alias("posted_at"),
        pl.coalesce(seen, pl.col("created_at")).cast(TIME).alias("seen_at"),
        pl.when(pl.col("author_created_at").dt.year().is_between(1970, 2100)).then("author_created_at"),
    )


def _why() -> pl.Expr:
    """The first reason that rules a row out, or null."""
    creates = pl.col("op").is_in(["create", "update"])
    text, posted = pl.col("text"), pl.col("posted_at")
    earliest, latest = pl.lit(EARLIEST, dtype=TIME), pl.lit(LATEST, dtype=TIME)
    missing = pl.col("id").is_null() | pl.col("platform").is_null() | (creates & text.is_null())
    long_id = pl.any_horizontal(
        pl.col("id", "reply_to", "repost_of", "quote_of", "root", "author").str.len_chars() > MAX_ID
    )
    long_text = pl.any_horizontal(pl.col("text", "parent_text").str.len_chars() > MAX_TEXT)
    long_url = pl.any_horizontal(pl.col("url", "media").str.len_chars() > MAX_TEXT)
    escaped = pl.col("media").str.contains(r"\u0000", literal=True)
    nul = pl.any_horizontal(pl.col(_WORDS).str.contains("\0", literal=True), escaped)
    return (
        pl.when(missing)
        .then(pl.lit("missing_field"))
        .when(nul.fill_null(value=False))
        .then(pl.lit("wrong_type"))
        .when(~pl.col("op").is_in([op.value for op in Op]))
        .then(pl.lit("unknown_op"))
        .when(pl.col("bad_time"))
        .then(pl.lit("bad_time"))
        .when(creates & posted.is_null())
        .then(pl.lit("missing_field"))
        .when(pl.col("id").str.len_chars() == 0)
        .then(pl.lit("bad_id"))
        .when(long_id.fill_null(value=False) | long_text.fill_null(value=False) | long_url.fill_null(value=False))
        .then(pl.lit("over_size"))
        .when(~pl.col("platform").str.contains(r"^[a-z0-9_-]{1,32}$"))
        .then(pl.lit("bad_platform"))
        .when((posted < earliest) | (pl.col("seen_at") < earliest))
        .then(pl.lit("before_2005"))
        .when((posted > pl.col("seen_at") + MAX_AHEAD) | (posted >= latest) | (pl.col("seen_at") >= latest))
        .then(pl.lit("in_the_future"))
        .when(creates & text.str.contains(r"^[\p{C}\s]+$"))
        .then(pl.lit("control_only"))
    )
