"""Observations of what comes with a post rather than stands in it: its language, and which kind of voice says it.

Both may be unknown, and mostly are for the voice: nothing is observed then. A language without a column of its own is
`another`, so that the model has met languages it has no column for; in training a share of all posts is left without
one (`fit`).
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["ORIGIN_FEATURES", "SURE", "UNKNOWN", "VOICES", "Origin", "nobody", "origin_features"]

UNKNOWN: Final = "und"
VOICES: Final = ("party", "official", "wire", "fact-checker")
"""The kinds of registered voice (`monitor.watched.VoiceKind`)."""
SURE: Final = 20
"""What certainty of a language is stored as."""
_LANGUAGES: Final = (
    "en", "fa", "ar", "ur", "ps", "zh", "ru", "uk", "es", "fr", "de", "pt", "tr", "hi", "id",
    "fa-Latn", "ar-Latn", "ps-Latn", "ur-Latn",
)  # fmt: skip
"""Those with at least 150 written posts."""
ORIGIN_FEATURES: Final = (
    *(f"language:{name}" for name in _LANGUAGES),
    "language:another",
    "language:sure",
    *(f"voice:{kind}" for kind in VOICES),
)


class Origin(NamedTuple):
    """What comes with (n,) posts."""

    languages: pl.Series
    """BCP 47, `und` where unknown."""
    sure: npt.NDArray[np.uint8]
    """How certain that is, in units of 1 / `SURE`; 0 where it is unknown."""
    voices: pl.Series | None = None
    """One of `VOICES`, null for anybody else."""

    def part(self, begin: int, end: int) -> "Origin":
        """That of some posts in a row."""
        voices = None if self.voices is None else self.voices[begin:end]
        return Origin(self.languages[begin:end], self.sure[begin:end], voices)

    def of(self, rows: npt.NDArray[np.int64]) -> "Origin":
        """That of the posts at some places."""
        return Origin(self.languages[rows], self.sure[rows], None if self.voices is None else self.voices[rows])


def nobody(count: int) -> Origin:
    """The origin of posts of which nothing but their text is known."""
    return Origin(pl.Series([UNKNOWN] * count, dtype=pl.String), np.zeros(count, dtype=np.uint8))


def origin_features(origin: Origin) -> npt.NDArray[np.uint8]:
    """(n, len(ORIGIN_FEATURES)): 0 or 1, but for how sure the language is, in units of 1 / `SURE`."""
    place = {name: at for at, name in enumerate((*_LANGUAGES, "another", UNKNOWN))}
    spoken = [place.get(name, len(_LANGUAGES)) for name in origin.languages.to_list()]
    kinds = {kind: at for at, kind in enumerate(VOICES)}
    told = [""] * len(spoken) if origin.voices is None else origin.voices.to_list()
    said = [kinds.get(kind or "", len(VOICES)) for kind in told]
    columns = (
        np.eye(len(place), len(place) - 1, dtype=np.uint8)[spoken],
        origin.sure[:, None],
        np.eye(len(VOICES) + 1, len(VOICES), dtype=np.uint8)[said],
    )
    return np.concatenate(columns, axis=1)
