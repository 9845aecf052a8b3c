"""A day of posts at 1,000 a second of event time, written as fast as a world's clock runs.

`python -m tests.rig.day FOLDER WORLD SECONDS`: appends a second's posts to FOLDER/feed.ndjson when that second is over,
and renames the file to feed.ndjson.NNNNN after each FILE seconds. One post in a hundred speaks of an event; three in
ten of the others answer posts that nobody knows. All is made from the post's number, so that whoever reads the books
knows what must be there.
"""

import json
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.clock import pause
from tests.rig.story import Texts, flood
from tests.rig.world import World, WorldClock

ASIDES, MENTIONS = 990, 10
"""Posts of a second."""
FILE = 300
"""Seconds that one file holds."""
FEED = "feed.ndjson"
EVENTS = 20
FLOODED = 720
"""Seconds for which one event is flooded; then the next one is."""
AUTHORS = 50_000
"""Of asides, and as many of mentions: a day suffices to know them all."""
_CLAIMS, _ANSWERS = 0.7, 0.1
_TEMPLATES, _WORDS, _LONG = 40, 4_000, 18
_MOMENT = 19
"""Characters of a time up to its second."""
_POST = (
    '{{"id":"n{0:012}","platform":"bluesky","author":"a{0:06}","created_at":"0000-00-00T00:00:00.{1:03}000Z",'
    '"text":"{2}"{3}}}\n'
)
_ANSWER = ',"reply_to":"n{0:012}"'

Places = npt.NDArray[np.int64]


class _Template(NamedTuple):
    """The asides of some second, and where in them stands what differs from one second to another."""

    text: npt.NDArray[np.uint8]
    ids: Places
    authors: Places
    moments: Places
    answered: Places
    who: npt.NDArray[np.int64]
    far: npt.NDArray[np.int64]
    """How many posts before itself each answer's post was said."""


def _template(chance: np.random.Generator, words: npt.NDArray[np.str_]) -> _Template:
    texts = [" ".join(row) for row in words[chance.integers(0, _WORDS, (ASIDES, _LONG))].tolist()]
    answers = chance.random(ASIDES) < 0.3
    lines = [
        _POST.format(0, place * 1000 // ASIDES, text, _ANSWER.format(0) if answers[place] else "").encode()
        for place, text in enumerate(texts)
    ]
    begins = np.cumsum([0, *(len(line) for line in lines[:-1])])

    def places(before: bytes, width: int, *, which: npt.NDArray[np.bool_] | None = None) -> Places:
        at = np.array([line.find(before) + len(before) for line in lines]) + begins
        found = at if which is None else at[which]
        return np.asarray(found[:, None] + np.arange(width), dtype=np.int64)

    return _Template(
        np.frombuffer(b"".join(lines), dtype=np.uint8),
        places(b'"id":"n', 12),
        places(b'"author":"a', 6),
        places(b'"created_at":"', _MOMENT),
        places(b'"reply_to":"n', 12, which=answers),
        chance.integers(0, AUTHORS, ASIDES),
        chance.integers(1, 5 * ASIDES, int(answers.sum())),
    )


def _digits(numbers: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.uint8]:
    return (numbers[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10 + ord("0")).astype(np.uint8)


class Day:
    """Makes the posts of any second after `begin`."""

    def __init__(self, begin: datetime, seed: int = 11) -> None:
        chance = np.random.default_rng(seed)
        letters = chance.integers(0, 26, (_WORDS, 7)) + ord("a")
        words = np.array([bytes(row).decode() for row in letters.astype(np.uint8)])
        self._templates = [_template(chance, words) for _ in range(_TEMPLATES)]
        self._texts = Texts(seed)
        self._begin = begin
        self._seed = seed

    def second(self, number: int) -> bytes:
        """NDJSON of the posts said in a second."""
        template = self._templates[number % _TEMPLATES]
        text = template.text.copy()
        at = (self._begin + timedelta(seconds=number)).isoformat()[:_MOMENT]
        ids = number * ASIDES + np.arange(ASIDES)
        text[template.ids] = _digits(ids, 12)
        text[template.authors] = _digits((template.who + number * 37) % AUTHORS, 6)
        text[template.moments] = np.frombuffer(at.encode(), dtype=np.uint8)
        text[template.answered] = _digits(np.maximum(number * ASIDES - template.far, 0), 12)
        return text.tobytes() + b"".join(self._mention(number, place, at) for place in range(MENTIONS))

    def _mention(self, second: int, place: int, at: str) -> bytes:
        number = second * MENTIONS + place
        chance = random.Random(self._seed << 40 | number)
        flooded = second // FLOODED % EVENTS
        event = flooded if chance.random() < _CLAIMS else chance.randrange(EVENTS)
        post = {
            "id": mention(number),
            "platform": "x",
            "author": f"m{chance.randrange(AUTHORS)}",
            "created_at": f"{at}.{place * 100:03}000Z",
        }
        if number > 1_000 and chance.random() < _ANSWERS:
            post |= {"text": "my cousin there says the same", "reply_to": mention(number - chance.randrange(1, 1_000))}
        elif event == flooded:
            post["text"] = flood(self._texts, [event], chance)[1]
        else:
            post["text"] = f"{self._texts.remark(event)} {chance.getrandbits(48):x}"
        return json.dumps(post, ensure_ascii=False).encode() + b"\n"


def mention(number: int) -> str:
    """The id of a mention."""
    return f"f{number:012}"


def write(folder: Path, day: Day, seconds: int, now: Callable[[], float]) -> None:
    """Writes each second once it is over; `now` in seconds since the begin."""
    feed = folder / FEED
    for first in range(0, seconds, FILE):
        with feed.open("ab", buffering=0) as file:
            for second in range(first, min(first + FILE, seconds)):
                body = day.second(second)
                while now() < second + 1:
                    pause(timedelta(milliseconds=2))
                file.write(body)
        if first + FILE < seconds:
            feed.rename(folder / f"{FEED}.{first // FILE:05}")


def _since(clock: WorldClock, begins: datetime) -> float:
    return (clock.now() - begins).total_seconds()


if __name__ == "__main__":
    where, file, length = sys.argv[1:]
    world = msgspec.json.decode(Path(file).read_bytes(), type=World)
    clock, begins = world.clock(), datetime.fromtimestamp(world.at, UTC)
    made = Day(begins)
    write(Path(where), made, int(length), partial(_since, clock, begins))
