"""How often an original that is about something else is taken for a claim: on most days most mentions are `other`."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.card import HeldOut
from classifiers.tags import TAGS, Tag

__all__ = ["SHARES", "Chatter", "chatter"]

SHARES: Final = (0.5, 0.9)
"""Shares of `other` among originals at which claims are measured."""
_CLAIM: Final = TAGS.index(Tag.CLAIM)
_OTHER: Final = TAGS.index(Tag.OTHER)
_LEAST: Final = 10
"""Originals of a kind that are `other` from which on it can be the worst."""


class Chatter(NamedTuple):
    """Of held-out written originals."""

    posts: int
    """Those that are `other`."""
    claimed: float
    """The share of them tagged as claims."""
    worst: str
    """The kind of event with the largest share,"""
    worst_claimed: float
    """… and that share."""
    recall: float
    """The share of claims tagged as claims."""
    precision: tuple[float, ...]
    """Of claims, per share of `SHARES`, the other tags among themselves as they were written."""


def chatter(held_out: HeldOut) -> Chatter:
    """Measures the written originals; figures are 0 where there are none."""
    truth, given = held_out.truth, held_out.decided.given == _CLAIM
    chosen = (truth.sets == "written") & ~truth.answers
    other, claims = chosen & (truth.tags == _OTHER), chosen & (truth.tags == _CLAIM)
    kinds = held_out.examples["group"].to_numpy()
    names, sizes = np.unique(kinds[other], return_counts=True)
    shares = {str(name): _share(given, other & (kinds == name)) for name in names[sizes >= _LEAST]}
    worst = max(shares, key=lambda name: shares[name], default="")
    hits, false, rest = (int((given & which).sum()) for which in (claims, other, chosen & ~other & ~claims))
    weights = [share / (1 - share) * int((chosen & ~other).sum()) / max(int(other.sum()), 1) for share in SHARES]
    precision = tuple(hits / max(hits + rest + weight * false, 1) for weight in weights)
    return Chatter(
        int(other.sum()), _share(given, other), worst, shares.get(worst, 0.0), _share(given, claims), precision
    )


def _share(given: npt.NDArray[np.bool_], which: npt.NDArray[np.bool_]) -> float:
    return float(given[which].mean()) if which.any() else 0.0
