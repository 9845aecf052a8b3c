"""How far the two readings of public posts agree: shares and Cohen's kappa, overall and per tag."""

import numpy as np
import polars as pl

from classifiers.labels import reread
from classifiers.tables import table
from classifiers.tags import TAGS

__all__ = ["agreement", "kappa"]


def kappa(first: pl.Series, second: pl.Series) -> float:
    """Cohen's kappa of two columns of tags; 1 where both always say one and the same."""
    one, other = first.to_numpy(), second.to_numpy()
    chance = sum(float(np.mean(one == name) * np.mean(other == name)) for name in sorted(set(first) | set(second)))
    return 1.0 if chance == 1 else (float(np.mean(one == other)) - chance) / (1 - chance)


def agreement() -> str:
    """A Markdown table, per set and for all."""
    told = reread()
    parts = [("all", told), *((name, told.filter(pl.col("dataset") == name)) for name in sorted(set(told["dataset"])))]
    rows = []
    for name, part in parts:
        cells = [f"{kappa(part['tag_a'] == tag.value, part['tag_b'] == tag.value):.2f}" for tag in TAGS]
        undecided = int((part["tag"] == "").sum())
        same = f"{float(np.mean(part['tag_a'].to_numpy() == part['tag_b'].to_numpy())):.3f}"
        rows.append(
            [name, f"{len(part):,}", same, f"**{kappa(part['tag_a'], part['tag_b']):.2f}**", *cells, str(undecided)]
        )
    return table(["set", "posts", "agree", "kappa", *(f"{tag}" for tag in TAGS), "undecided"], rows)
