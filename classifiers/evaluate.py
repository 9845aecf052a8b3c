"""`python -m classifiers.evaluate [DATA]`: figures on whole events never trained on, the lexicon beside them."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from classifiers import data
from classifiers.artifact import ArtifactError, load
from classifiers.cues import lexicon_text
from classifiers.features import Features, FeatureSettings
from classifiers.figures import Confusion, calibration_error, confusion
from classifiers.fit import MEASURED, cross_fit, decided, tag_indices, train_rows
from classifiers.lexicon import by_lexicon
from classifiers.tables import confusion_table, score_table, table
from classifiers.train import OUTPUT

__all__ = ["main"]

_SPEED_POSTS: Final = 4_096 * 8


def main(arguments: Sequence[str]) -> int:
    """Runs the command; exit status 0, or 2 where DATA or the model cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.evaluate", description="Measures the tagger.")
    parser.add_argument(
        "data", nargs="?", type=Path, help="directory of the public sets; without it: written posts only"
    )
    parser.add_argument("--model", type=Path, default=OUTPUT, help="the artifact whose speed is measured")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    try:
        examples = data.load(chosen.data)
        speed = _speed(chosen.model, examples)
    except (FileNotFoundError, ArtifactError) as error:
        print(error, file=sys.stderr)
        return 2
    for part in _report(examples, chosen.seed):
        print(part)
    print(speed)
    return 0


def _report(examples: pl.DataFrame, seed: int) -> Iterator[str]:
    features = Features(lexicon_text(), FeatureSettings())
    rows = train_rows(features, examples)
    probabilities, given = decided(cross_fit(rows, examples, seed), examples)
    tags, sets = tag_indices(examples["tag"]), examples["set"].to_numpy()
    rules = by_lexicon(features, examples["text"], examples["parent"])
    yield "## Held-out figures by set\n"
    yield score_table(_side_by_side(sets, tags, given, rules))
    yield "## RumourEval by event\n"
    yield score_table(_by(examples, "group", "rumoureval2019", tags, given, least=100))
    yield "## Written posts, kinds of event left out, by language\n"
    yield score_table(_by(examples, "language", "written", tags, given, least=20))
    yield "## Written posts, kinds of event left out, by kind\n"
    yield score_table(_by(examples, "group", "written", tags, given, least=20))
    yield "## Confusion on RumourEval, celebration and written posts\n"
    measured = np.isin(sets, MEASURED)
    yield confusion_table(confusion(tags[measured], given[measured]))
    yield "## Calibration (classwise expected error, ten bins)\n"
    errors = [
        [name, f"{calibration_error(probabilities[sets == name], tags[sets == name]):.3f}"]
        for name in dict.fromkeys(sets.tolist())
    ]
    yield table(["set", "error"], errors)


def _side_by_side(sets: np.ndarray, tags: np.ndarray, given: np.ndarray, rules: np.ndarray) -> dict[str, Confusion]:
    tables = {}
    for name in dict.fromkeys(sets.tolist()):
        chosen = sets == name
        tables[f"{name}: model"] = confusion(tags[chosen], given[chosen])
        tables[f"{name}: lexicon"] = confusion(tags[chosen], rules[chosen])
    return tables


def _by(
    examples: pl.DataFrame, column: str, name: str, tags: np.ndarray, given: np.ndarray, *, least: int
) -> dict[str, Confusion]:
    """Confusion per value of a column within one set, largest first; those with fewer posts than `least` together."""
    values = np.where(examples["set"].to_numpy() == name, examples[column].to_numpy(), "")
    sizes = {value: int((values == value).sum()) for value in dict.fromkeys(values.tolist()) if value}
    large = sorted((value for value, size in sizes.items() if size >= least), key=lambda value: (-sizes[value], value))
    parts = {value: values == value for value in large}
    rest = (values != "") & ~np.isin(values, large)
    if rest.any():
        parts["all others"] = rest
    return {value: confusion(tags[chosen], given[chosen]) for value, chosen in parts.items()}


def _speed(model: Path, examples: pl.DataFrame) -> str:
    tagger = load(model)
    times = -(-_SPEED_POSTS // len(examples))
    posts = pl.concat([examples.select("text", "parent")] * times).sample(_SPEED_POSTS, seed=1)
    rows = []
    for size, count in ((4096, 8), (64, 64)):
        parts = [posts.slice(place * size, size) for place in range(count)]
        taken = []
        for part in parts:
            begin = time.perf_counter()
            tagger.decide(tagger.probabilities(part["text"], part["parent"]))
            taken.append(time.perf_counter() - begin)
        rows.append([f"{size:,}", f"{size / float(np.median(taken)):,.0f}"])
    return "## Speed, everything on, every parent another\n\n" + table(["batch", "posts/s (median)"], rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
