"""Says which language a post is written in, Latin-script Dari, Urdu, Hindi and Arabic included.

Naive Bayes over hashed runs of one to three characters, all languages equally likely; links, handles and hashtags are
not read. The model is `model/languages.npz`, written by `python -m classifiers.languages_train`.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from classifiers.artifact import ArtifactError, arrays_of
from classifiers.characters import characters
from classifiers.origin import SURE, UNKNOWN, Origin
from classifiers.said import links
from classifiers.text import ROW, Codes, joined, single_spaced

__all__ = ["UNKNOWN", "Languages", "load_languages", "runs"]

FORMAT: Final = "virality-languages/2"
BITS: Final = 14
_MOST_CHARACTERS: Final = 80
"""So that no score, in whole numbers, leaves 16 bits."""
_SURE: Final = 0.5
_LEAST: Final = 3
"""Characters below which nothing is said."""
_LONGEST: Final = 3
_RADIX: Final = np.uint64(0x9E3779B97F4A7C15)
_SPREAD: Final = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT: Final = np.uint64(64 - BITS)
_SPACE: Final = np.uint32(ord(" "))
_MARK: Final = np.uint32(1)
_EDGE: Final = np.uint32(ord(ROW))


class Languages(NamedTuple):
    """A model that identifies languages."""

    names: tuple[str, ...]
    """BCP 47; a transliteration carries its script (fa-Latn)."""
    weights: npt.NDArray[np.int16]
    """(2^BITS, names) logarithms of how likely a run is in a language, against the mean one, in units of `scale`."""
    scale: float

    def identify(self, texts: pl.Series) -> pl.Series:
        """The language of each text, `und` where that cannot be said."""
        return self.origin(texts).languages

    def origin(self, texts: pl.Series, voices: pl.Series | None = None) -> Origin:
        """The language of each text and how sure it is, beside the kinds of voice as they are given."""
        found = runs(texts)
        scores = np.asarray(found @ self.weights, dtype=np.float64) * self.scale
        powers = np.exp(scores - scores.max(axis=1, keepdims=True, initial=0.0))
        share = powers.max(axis=1, initial=0.0) / np.maximum(powers.sum(axis=1), 1e-300)
        known = (share >= _SURE) & (np.diff(found.indptr) >= _LEAST)
        best = np.where(known, scores.argmax(axis=1), len(self.names)).tolist()
        names = (*self.names, UNKNOWN)
        languages = pl.Series("language", [names[place] for place in best], dtype=pl.String)
        return Origin(languages, np.where(known, np.rint(share * SURE), 0).astype(np.uint8), voices)


def runs(texts: pl.Series) -> sparse.csr_array:
    """(n, 2^BITS) the hashed runs of one to three characters of each text, one entry each time a run occurs."""
    points = _plain(texts)
    edge = points == _EDGE
    space = edge | (points == _SPACE)
    letters = np.where(edge, _SPACE, points).astype(np.uint64)
    running = np.zeros_like(letters)
    buckets = np.zeros((len(points), _LONGEST), dtype=np.int32)
    there = np.zeros((len(points), _LONGEST), dtype=np.bool_)
    for size in range(1, min(_LONGEST, len(points)) + 1):
        last = slice(size - 1, None)
        running = running[: len(points) - size + 1] * _RADIX + letters[last]
        kept = len(running)
        buckets[:kept, size - 1] = (running * _SPREAD) >> _SHIFT
        there[:kept, size - 1] = ~(space[:kept] & space[last])
    there[1:-1, _LONGEST - 1] &= ~edge[2:]
    there[:-2, _LONGEST - 1] &= ~edge[1:-1]
    each = np.bincount(np.cumsum(edge) - 1, weights=there.sum(axis=1), minlength=len(texts))[: len(texts)]
    starts = np.append(0, np.cumsum(each)).astype(np.int32)
    ones = np.ones(int(starts[-1]), dtype=np.int16)
    return sparse.csr_array((ones, buckets[there], starts), shape=(len(texts), 1 << BITS))


def _plain(texts: pl.Series) -> Codes:
    """What is read of each text, in lower case and singly spaced; `_EDGE` before the first and after every text."""
    begun = [text[: 2 * _MOST_CHARACTERS] if text else "" for text in texts.to_list()]
    raw = np.frombuffer(joined(begun).encode("utf-32-le"), dtype="<u4")
    points = _letters().take(raw)
    unread = np.append(np.flatnonzero((raw == ord("@")) | (raw == ord("#"))), links(raw)[:, 0])
    if unread.size:
        stops = np.append(np.flatnonzero((points == _SPACE) | (points == _EDGE)), len(points))
        for begin, end in zip(unread.tolist(), stops[np.searchsorted(stops, unread)].tolist(), strict=True):
            points[begin:end] = _SPACE
    points[points == _MARK] = _SPACE
    edge = np.full(1, _EDGE)
    points = np.concatenate((edge, single_spaced(points), edge))
    edges = np.flatnonzero(points == _EDGE)
    lengths = np.diff(edges)
    if lengths.max(initial=0) > _MOST_CHARACTERS + 1:
        places = np.arange(len(points) - 1) - np.repeat(edges[:-1], lengths)
        points = points[np.append(places <= _MOST_CHARACTERS, True)]
    return points


@cache
def _letters() -> Codes:
    """(0x110000,) what is read for each code point: letters in lower case, white space, any other sign."""
    table = np.full(0x11_0000, _MARK)
    for points, signs in characters():
        small = str(signs.str.to_lowercase().str.slice(0, 1).str.join("").item())
        letter, blank = (signs.str.contains(pattern).to_numpy() for pattern in (r"^[\p{L}\p{M}']$", r"^\s$"))
        lower = np.frombuffer(small.encode("utf-32-le"), dtype="<u4")
        table[points] = np.where(letter, lower, np.where(blank, _SPACE, _MARK))
    table[ord(ROW)] = _EDGE
    table.setflags(write=False)
    return table


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
    return Languages(names, np.ascontiguousarray(arrays["weights"], dtype=np.int16), float(arrays["scale"]))
