"""The trained tagger as a file: arrays and a JSON header in one .npz, never a pickle.

The header names the hash, the lexicon, the observations and the settings the model was trained with, and holds a check:
texts written by us with the probabilities they must get. A file that does not give them here is refused.
"""

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import polars as pl
import xxhash

from classifiers.cues import lexicon_text
from classifiers.features import Features, FeatureSettings
from classifiers.figures import Confusion
from classifiers.hashing import HASH_NAME, word_hash
from classifiers.model import Calibration, Linear, Model
from classifiers.rates import Rates
from classifiers.tagger import Tagger
from classifiers.tags import TAGS
from classifiers.trees import Trees

__all__ = ["CHECK_PAIRS", "FORMAT", "ArtifactError", "Trained", "arrays_of", "load", "read_header", "save"]

FORMAT: Final = "virality-tagger/4"
_TOLERANCE: Final = 2e-4
_CHECK_WORDS: Final = ("false", "دروغ", "謠")
_ARRAYS: Final = ("observed", "hashed", "bias", "tree_feature", "tree_most", "tree_leaf", "tree_start")

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


class _Rates(msgspec.Struct, frozen=True):
    """`Rates` as JSON."""

    counts: list[list[int]]
    rate: list[list[float]]
    low: list[list[float]]
    high: list[list[float]]


class _Header(msgspec.Struct, frozen=True):
    """What the JSON header of an artifact holds."""

    format: str
    hash: str
    word_hashes: list[int]
    lexicon: str
    observations: str
    settings: dict[str, int | float]
    tags: list[str]
    share: float
    scale: list[float]
    bias: list[list[float]]
    calibrated: dict[str, list[float]]
    offsets: list[list[float]]
    unsure: float
    depth: int
    confusion: list[list[int]]
    languages: dict[str, _Rates]
    check: list[list[float]]
    versions: dict[str, str]
    trained_on: dict[str, dict[str, int]]
    seed: int


class Trained(NamedTuple):
    """What training makes."""

    settings: FeatureSettings
    model: Model
    confusion: Confusion
    languages: Mapping[str, Rates]
    trained_on: dict[str, dict[str, int]]
    """Posts per tag of every set used."""
    seed: int


def save(path: Path, trained: Trained, features: Features) -> None:
    """Writes the artifact; the same model gives the same bytes."""
    model = trained.model
    header = _Header(
        format=FORMAT,
        hash=HASH_NAME,
        word_hashes=[word_hash(word) for word in _CHECK_WORDS],
        lexicon=features.cues.fingerprint,
        observations=_fingerprint(features.names),
        settings=trained.settings._asdict(),
        tags=[tag.value for tag in TAGS],
        share=model.share,
        scale=model.calibration.scale.tolist(),
        bias=model.calibration.bias.tolist(),
        calibrated=_languages(model.calibration),
        offsets=model.offsets.tolist(),
        unsure=model.unsure,
        depth=model.trees.depth,
        confusion=trained.confusion.counts.tolist(),
        languages={name: _told(each) for name, each in trained.languages.items()},
        check=_check(Tagger(features, model, trained.confusion)).tolist(),
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
            observed=model.linear.observed.astype(np.int32),
            hashed=model.linear.hashed.astype(np.float16),
            bias=model.linear.bias,
            tree_feature=model.trees.feature,
            tree_most=model.trees.most,
            tree_leaf=model.trees.leaf,
            tree_start=model.trees.start,
        )


def load(path: Path | str) -> Tagger:
    """The tagger in a file; raises ArtifactError."""
    path = Path(path)
    header, arrays = _read(path)
    _refuse_foreign(path, header)
    try:
        features = Features(lexicon_text(), _settings(header))
        model = _model(header, arrays)
        told = {name: _rates(each) for name, each in header.languages.items()}
        confusion = Confusion(np.array(header.confusion, dtype=np.int64).reshape(len(TAGS), len(TAGS)))
    except (ValueError, TypeError, IndexError, msgspec.ValidationError) as error:
        raise ArtifactError(_again(path, f"is no tagger artifact ({error})")) from error
    if features.cues.fingerprint != header.lexicon or not _fits(model, features):
        raise ArtifactError(_again(path, "was trained with another lexicon or other features than these"))
    tagger = Tagger(features, model, confusion, told)
    if not np.allclose(_check(tagger), np.array(header.check), rtol=0, atol=_TOLERANCE):
        raise ArtifactError(_again(path, "does not give the probabilities its check vector asks for"))
    return tagger


def read_header(path: Path | str) -> dict[str, Any]:
    """The header of an artifact, for people to read; raises ArtifactError."""
    header: dict[str, Any] = msgspec.to_builtins(_read(Path(path))[0])
    return header


def arrays_of(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Some arrays of an .npz file, never a pickle; raises ArtifactError."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except FileNotFoundError as error:
        raise ArtifactError(_again(path, "does not exist")) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ArtifactError(_again(path, f"cannot be read or is damaged ({error})")) from error
    except (ValueError, KeyError, TypeError, NotImplementedError, IndexError, AttributeError) as error:
        raise ArtifactError(_again(path, f"is no tagger artifact ({error})")) from error


def _read(path: Path) -> tuple[_Header, dict[str, Any]]:
    arrays = arrays_of(path, ("header",))
    try:
        found = msgspec.json.decode(arrays["header"].tobytes(), type=dict[str, Any])
        if (told := found.get("format")) != FORMAT:
            raise ArtifactError(_again(path, f"has format {told!r}, this program reads {FORMAT!r}"))
        header = msgspec.convert(found, _Header)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ArtifactError(_again(path, f"is no tagger artifact ({error})")) from error
    return header, arrays_of(path, _ARRAYS)


def _refuse_foreign(path: Path, header: _Header) -> None:
    if header.hash != HASH_NAME or header.word_hashes != [word_hash(word) for word in _CHECK_WORDS]:
        raise ArtifactError(_again(path, f"was trained with the hash {header.hash!r}, this program has {HASH_NAME!r}"))
    if header.tags != [tag.value for tag in TAGS] or set(header.settings) != set(FeatureSettings._fields):
        raise ArtifactError(_again(path, "was trained for other tags or with other settings"))
    if header.observations != _fingerprint(Features.names):
        raise ArtifactError(_again(path, "was trained with other features than these"))


def _settings(header: _Header) -> FeatureSettings:
    told = header.settings
    return FeatureSettings(int(told["bits"]), float(told["hashed_scale"]), int(told["stem"]))


def _model(header: _Header, arrays: Mapping[str, Any]) -> Model:
    linear = Linear(
        arrays["observed"].astype(np.float64), arrays["hashed"].astype(np.float32), arrays["bias"].astype(np.float64)
    )
    trees = Trees(
        header.depth,
        *(arrays[name].astype(kind) for name, kind in zip(_ARRAYS[3:], ("i2", "u1", "i4", "i4"), strict=True)),
    )
    offsets = np.array(header.offsets, dtype=np.float64).reshape(2, len(TAGS))
    told = np.array(list(header.calibrated.values()), dtype=np.float64).reshape(-1, 1 + len(TAGS))
    calibration = Calibration(
        np.array(header.scale),
        np.array(header.bias).reshape(2, len(TAGS)),
        tuple(header.calibrated),
        told[:, 0],
        told[:, 1:],
    )
    return Model(linear, trees, header.share, calibration, offsets, header.unsure)


def _fits(model: Model, features: Features) -> bool:
    """Whether every array has the shape these features ask for, and no tree looks elsewhere."""
    trees, tags, seen = model.trees, len(TAGS), len(features.names)
    inner, count = (1 << trees.depth) - 1, len(trees.feature)
    return (
        model.linear.observed.shape == (seen, tags)
        and model.linear.hashed.shape == (features.hashed_size, tags)
        and model.linear.bias.shape == trees.start.shape == (tags,)
        and model.calibration.scale.shape == (2,)
        and trees.feature.shape == trees.most.shape == (count, inner)
        and trees.leaf.shape == (count, inner + 1)
        and count % tags == 0
        and bool(((trees.feature >= 0) & (trees.feature < seen)).all())
    )


def _fingerprint(names: Sequence[str]) -> str:
    return xxhash.xxh64_hexdigest("\n".join(names).encode())


def _told(each: Rates) -> _Rates:
    low, rate, high = (np.round(part, 4).tolist() for part in (each.low, each.rate, each.high))
    return _Rates(each.counts.tolist(), rate, low, high)


def _languages(calibration: Calibration) -> dict[str, list[float]]:
    """Language → its scale and biases."""
    rows = zip(calibration.language_scale.tolist(), calibration.language_bias.tolist(), strict=True)
    return {name: [scale, *bias] for name, (scale, bias) in zip(calibration.languages, rows, strict=True)}


def _rates(told: _Rates) -> Rates:
    rate, low, high = (np.array(part, dtype=np.float64) for part in (told.rate, told.low, told.high))
    return Rates(np.array(told.counts, dtype=np.int64), rate, low, high)


def _check(tagger: Tagger) -> Any:  # noqa: ANN401 - an array of probabilities, whose type numpy does not export shortly
    texts, parents = zip(*CHECK_PAIRS, strict=True)
    return tagger.probabilities(pl.Series(texts), pl.Series(parents))


def _again(path: Path, why: str) -> str:
    return f"the tagger model {path} {why}; train one with `python -m classifiers.train` or name another file"
