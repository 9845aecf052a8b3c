"""`python -m classifiers.languages_train DATA`: trains the language model on word lists, written and public posts.

Word lists are those of `wordfreq` (installed with the extra `dev`): posts of a few words drawn by frequency stand for
the languages nobody wrote posts in. Written posts bring the transliterations.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from classifiers import data
from classifiers.fit import fold_of
from classifiers.languages import BITS, FORMAT, Languages, runs

__all__ = ["main"]

OUTPUT: Final = Path(__file__).parent / "model" / "languages.npz"
_WORDS: Final = 6_000
_POSTS: Final = 600
_LONGEST: Final = 12
_SMOOTH: Final = 0.05
_SAME: Final = {"nb": "no", "fil": "tl", "hi-Latn": "ur-Latn", "sh": "sr", "ms": "id"}
"""Names that are one language here; Hindi and Urdu in Latin script, Malay and Indonesian are not told apart."""
_PUBLIC: Final = {"farexstance_fa": "fa", "ans_ar": "ar", "austr_ar": "ar", "emergent_en": "en", "rumoureval2019": "en"}
_MOST_PUBLIC: Final = 1_500


def main(arguments: Sequence[str]) -> int:
    """Runs the command; exit status 0, or 2 where DATA holds nothing to use."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.languages_train")
    parser.add_argument("data", type=Path, help="directory of the public sets")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    chosen = parser.parse_args(arguments)
    try:
        texts, names, held_out = _texts(chosen.data)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    _measure(texts, names, held_out)
    model = _fit(texts["text"], texts["language"].to_list(), names)
    with chosen.output.open("wb") as file:
        np.savez_compressed(
            file,
            format=np.frombuffer(FORMAT.encode(), dtype=np.uint8),
            names=np.frombuffer("\n".join(names).encode(), dtype=np.uint8),
            weights=model.weights.astype(np.int8),
            scale=np.float64(model.scale),
        )
    print(f"wrote {chosen.output} ({chosen.output.stat().st_size / 1e6:.2f} MB, {len(names)} languages)")
    return 0


def _texts(directory: Path) -> tuple[pl.DataFrame, tuple[str, ...], npt.NDArray[np.int64]]:
    """Texts with their language, the languages, and the fold of each written post (-1: of another source)."""
    ours = data.written().select("text", "language", fold=pl.Series(fold_of(data.written()["group"])))
    theirs = data.public(directory).filter(pl.col("set").is_in(list(_PUBLIC)))
    theirs = theirs.with_columns(language=pl.col("set").replace_strict(_PUBLIC))
    theirs = theirs.filter(pl.int_range(pl.len()).over("language") < _MOST_PUBLIC).select("text", "language")
    lists = pl.DataFrame(_listed(), schema=["text", "language"], orient="row")
    rest = pl.concat([theirs, lists]).with_columns(fold=pl.lit(-1, pl.Int64))
    texts = pl.concat([ours, rest]).with_columns(pl.col("language").replace(_SAME))
    return texts, tuple(sorted(set(texts["language"]))), texts["fold"].to_numpy()


def _listed() -> list[tuple[str, str]]:
    """Posts of words drawn from the word lists."""
    import wordfreq  # noqa: PLC0415 - needed for training only

    chance = np.random.default_rng(1)
    posts = []
    for language in sorted(wordfreq.available_languages()):
        known = wordfreq.get_frequency_dict(language)
        words = sorted(known, key=lambda word: (-known[word], word))[:_WORDS]
        weights = np.array([known[word] for word in words]) ** 0.75
        sizes = chance.integers(1, _LONGEST, _POSTS)
        drawn = chance.choice(len(words), size=int(sizes.sum()), p=weights / weights.sum())
        ends = np.cumsum(sizes)
        posts += [
            (" ".join(words[place] for place in drawn[end - size : end]), language)
            for end, size in zip(ends.tolist(), sizes.tolist(), strict=True)
        ]
    return posts


def _fit(texts: pl.Series, languages: Sequence[str], names: tuple[str, ...]) -> Languages:
    which = np.array([names.index(name) for name in languages])
    chosen = sparse.csr_array((np.ones(len(which)), (which, np.arange(len(which)))), shape=(len(names), len(which)))
    counts = np.asarray((chosen @ runs(texts)).todense(), dtype=np.float64)
    shares = (counts + _SMOOTH) / (counts + _SMOOTH).sum(axis=1, keepdims=True)
    logs = np.log(shares).T
    weights = logs - logs.mean(axis=1, keepdims=True)
    scale = float(np.abs(weights).max()) / 127
    return Languages(names, np.rint(weights / scale).astype(np.int16).reshape(1 << BITS, len(names)), scale)


def _measure(texts: pl.DataFrame, names: tuple[str, ...], fold: npt.NDArray[np.int64]) -> None:
    """Prints how many held-out written posts (whole kinds of event) get their language."""
    ours = texts.filter(pl.Series(fold >= 0))
    given = pl.Series("given", [""] * len(ours))
    for each in sorted(set(fold[fold >= 0].tolist())):
        known = texts.filter(pl.Series(fold != each))
        model = _fit(known["text"], known["language"].to_list(), names)
        out = ours["fold"] == each
        found = model.identify(ours.filter(out)["text"])
        given = given.scatter(out.arg_true(), found)
    told = ours.with_columns(given=given)
    right = int((told["language"] == told["given"]).sum())
    print(f"written posts, kinds of event left out: {right / len(told):.3f} of {len(told):,}")
    for name in names:
        part = told.filter(pl.col("language") == name)
        right = int((part["given"] == name).sum())
        wrong = part.filter(pl.col("given") != name)["given"].value_counts(sort=True).head(3)
        if len(part):
            print(f"  {name}: {right / len(part):.3f} of {len(part):,}; else {wrong.rows()}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
