"""Streams to measure on: demo-like ones, and ones in which one post in a hundred matches."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from monitor.demo.recording import write_ndjson
from monitor.demo.scenario import generate

STORY = timedelta(days=5)
WORDS = 4_000
LONG = 18
"""Words of a post that is about something else."""


def repeated(path: Path, posts: int) -> Path:
    """`posts` posts: the seed story from several seeds, one after the other, with ids of their own."""
    seeds = [generate("panjshir", seed) for seed in range(1, min(4, 1 + posts // 30_000) + 1)]
    parts: list[pl.DataFrame] = []
    total = 0
    while total < posts:
        number = len(parts)
        part = seeds[number % len(seeds)]
        links = ("id", "reply_to", "repost_of", "quote_of", "root", "author")
        shifted = part.with_columns(
            *(pl.concat_str(pl.col(name), pl.lit(f"-{number}")).alias(name) for name in links),
            *((pl.col(name) + STORY * number).alias(name) for name in ("created_at", "seen_at")),
        )
        parts.append(shifted)
        total += shifted.height
    write_ndjson(pl.concat(parts).head(posts), path)
    return path


def one_in_a_hundred(path: Path, posts: int) -> Path:
    """`posts` posts of which one in a hundred is of the seed story; the others are about something else."""
    rng = np.random.default_rng(7)
    story = generate("panjshir", 1).head(posts // 100)
    vocabulary = np.array(["".join(chr(97 + letter) for letter in rng.integers(0, 26, 7)) for _ in range(WORDS)])
    other = posts - story.height
    texts = [" ".join(row) for row in vocabulary[rng.integers(0, WORDS, (other, LONG))].tolist()]
    begin, end = (int(time.timestamp() * 1e6) for time in (story["seen_at"][0], story["seen_at"][-1]))
    times = pl.Series("seen_at", np.sort(rng.integers(begin, end, other))).cast(story.schema["seen_at"])
    noise = pl.DataFrame(
        {
            "id": [f"n{number}" for number in range(other)],
            "text": texts,
            "author": [f"a{number}" for number in rng.integers(0, 50_000, other)],
            "reply_to": [f"n{number}" if chance < 0.3 else None for number, chance in enumerate(rng.random(other))],
        }
    ).with_columns(times, created_at=times, platform=pl.lit("bluesky"), op=pl.lit("create"))
    write_ndjson(pl.concat([story, noise], how="diagonal").sort("seen_at", "platform", "id"), path)
    return path
