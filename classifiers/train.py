"""`python -m classifiers.train [DATA]`: trains the tagger and writes the artifact and its model card."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from classifiers import data
from classifiers.artifact import Trained, load, save
from classifiers.card import model_card
from classifiers.cues import lexicon_text
from classifiers.features import Features, FeatureSettings
from classifiers.figures import Confusion, confusion
from classifiers.fit import MEASURED, cross_fit, decided, final, tag_indices, train_rows

__all__ = ["OUTPUT", "main", "train"]

OUTPUT: Final = Path(__file__).parent / "model" / "tagger.npz"


def train(
    examples: pl.DataFrame, seed: int, settings: FeatureSettings
) -> tuple[Trained, Features, dict[str, Confusion]]:
    """Trains on EXAMPLES; also the held-out confusion of every set. Deterministic."""
    features = Features(lexicon_text(), settings)
    rows = train_rows(features, examples)
    held_out = cross_fit(rows, examples, seed)
    _, given = decided(held_out, examples)
    tags, sets = tag_indices(examples["tag"]), examples["set"].to_numpy()
    tables = {name: confusion(tags[sets == name], given[sets == name]) for name in dict.fromkeys(sets.tolist())}
    measured = np.isin(sets, MEASURED)
    model = final(rows, examples, held_out, seed)
    counts = examples.group_by("set", "tag").len().sort("set", "tag")
    trained_on: dict[str, dict[str, int]] = {}
    for name, tag, posts in counts.iter_rows():
        trained_on.setdefault(name, {})[tag] = posts
    trained = Trained(settings, model, confusion(tags[measured], given[measured]), trained_on, seed)
    return trained, features, tables


def main(arguments: Sequence[str]) -> int:
    """Runs the command; exit status 0, or 2 where DATA holds nothing to use."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.train", description="Trains the tagger.")
    parser.add_argument(
        "data", nargs="?", type=Path, help="directory of the public sets; without it: written posts only"
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, help="the artifact; its card MODEL-CARD.md goes beside it"
    )
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    try:
        examples = data.load(chosen.data)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    trained, features, tables = train(examples, chosen.seed, FeatureSettings())
    save(chosen.output, trained, features)
    load(chosen.output)
    card = chosen.output.parent / "MODEL-CARD.md"
    card.write_text(model_card(trained, tables), encoding="utf-8")
    print(f"trained on {len(examples):,} posts:")
    for name, tags in trained.trained_on.items():
        print(f"  {name}: " + ", ".join(f"{posts:,} {tag}" for tag, posts in tags.items()))
    print(f"wrote {chosen.output} ({chosen.output.stat().st_size / 1e6:.1f} MB) and {card}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
