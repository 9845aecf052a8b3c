"""Measures the speed of an artifact, its load time and the memory it takes."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from classifiers.artifact import load
from classifiers.languages import load_languages
from classifiers.reading import Watched
from classifiers.tables import table

__all__ = ["posts_per_second", "speed"]

_POSTS: Final = 4_096 * 8
_LOAD: Final = """
import re, sys, time
from pathlib import Path
import classifiers.artifact

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1))

before, begin = peak(), time.process_time()
classifiers.artifact.load(sys.argv[1])
print(time.process_time() - begin, peak(), before)
"""


def posts_per_second(model: Path, examples: pl.DataFrame, size: int, count: int, *, known: bool = True) -> float:
    """Posts per second of processor time in batches of `size`, median of `count`; every parent and root another.

    `known`: their language is identified first, as the daemon does.
    """
    tagger, languages = load(model), load_languages()
    times = -(-_POSTS // len(examples))
    chosen = examples.select("text", "parent", "root", "answer", "names", "wordings")
    posts = pl.concat([chosen] * times).sample(_POSTS, seed=1)
    taken = []
    for place in range(count):
        part = posts.slice(place * size % (_POSTS - size + 1), size)
        begin = time.process_time()
        origin = languages.origin(part["text"]) if known else None
        asked = part["text"], part["parent"], part["root"], part["answer"]
        watched = Watched(part["names"], part["wordings"])
        tagger.decide(tagger.probabilities(*asked, origin=origin, watched=watched))
        taken.append(time.process_time() - begin)
    return size / float(np.median(taken))


def load_cost(model: Path) -> tuple[float, float, float]:
    """Seconds to load an artifact in a fresh process, MB at its peak, MB before; the libraries are loaded already."""
    run = [sys.executable, "-c", _LOAD, str(model)]
    found = subprocess.run(run, check=True, capture_output=True, text=True)  # noqa: S603 - our own program
    seconds, after, before = (float(each) for each in found.stdout.split())
    return seconds, after / 1024, before / 1024


def speed(model: Path, examples: pl.DataFrame) -> str:
    """The table of speeds, load time and memory."""
    rows = [
        [
            f"posts/s at batch {size:,} (median){'' if known else ', without their language'}",
            target,
            f"{posts_per_second(model, examples, size, count, known=known):,.0f}",
        ]
        for known in (True, False)
        for size, count, target in ((4096, 8, "25,000; aim 100,000"), (64, 128, "10,000; aim 40,000"))
    ]
    seconds, after, before = load_cost(model)
    rows.append(["load time, s of processor time", "0.5", f"{seconds:.2f}"])
    rows.append(["memory of a process that loaded it, MB", "150", f"{after:.0f} ({before:.0f} before loading)"])
    rows.append(["artifact, MB", "5", f"{model.stat().st_size / 1e6:.1f}"])
    return "## Speed, everything on, every parent another\n\n" + table(["figure", "target", "measured"], rows)
