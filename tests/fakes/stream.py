"""Streams of posts for tests of the whole walk: quiet chatter, then a claim that runs."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from monitor.frames import ORDER, POSTS
from monitor.watched import Duration, Event, Rules

BEGIN = datetime(2021, 9, 3, tzinfo=UTC)
EVENT = Event(
    name="fall",
    proposition="Bazarak has fallen",
    any=("bazarak",),
    people={"Saleh": ()},
    places={"Kabul": ()},
    rules=Rules(alert_on=("race",)),
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


BANK = Event(
    name="bank",
    proposition="The bank of Kabul fails",
    any=("bank",),
    rules=Rules(alert_on=("race", "spike"), keep_firing=Duration(minutes=5)),
)
_HOURS = 4
_LAGS = (-12, -5, -1, 0.5, 20, 300)
_CLAIMS = (
    *["bazarak has fallen"] * 4,
    "bazarak has fallen and the bank of the valley was looted before dawn they say",
    "17 killed in bazarak and the old town has fallen since the morning",
    "Saleh has fled from Kabul and his house has fallen to them tonight",
    "the bank of kabul has fallen and pays nobody since the morning they say",
)
_ANSWERS = {"reply": "reply_to", "repost": "repost_of", "quote": "quote_of"}
_KINDS = (*["claim"] * 6, "copy", "near", "denial", "reply", "reply", "repost", "quote", "change", "noise")


def feed(seed: int, *, size: int = 300, early: bool = True) -> pl.DataFrame:
    """All that a stream may hold: hours of chatter about two events, then `size` posts in half an hour.

    Claims, copies, near-copies, denials, answers before and after what they answer, edits, deletions and counts, on two
    platforms and from three sources that lag behind; no two posts are seen at the same time. `early`: answers may come
    before what they answer.
    """
    chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for begin in range(0, _HOURS * 3600, 180):
        text = f"thinking of {chance.choice(['bazarak', 'the bank', 'bazarak and the bank'])} {_word(chance)}"
        rows.append({"at": begin + chance.random() * 100, "text": text, "author": f"q{chance.randrange(50)}"})
    made: list[dict[str, Any]] = []
    for number in range(size):
        at = _HOURS * 3600 + chance.random() * 1800
        kind = chance.choice(_KINDS) if made else "claim"
        made_now = {"id": f"m{number}", "platform": chance.choice("xt")}
        row = made_now | _post(chance, kind, made, at, _LAGS if early else _LAGS[3:])
        rows.append(row)
        if kind != "change":
            made.append(row)
    return posts(*(_placed(chance, row) for row in rows))


def _post(
    chance: random.Random, kind: str, made: list[dict[str, Any]], at: float, lags: Sequence[float]
) -> dict[str, Any]:
    """One post of the half hour, or a change of one; mostly of those at about the same time."""
    about = min(chance.sample(made, min(8, len(made))), key=lambda other: abs(other["at"] - at), default={})
    near = (about.get("at", at) + chance.choice(lags)) + chance.random() * 0.4
    own = {"author": f"w{chance.randrange(120)}", "author_followers": chance.randrange(1000)}
    texts = {
        "copy": about.get("text"),
        "near": f"{about.get('text')} {_word(chance)}",
        "denial": f"that bazarak fell is a lie {_word(chance)} {_word(chance)}",
        "noise": f"nothing {_word(chance)}",
        "claim": f"{chance.choice(_CLAIMS)} {_word(chance)} {_word(chance)}",
    }
    if kind in _ANSWERS:
        said = "" if kind == "repost" else chance.choice(["source ?", "a lie", "gunfire in the air", "it has fallen"])
        return own | {"at": near, "text": said, _ANSWERS[kind]: about["id"], "platform": about["platform"]}
    if kind == "change":
        op = chance.choice(["update", "delete", "counts"])
        new = {"text": f"no: {_word(chance)} the bank"} if op == "update" else {"text": None}
        changed = {"id": about["id"], "platform": about["platform"], "op": op, "likes": chance.randrange(9)}
        return changed | new | {"at": about["at"] + chance.random() * 400}
    aims = {"reply_to": f"z{chance.randrange(20)}"} if kind == "noise" else {}
    return own | aims | {"at": near if kind in {"copy", "near"} else at, "text": texts[kind]}


def _placed(chance: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    """From one of three sources, posted a while before it was seen."""
    source = chance.choice(["s", "t", "u"])
    lag = {"s": 0.0, "t": 20.0, "u": 150.0}[source] * chance.random()
    at = max(row["at"], 0.0) + chance.random() * 1e-3
    return row | {"at": at, "source": source, "posted_at": BEGIN + timedelta(seconds=at - lag)}


def _word(chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghij", k=8))
