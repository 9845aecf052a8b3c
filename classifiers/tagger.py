"""The tagger: probabilities of the five tags for posts and what they answer, and the tag they come to."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from classifiers.features import Features
from classifiers.figures import Confusion
from classifiers.model import NOTHING_SAID, Matrix, Model
from classifiers.origin import Origin
from classifiers.quotes import quotes
from classifiers.rates import Rates
from classifiers.reading import Bools, Posts, Watched, flags, has, posts
from classifiers.tags import TAGS, Tag

__all__ = ["REASONS", "Tagger", "Told"]

_CHUNK: Final = 4_096
_NAMES: Final = [tag.value for tag in TAGS]
_TAG: Final = pl.Enum(_NAMES)
REASONS: Final = ("", "nothing read", "unsure")
"""Why a post is `other` although nothing was read that makes it so; "" for every other post."""


class Told(NamedTuple):
    """What is read in (n,) posts."""

    probabilities: Matrix
    """(n, 5) in the order of TAGS, rounded to 1e-4, the same in every batch."""
    attributed: Bools
    """Whether a post says who says so, by the lexicon's cues."""


class Tagger:
    """Tags posts; made by `classifiers.artifact.load`."""

    def __init__(
        self, features: Features, model: Model, confusion: Confusion, languages: Mapping[str, Rates] | None = None
    ) -> None:
        self.confusion = confusion
        """Counts from held-out whole events: rows the true tag, columns the given one."""
        self.languages: Mapping[str, Rates] = languages or {}
        """The same per language, as rates with intervals; `all` is all of them."""
        self.features = features
        self.model = model

    def probabilities(
        self,
        texts: pl.Series,
        parents: pl.Series,
        roots: pl.Series | None = None,
        answers: pl.Series | None = None,
        *,
        origin: Origin | None = None,
        watched: Watched | None = None,
    ) -> Matrix:
        """(n, 5) in the order of TAGS, rounded to 1e-4, the same in every batch; what `read` gives of them."""
        return self.read(texts, parents, roots, answers, origin=origin, watched=watched).probabilities

    def read(
        self,
        texts: pl.Series,
        parents: pl.Series,
        roots: pl.Series | None = None,
        answers: pl.Series | None = None,
        *,
        origin: Origin | None = None,
        watched: Watched | None = None,
    ) -> Told:
        """What is read in posts.

        `parents` is the text answered, or for an original the event's proposition, "" or null where there is neither;
        `roots` the text that began the thread; `answers` whether a post answers another one (default: has a parent);
        `origin` their languages and voices, `watched` names and wordings of their events (default: unknown).
        """
        batch = posts(texts, parents, roots, answers, origin, watched=watched)
        chunks = [self._chunk(batch.part(begin, _CHUNK)) for begin in range(0, len(texts), _CHUNK)]
        if not chunks:
            return Told(np.zeros((0, len(TAGS))), np.zeros(0, dtype=np.bool_))
        return Told(*(np.concatenate(part) for part in zip(*chunks, strict=True)))

    def quotes(self, texts: pl.Series, tags: Sequence[Tag]) -> pl.Series:
        """The words of each text that speak for its tag, in one line; null where the lexicon knows none."""
        return quotes(self.features.cues, texts, tags)

    def decide(self, probabilities: Matrix, answers: pl.Series | None = None) -> pl.Series:
        """The tag of each row of (n, 5) probabilities, as an Enum column; the first of equals.

        `answers`: which posts answer another one, by default all; originals are claims less readily, since most of them
        are about something else.
        """
        given, _ = self.model.given(probabilities, _answers(answers, len(probabilities)))
        return pl.Series("tag", [_NAMES[tag] for tag in given.tolist()], dtype=_TAG)

    def reasons(self, probabilities: Matrix, answers: pl.Series | None = None) -> pl.Series:
        """Why each row is `other` although no tag was read; one of `REASONS`."""
        _, unsure = self.model.given(probabilities, _answers(answers, len(probabilities)))
        silent = (probabilities == NOTHING_SAID).all(axis=1)
        which = np.where(silent, 1, np.where(unsure, 2, 0))
        return pl.Series("reason", np.array(REASONS)[which].tolist(), dtype=pl.String)

    def _chunk(self, batch: Posts) -> Told:
        seen = self.features.see(batch)
        probabilities = self.model.probabilities(seen.observed, seen.hashed, batch.origin.languages.to_list())
        probabilities[seen.silent] = NOTHING_SAID
        attributed = has(seen.view.row_marks, "attribution")
        return Told(np.asarray(np.round(probabilities, 4), dtype=np.float64), attributed)


def _answers(answers: pl.Series | None, count: int) -> Bools:
    return np.ones(count, dtype=np.bool_) if answers is None else flags(answers)
