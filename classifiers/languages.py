"""Says which language a post is written in, Latin-script Dari, Urdu, Hindi and Arabic included.

Naive Bayes over hashed runs of one to three characters, all languages equally likely; links, handles and hashtags are
not read. The model is `model/languages.npz`, written by `python -m classifiers.languages_train`.
"""

from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from classifiers.artifact import ArtifactError, arrays_of
from classifiers.hashing import mix

__all__ = ["UNKNOWN", "Languages", "load_languages", "runs"]

UNKNOWN: Final = "und"
FORMAT: Final = "virality-languages/1"
BITS: Final = 15
_MOST_CHARACTERS: Final = 120
_SURE: Final = 0.5
_LEAST: Final = 3
"""Characters below which nothing is said."""
_UNREAD: Final = r"https?://\S+|www\.\S+|[@#]\S+|&\w+;|\bRT\b"
_MARKS: Final = r"[^\p{L}\p{M}']+"
_LONGEST: Final = 3
_RADIX: Final = np.uint64(0x9E3779B97F4A7C15)


class Languages(NamedTuple):
    """A model that identifies languages."""

    names: tuple[str, ...]
    """BCP 47; a transliteration carries its script (fa-Latn)."""
    weights: npt.NDArray[np.float32]
    """(2^BITS, names) logarithms of how likely a run is in a language, against the mean language."""

    def identify(self, texts: pl.Series) -> pl.Series:
        """The language of each text, `und` where that cannot be said."""
        found = runs(texts)
        scores = np.asarray(found @ self.weights, dtype=np.float64)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True, initial=0.0))
        sure = powers.max(axis=1, initial=0.0) / np.maximum(powers.sum(axis=1), 1e-300) >= _SURE
        enough = np.diff(found.indptr) >= _LEAST
        best = np.where(sure & enough, scores.argmax(axis=1), len(self.names))
        return pl.Series("language", np.array([*self.names, UNKNOWN])[best].tolist(), dtype=pl.String)


def runs(texts: pl.Series) -> sparse.csr_array:
    """(n, 2^BITS) the hashed runs of one to three characters of each text, one entry each time a run occurs."""
    plain = (
        pl.col("text")
        .fill_null("")
        .str.slice(0, 2 * _MOST_CHARACTERS)
        .str.replace_all(_UNREAD, " ")
        .str.replace_all(_MARKS, " ")
        .str.to_lowercase()
        .str.strip_chars()
        .str.slice(0, _MOST_CHARACTERS)
    )
    padded = texts.alias("text").to_frame().select_seq(" " + plain + " ").to_series()
    counts = padded.str.len_chars().to_numpy().astype(np.int64)
    joined = str(padded.str.join("").item()) if len(texts) else ""
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    row = np.repeat(np.arange(len(counts)), counts)
    space = points == ord(" ")
    buckets = np.zeros((len(points), _LONGEST), dtype=np.int32)
    there = np.zeros((len(points), _LONGEST), dtype=np.bool_)
    running = np.zeros_like(points)
    for size in range(1, min(_LONGEST, len(points)) + 1):
        last = slice(size - 1, None)
        running = running[: len(points) - size + 1] * _RADIX + points[last]
        kept = len(running)
        buckets[:kept, size - 1] = (mix(running ^ np.uint64(size)) & np.uint64((1 << BITS) - 1)).astype(np.int32)
        there[:kept, size - 1] = (row[:kept] == row[last]) & ~(space[:kept] & space[last])
    each = np.bincount(row, weights=there.sum(axis=1), minlength=len(counts)).astype(np.int32)
    starts = np.append(0, np.cumsum(each)).astype(np.int32)
    ones = np.ones(int(starts[-1]), dtype=np.float32)
    return sparse.csr_array((ones, buckets[there], starts), shape=(len(counts), 1 << BITS))


def load_languages(path: Path | None = None) -> Languages:
    """The model in a file, by default the one that ships; raises ArtifactError."""
    chosen = Path(str(resources.files("classifiers").joinpath("model", "languages.npz"))) if path is None else path
    arrays = arrays_of(chosen, ("format", "names", "weights", "scale"))
    names = tuple(str(arrays["names"].tobytes(), "utf-8").split("\n"))
    told = str(arrays["format"].tobytes(), "utf-8")
    if told != FORMAT or arrays["weights"].shape != (1 << BITS, len(names)):
        why = (
            f"the language model {chosen} has format {told!r} and {len(names)} languages, this program reads {FORMAT!r}"
        )
        raise ArtifactError(why)
    weights = arrays["weights"].astype(np.float32) * np.float32(arrays["scale"])
    return Languages(names, weights)
