"""Ten thousand hostile documents through the whole walk: none crashes it, each is a post or a counted rejection."""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.app import Walk
from monitor.collect.post1 import decode
from monitor.frames import ORDER, Batch
from monitor.records import REJECTIONS
from tests.fakes.stream import EVENT
from tests.fakes.tagger import WordTagger

SEEN = datetime(2021, 9, 3, 14, tzinfo=UTC)
GOOD = {"id": "1", "platform": "x", "text": "bazarak fallen", "created_at": "2021-09-03T13:30:00Z", "author": "a"}
TRICKS = (
    "\u202e",
    "\u2066",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u0000",
    "\u0007",
    "\u001b[31m",
    "\U000e0041",
    "\u0301" * 40,
    "ﷺ",
    "𝓫",
    "<!channel>",
    "@everyone",
    "[a](javascript:1)",
    "{{7*7}}",
    "'; drop table mentions; --",
    "=cmd()",
    "%n%s",
    "\u2028",
)
TIMES = (
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z",
    "2021-09-03T13:30:60Z",
    "2021-02-30T00:00:00Z",
    "2021-09-03 13:30:00Z",
    "2021-09-03T13:30:00+99:99",
    "now",
    "",
    "٢٠٢١-٠٩-٠٣T13:30:00Z",
    "2021-09-03T13:30:00",
)
VALUES: tuple[Any, ...] = (None, True, 7, -7, 2.5, 1e308, 10**40, "", "x", [], [[]], {}, {"a": {"b": []}}, "x" * 30_000)


def _trick(chance: random.Random) -> bytes:
    text = "".join(chance.choices([*TRICKS, "bazarak ", "fallen ", "پنجشیر "], k=chance.randint(1, 30)))
    return json.dumps(GOOD | {"id": text[:100] or "i", "text": text, "author": text[:50]}).encode()


def _mistyped(chance: random.Random) -> bytes:
    fields = ["id", "platform", "op", "text", "created_at", "seen_at", "author", "reply_to", "likes", "media", "lang"]
    return json.dumps(GOOD | {chance.choice(fields): chance.choice(VALUES) for _ in range(2)}).encode()


def _timed(chance: random.Random) -> bytes:
    return json.dumps(GOOD | {"created_at": chance.choice(TIMES), "seen_at": chance.choice([*TIMES, None])}).encode()


def _nested(chance: random.Random) -> bytes:
    depth = chance.choice([10, 1_000, 50_000])
    opening, closing = chance.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return b'{"id":"1","platform":"x","text":' + opening * depth + b"1" + closing * depth + b"}"


def _torn(chance: random.Random) -> bytes:
    whole = bytearray(json.dumps(GOOD | {"text": "bazarak fällt – پنجشیر"}, ensure_ascii=False).encode())
    for _ in range(chance.randint(1, 4)):
        whole[chance.randrange(len(whole))] = chance.choice(
            [0x00, 0x22, 0x5C, 0x7B, 0xC3, 0xED, 0xFF, chance.randrange(256)]
        )
    return bytes(whole[: chance.randint(1, len(whole))]).replace(b"\n", b" ")


def _tangled(chance: random.Random) -> bytes:
    """Threads that bite their own tail, and identities that come again."""
    number = chance.randrange(40)
    links = {
        name: str(chance.randrange(40))
        for name in ("reply_to", "repost_of", "quote_of", "root")
        if chance.random() < 0.5
    }
    op = chance.choice(["create", "create", "update", "delete", "counts"])
    return json.dumps(GOOD | {"id": str(number), "op": op, **links}).encode()


KINDS: tuple[Callable[[random.Random], bytes], ...] = (_trick, _mistyped, _timed, _nested, _torn, _tangled)


def _through(
    kinds: tuple[Callable[[random.Random], bytes], ...], documents: int, seed: int
) -> tuple[int, Counter[str]]:
    """Posts and rejections of so many hostile documents; the posts go through the walk."""
    chance = random.Random(seed)
    walk = Walk([EVENT], WordTagger())  # type: ignore[arg-type]
    posts, rejected = 0, Counter[str]()
    for begin in range(0, documents, 500):
        count = min(500, documents - begin)
        lines = b"\n".join(chance.choice(kinds)(chance) for _ in range(count))
        blank = sum(not line.strip() for line in lines.split(b"\n"))
        decoded = decode(lines, "hostile", SEEN)
        assert decoded.posts.height + decoded.rejected.total() == count - blank
        rejected += decoded.rejected
        posts += decoded.posts.height
        walked = walk(Batch(decoded.posts.sort(ORDER), upto=SEEN))
        assert walked.mentions.height <= decoded.posts.height
    assert set(rejected) <= set(REJECTIONS)
    return posts, rejected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__.strip("_"))
def test_hostile_documents_of_every_kind_are_posts_or_counted_rejections(
    kind: Callable[[random.Random], bytes],
) -> None:
    posts, rejected = _through((kind,), 150, seed=3)
    assert posts + rejected.total() > 0


@pytest.mark.prove
def test_ten_thousand_hostile_documents() -> None:
    posts, rejected = _through(KINDS, 10_000, seed=11)
    out = sys.stdout
    out.write(f"\n10,000 hostile documents: {posts:,} posts, {rejected.total():,} rejected, crashes 0   target 0\n")
    for reason, count in sorted(rejected.items()):
        out.write(f"  {reason:<16}{count:>7,}\n")
