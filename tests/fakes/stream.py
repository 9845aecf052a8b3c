"""Streams of posts for tests of the whole walk: quiet chatter, then a claim that runs."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from monitor.frames import ORDER, POSTS
from monitor.records import Event

BEGIN = datetime(2021, 9, 3, tzinfo=UTC)
EVENT = Event(
    name="fall", proposition="Bazarak has fallen", any=("bazarak",), people={"Saleh": ()}, places={"Kabul": ()}
)


def posts(*rows: dict[str, Any]) -> pl.DataFrame:
    """POSTS in ORDER; a row needs `at` (seconds after BEGIN) and `text`."""
    documents = []
    for number, row in enumerate(rows):
        at = BEGIN + timedelta(seconds=row["at"])
        plain = {"source": "s", "platform": "x", "id": f"p{number}", "op": "create", "posted_at": at, "seen_at": at}
        documents.append(
            {name: (plain | row).get(name) for name in POSTS} | {"author": row.get("author", f"a{number}")}
        )
    return pl.DataFrame(documents, schema=POSTS).sort(ORDER)


def story(seed: int, *, claims: int = 60, denials: int = 6, chatter_hours: int = 6) -> pl.DataFrame:
    """Chatter of one post in two minutes, then in half an hour `claims` claims and `denials` denials, with answers."""
    chance = random.Random(seed)
    start = chatter_hours * 3600
    rows: list[dict[str, Any]] = [
        {"at": at + chance.random() * 60, "text": f"thinking of bazarak {_word(chance)}"} for at in range(0, start, 120)
    ]
    for side, count, word in (("claim", claims, "bazarak has fallen"), ("denial", denials, "bazarak that is a lie")):
        for number in range(count):
            text = f"{word} {side} {_word(chance)} {_word(chance)}"
            at = start + chance.random() * 1800
            identity = f"{side}{number}"
            rows.append({"at": at, "text": text, "id": identity})
            for answer in range(chance.randrange(4)):
                kind = chance.choice(["reply_to", "repost_of", "quote_of"])
                reply = {"reply_to": "source ?", "repost_of": "", "quote_of": "gunfire in the air"}[kind]
                late = at + chance.random() * 600 - 5
                rows.append({"at": late, "text": reply, kind: identity, "id": f"{identity}-{answer}"})
    rows.append({"at": start + 900, "id": "claim0", "op": "delete", "text": None})
    return posts(*rows)


def _word(chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghij", k=8))
