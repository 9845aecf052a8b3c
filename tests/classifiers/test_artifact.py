"""An artifact is data: what cannot be used is refused with a sentence, what can be is the model that was trained."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from classifiers.artifact import ArtifactError, load, read_header
from classifiers.train import OUTPUT


def parts() -> dict[str, Any]:
    with np.load(OUTPUT, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def rewritten(path: Path, **header: object) -> Path:
    """The shipped artifact with another header."""
    arrays = parts()
    told = json.loads(arrays["header"].tobytes()) | header
    arrays["header"] = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
    np.savez(path, **arrays)
    return path


def test_the_shipped_artifact_loads_and_is_small() -> None:
    assert OUTPUT.stat().st_size <= 5_000_000
    assert load(OUTPUT).confusion.counts.shape == (5, 5)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not exist"):
        load(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"hello", b"\x80\x04K\x01."])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"foreign\.npz"):
        load(path)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "cut.npz"
    whole = OUTPUT.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ArtifactError, match=r"cut\.npz"):
        load(path)


@pytest.mark.parametrize("place", [0.05, 0.2, 0.5, 0.8])
def test_a_damaged_file_is_refused(tmp_path: Path, place: float) -> None:
    path = tmp_path / "damaged.npz"
    content = bytearray(OUTPUT.read_bytes())
    at = int(len(content) * place)
    content[at : at + 64] = bytes(byte ^ 0xFF for byte in content[at : at + 64])
    path.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match=r"damaged\.npz"):
        load(path)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"format": "virality-tagger/99"}, "format"),
        ({"hash": "murmur3"}, "hash"),
        ({"word_hashes": [1, 2, 3]}, "hash"),
        ({"lexicon": "0000"}, "lexicon"),
        ({"tags": ["a", "b"]}, "tags"),
        ({"settings": {"bits": 18}}, "settings"),
        ({"settings": {"bits": 10, "hashed_scale": 2.0, "stem": 5}}, "features"),
        ({"observations": "0000"}, "features"),
        ({"scale": [9.0, 9.0]}, "check vector"),
        ({"share": 0.9}, "check vector"),
        ({"bias": [[0.0]]}, "no tagger artifact"),
        ({"depth": 4}, "features"),
        ({"confusion": [[1, 2], [3]]}, "no tagger artifact"),
        ({"scale": "warm"}, "no tagger artifact"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path: Path, header: dict[str, object], why: str) -> None:
    with pytest.raises(ArtifactError, match=why):
        load(rewritten(tmp_path / "other.npz", **header))


@pytest.mark.parametrize("name", ["hashed", "observed", "bias", "tree_leaf"])
def test_weights_that_are_not_the_trained_ones_fail_the_check(tmp_path: Path, name: str) -> None:
    arrays = parts()
    arrays[name] = np.roll(arrays[name], 1, axis=-1)
    path = tmp_path / "rolled.npz"
    np.savez(path, **arrays)
    with pytest.raises(ArtifactError, match="check vector"):
        load(path)


def test_nothing_in_an_artifact_is_a_pickle(tmp_path: Path) -> None:
    arrays = parts()
    arrays["hashed"] = np.array([{"a": 1}], dtype=object)
    path = tmp_path / "pickled.npz"
    content = io.BytesIO()
    np.savez(content, **arrays)
    path.write_bytes(content.getvalue())
    with pytest.raises(ArtifactError, match="no tagger artifact"):
        load(path)


def test_the_header_says_what_it_was_trained_on() -> None:
    header = read_header(OUTPUT)
    assert header["trained_on"]["written"]["denial"] > 0
    assert set(header["versions"]) == {"numpy", "polars", "scipy", "scikit-learn"}


def test_serving_does_not_import_scikit_learn() -> None:
    program = (
        "import sys, polars as pl\n"
        "from classifiers.artifact import load\n"
        f"load({str(OUTPUT)!r}).probabilities(pl.Series(['a']), pl.Series(['b']))\n"
        "sys.exit('sklearn' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 - our own program


def test_an_empty_batch_has_no_probabilities() -> None:
    empty = pl.Series([], dtype=pl.String)
    assert load(OUTPUT).probabilities(empty, empty).shape == (0, 5)


def test_a_tree_that_looks_at_no_feature_is_refused(tmp_path: Path) -> None:
    arrays = parts()
    arrays["tree_feature"] = arrays["tree_feature"] + 10_000
    path = tmp_path / "elsewhere.npz"
    np.savez(path, **arrays)
    with pytest.raises(ArtifactError, match="other features"):
        load(path)


def test_rates_by_language_come_with_intervals() -> None:
    told = load(OUTPUT).languages
    assert {"all", "en", "fa", "ar", "ps", "ur"} <= set(told)
    for each in told.values():
        assert np.allclose(each.rate.sum(axis=1), 1, atol=1e-3)
        assert (each.low <= each.rate).all()
        assert (each.rate <= each.high).all()
