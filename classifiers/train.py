"""`python -m classifiers.train [DATA]`: trains the tagger and writes the artifact, its model card and its picture."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from classifiers import data
from classifiers.artifact import Trained, load, save
from classifiers.card import HeldOut, model_card
from classifiers.cues import lexicon_text
from classifiers.features import Features, FeatureSettings
from classifiers.figures import confusion
from classifiers.fit import cross_fit, fold_of, refit, see_all
from classifiers.picture import calibration_picture
from classifiers.rates import Rates, rates
from classifiers.thresholds import Decided, Truth, calibration_for, decided, offsets_for, truth_of

__all__ = ["OUTPUT", "main", "train"]

OUTPUT: Final = Path(__file__).parent / "model" / "tagger.npz"
_LEAST: Final = 100
"""Held-out posts of a language from which on it has rates of its own."""


def train(examples: pl.DataFrame, seed: int, settings: FeatureSettings) -> tuple[Trained, Features, HeldOut]:
    """Trains on EXAMPLES; also what held-out posts got. Deterministic."""
    features = Features(lexicon_text(), settings)
    rows = see_all(features, examples)
    truth = truth_of(examples)
    weights = examples["weight"].to_numpy()
    logits = cross_fit(rows, examples, truth.tags, weights, seed)
    held_out = decided(logits, truth, fold_of(examples["group"], seed))
    everything = np.ones(len(logits), dtype=np.bool_)
    calibration = calibration_for(logits, truth, everything)
    offsets = offsets_for(calibration.probabilities(logits, truth.answers, truth.languages.tolist()), truth, everything)
    model = refit(rows, truth.tags, weights, seed, calibration=calibration, offsets=offsets)
    known = truth.measured
    trained = Trained(
        settings,
        model,
        confusion(truth.tags[known], held_out.given[known]),
        _languages(examples, truth, held_out),
        _counted(examples),
        seed,
    )
    return trained, features, HeldOut(examples, truth, held_out)


def _languages(examples: pl.DataFrame, truth: Truth, held_out: Decided) -> dict[str, Rates]:
    """Rates of the measured posts, all and by language."""
    language = examples["language"].to_numpy()
    chosen = {"all": truth.measured}
    for name in sorted(set(language[truth.measured].tolist())):
        which = truth.measured & (language == name)
        if which.sum() >= _LEAST:
            chosen[name] = which
    groups = examples["group"].to_numpy()
    return {name: rates(truth.tags[which], held_out.given[which], groups[which]) for name, which in chosen.items()}


def _counted(examples: pl.DataFrame) -> dict[str, dict[str, int]]:
    counts = examples.group_by("set", "tag").len().sort("set", "tag")
    told: dict[str, dict[str, int]] = {}
    for name, tag, posts in counts.iter_rows():
        told.setdefault(name, {})[tag] = posts
    return told


def main(arguments: Sequence[str]) -> int:
    """Runs the command; exit status 0, or 2 where DATA or the corrections cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.train", description="Trains the tagger.")
    parser.add_argument(
        "data", nargs="?", type=Path, help="directory of the public sets; without it: written posts only"
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help="the artifact; MODEL-CARD.md and calibration.svg go beside it"
    )
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="FILE",
        help="posts whose tag editors corrected: TSV or NDJSON with platform, id, event, text, parent, tag",
    )
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    try:
        examples = data.load(chosen.data, chosen.corrections)
        trained, features, held_out = train(examples, chosen.seed, FeatureSettings())
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    save(chosen.output, trained, features)
    load(chosen.output)
    card = chosen.output.parent / "MODEL-CARD.md"
    card.write_text(model_card(trained, held_out), encoding="utf-8")
    known = held_out.truth.measured
    picture = calibration_picture(held_out.decided.probabilities[known], held_out.truth.tags[known])
    (chosen.output.parent / "calibration.svg").write_text(picture, encoding="utf-8")
    print(f"trained on {len(examples):,} posts:")
    for name, tags in trained.trained_on.items():
        print(f"  {name}: " + ", ".join(f"{posts:,} {tag}" for tag, posts in tags.items()))
    print(f"wrote {chosen.output} ({chosen.output.stat().st_size / 1e6:.1f} MB) and {card}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
