"""Says why a post got its tag: which words, and what it answers, pulled it there.

Each word, and the parent, is left out in turn and the post read again; how much less likely its tag becomes is that
word's pull. So the answer holds for words and trees alike and needs nothing but the tagger. It costs one reading per
word: for people who ask, not for every post.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.cues import CUES
from classifiers.origin import Origin
from classifiers.reading import Watched
from classifiers.said import said_words
from classifiers.tagger import Tagger
from classifiers.tags import TAGS, Tag

__all__ = ["Pull", "Why", "explain", "sentence"]

_WORD: Final = re.compile(r"https?://\S+|[^\W_]+(?:['’][^\W_]+)*|[?!؟？]+|[\u2600-\u27bf\U0001f300-\U0001faff]+")
_MOST_WORDS: Final = 40
_MOST_PULLS: Final = 3
_LEAST: Final = 0.1
_SMALLEST: Final = 5e-5


class Pull(NamedTuple):
    """Something that pulled a post to its tag."""

    what: str
    """The words as they stand in the post; "" for what it answers."""
    by: float
    """Natural logarithm of how many times more likely the tag is with it than without."""
    cues: tuple[str, ...]
    """What the lexicon knows it as."""


class Why(NamedTuple):
    """Why a post got its tag."""

    tag: str
    probability: float
    reason: str
    """One of `classifiers.tagger.REASONS`."""
    pulls: tuple[Pull, ...]
    """Strongest first."""


def explain(
    tagger: Tagger,
    texts: pl.Series,
    parents: pl.Series,
    roots: pl.Series | None = None,
    answers: pl.Series | None = None,
    *,
    origin: Origin | None = None,
    watched: Watched | None = None,
) -> list[Why]:
    """Why each post gets its tag; the arguments are those of `Tagger.read`."""
    answered = parents.fill_null("") != "" if answers is None else answers.fill_null(value=False)
    probabilities = tagger.probabilities(texts, parents, roots, answered, origin=origin, watched=watched)
    tags = tagger.decide(probabilities, answered).to_list()
    reasons = tagger.reasons(probabilities, answered).to_list()
    told = [text or "" for text in texts.to_list()]
    spans = [[match.span() for match in _WORD.finditer(text)][:_MOST_WORDS] for text in told]
    variants = [_variants(text, found) for text, found in zip(told, spans, strict=True)]
    rows = np.repeat(np.arange(len(told)), [len(each) for each in variants])
    whole = pl.DataFrame(
        {
            "parent": parents.fill_null(""),
            "root": pl.Series([""] * len(told)) if roots is None else roots.fill_null(""),
            "answer": answered,
        },
        schema={"parent": pl.String, "root": pl.String, "answer": pl.Boolean},
    )[rows]
    last = np.append(rows[1:] != rows[:-1], True) if len(rows) else np.zeros(0, dtype=np.bool_)
    parent = pl.when(pl.Series(last)).then(pl.lit("")).otherwise("parent")
    asked = whole.with_columns(parent.alias("parent"))
    without = tagger.probabilities(
        pl.Series([text for each in variants for text in each], dtype=pl.String),
        asked["parent"],
        asked["root"],
        asked["answer"],
        origin=None if origin is None else origin.of(rows),
        watched=None if watched is None else watched.of(rows),
    )
    place = np.array([TAGS.index(Tag(tag)) for tag in tags], dtype=np.int64)
    full = probabilities[np.arange(len(told)), place]
    by = np.log(np.maximum(full[rows], _SMALLEST)) - np.log(
        np.maximum(without[np.arange(len(rows)), place[rows]], _SMALLEST)
    )
    starts = np.append(0, np.cumsum([len(each) for each in variants]))
    return [
        Why(tag, round(float(full[row]), 4), reason, _pulls(tagger, told[row], spans[row], by[starts[row] :]))
        for row, (tag, reason) in enumerate(zip(tags, reasons, strict=True))
    ]


def sentence(why: Why) -> str:
    """One line: the tag, its probability and what pulled the post there."""
    begin = f"{why.tag} {why.probability:.2f}"
    if why.reason:
        begin += f" ({why.reason})"
    told = []
    for pull in why.pulls:
        what = f"“{pull.what}”" if pull.what else "what it is read against"
        kind = f", {'/'.join(pull.cues)}" if pull.cues else ""
        told.append(f"{what} +{pull.by:.1f}{kind}")
    return f"{begin}: {'; '.join(told)}" if told else begin


def _variants(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """The text without each word in turn, and last the whole text, to be read without its parent."""
    return [*(f"{text[:begin]} {text[end:]}" for begin, end in spans), text]


def _pulls(
    tagger: Tagger, text: str, spans: Sequence[tuple[int, int]], by: npt.NDArray[np.float64]
) -> tuple[Pull, ...]:
    order = np.argsort(-by[: len(spans) + 1], kind="stable")[:_MOST_PULLS].tolist()
    strong = [place for place in order if by[place] >= _LEAST]
    found = [text[slice(*spans[place])] if place < len(spans) else "" for place in strong]
    return tuple(
        Pull(what, round(float(by[place]), 2), _cues(tagger, what)) for what, place in zip(found, strong, strict=True)
    )


def _cues(tagger: Tagger, what: str) -> tuple[str, ...]:
    """The cues that begin at a word of `what` standing alone."""
    marks = tagger.features.cues.find(said_words([what]))
    joined = int(np.bitwise_or.reduce(marks)) if len(marks) else 0
    return tuple(cue for place, cue in enumerate(CUES) if joined >> place & 1)
