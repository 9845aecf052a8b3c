"""The trained tagger as a file: arrays and a JSON header in one .npz, never a pickle.

The header names the hash, the lexicon and the feature settings the model was trained with, and holds a check: texts
written by us with the probabilities they must get. A file that does not give them here is refused.
"""

import json
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import polars as pl

from classifiers.cues import lexicon_text
from classifiers.features import Features, FeatureSettings
from classifiers.figures import Confusion
from classifiers.hashing import HASH_NAME, word_hash
from classifiers.tagger import Linear, Tagger
from classifiers.tags import TAGS

__all__ = ["CHECK_PAIRS", "FORMAT", "ArtifactError", "Trained", "load", "save"]

FORMAT: Final = "virality-tagger/1"
_TOLERANCE: Final = 2e-4
_CHECK_WORDS: Final = ("false", "دروغ", "謠")

CHECK_PAIRS: Final = (
    ("The bridge is closed, the mayor has confirmed it", "The bridge is closed"),
    ("That is a lie, I am standing on the bridge", "The bridge is closed"),
    ("source?", "The bridge is closed"),
    ("Fireworks and dancing on the bridge tonight", "The bridge is closed"),
    ("what a lovely old bridge", ""),
    ("پل بسته نیست، این خبر دروغ است", "پل بسته شد"),
    ("آیا پل بسته شده؟", "پل بسته شد"),
    ("پل بند ہونے کی خبر جھوٹی ہے", "پل بند ہو گیا"),
    ("الجسر مغلق رسميا", ""),
    ("pul band nahi hai, jhoot hai", "pul band ho gaya"),
    ("🎉🎉", ""),
    ("", ""),
)
"""Texts written by us, each with what it is read against."""


class ArtifactError(Exception):
    """A model file that cannot be used; the message says why and what to do."""


class _Header(msgspec.Struct, frozen=True):
    """What the JSON header of an artifact holds."""

    format: str
    hash: str
    word_hashes: list[int]
    lexicon: str
    settings: dict[str, Any]
    tags: list[str]
    temperature: float
    offsets: list[float]
    confusion: list[list[int]]
    check: list[list[float]]
    versions: dict[str, str]
    trained_on: dict[str, dict[str, int]]
    seed: int


class Trained(NamedTuple):
    """What training makes."""

    settings: FeatureSettings
    model: Linear
    confusion: Confusion
    trained_on: dict[str, dict[str, int]]
    """Posts per tag of every set used."""
    seed: int


def save(path: Path, trained: Trained, features: Features) -> None:
    """Writes the artifact; the same model gives the same bytes."""
    tagger = Tagger(features, trained.model, trained.confusion)
    header = _Header(
        format=FORMAT,
        hash=HASH_NAME,
        word_hashes=[word_hash(word) for word in _CHECK_WORDS],
        lexicon=features.cues.fingerprint,
        settings=trained.settings._asdict(),
        tags=[tag.value for tag in TAGS],
        temperature=trained.model.temperature,
        offsets=trained.model.offsets.tolist(),
        confusion=trained.confusion.counts.tolist(),
        check=_check(tagger).tolist(),
        versions={name: version(name) for name in ("numpy", "polars", "scipy", "scikit-learn")},
        trained_on=trained.trained_on,
        seed=trained.seed,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(msgspec.to_builtins(header), sort_keys=True).encode()
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            header=np.frombuffer(text, dtype=np.uint8),
            weights=trained.model.weights.astype(np.float16),
            bias=trained.model.bias,
        )


def load(path: Path | str) -> Tagger:
    """The tagger in a file; raises ArtifactError."""
    path = Path(path)
    header, weights, bias = _read(path)
    _refuse_foreign(path, header)
    settings = FeatureSettings(**header.settings)
    features = Features(lexicon_text(), settings)
    if features.cues.fingerprint != header.lexicon or weights.shape != (features.size, len(TAGS)):
        raise ArtifactError(_again(path, "was trained with another lexicon or other features than these"))
    model = Linear(weights.astype(np.float64), bias.astype(np.float64), header.temperature, np.array(header.offsets))
    tagger = Tagger(features, model, Confusion(np.array(header.confusion, dtype=np.int64)))
    if not np.allclose(_check(tagger), np.array(header.check), rtol=0, atol=_TOLERANCE):
        raise ArtifactError(_again(path, "does not give the probabilities its check vector asks for"))
    return tagger


def read_header(path: Path | str) -> dict[str, Any]:
    """The header of an artifact, for people to read; raises ArtifactError."""
    header: dict[str, Any] = msgspec.to_builtins(_read(Path(path))[0])
    return header


def _read(path: Path) -> tuple[_Header, Any, Any]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            text, weights, bias = arrays["header"].tobytes(), arrays["weights"], arrays["bias"]
        header = msgspec.json.decode(text, type=_Header)
    except FileNotFoundError as error:
        raise ArtifactError(_again(path, "does not exist")) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ArtifactError(_again(path, f"cannot be read or is damaged ({error})")) from error
    except (ValueError, KeyError, TypeError, NotImplementedError, IndexError, AttributeError) as error:
        raise ArtifactError(_again(path, f"is no tagger artifact ({error})")) from error
    return header, weights, bias


def _refuse_foreign(path: Path, header: _Header) -> None:
    if header.format != FORMAT:
        raise ArtifactError(_again(path, f"has format {header.format!r}, this program reads {FORMAT!r}"))
    if header.hash != HASH_NAME or header.word_hashes != [word_hash(word) for word in _CHECK_WORDS]:
        raise ArtifactError(_again(path, f"was trained with the hash {header.hash!r}, this program has {HASH_NAME!r}"))
    if header.tags != [tag.value for tag in TAGS] or set(header.settings) != set(FeatureSettings._fields):
        raise ArtifactError(_again(path, "was trained for other tags or with other settings"))


def _check(tagger: Tagger) -> Any:  # noqa: ANN401 - an array of probabilities, whose type numpy does not export shortly
    texts, parents = zip(*CHECK_PAIRS, strict=True)
    return tagger.probabilities(pl.Series(texts), pl.Series(parents))


def _again(path: Path, why: str) -> str:
    return f"the tagger model {path} {why}; train one with `python -m classifiers.train` or name another file"
