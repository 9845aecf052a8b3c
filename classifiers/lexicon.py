"""The baseline the trained model must beat: rules over the cues of the lexicon, nothing learned."""

import numpy as np
import numpy.typing as npt

from classifiers.features import Features
from classifiers.tags import TAGS, Tag

__all__ = ["by_lexicon"]

_SHORT, _LONG = 5, 25


def by_lexicon(observed: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Index into TAGS for each row of observations; the first rule that holds decides, `other` if none does."""
    column = {name: observed[:, place] for place, name in enumerate(Features.names)}
    seen = {name: values > 0 for name, values in column.items()}
    denied = seen["denial:any"]
    negated = seen["denial:after_negation"] | seen["denial:before_negation"]
    asked = seen["char:query"] & (column["words"] < _LONG)
    rules = (
        (Tag.QUESTION, asked),
        (Tag.DENIAL, denied & ~negated),
        (Tag.CELEBRATION, seen["celebration:any"]),
        (Tag.CLAIM, negated | seen["affirm:first"]),
        (Tag.DENIAL, seen["claim:after_negation"] | seen["claim:before_negation"] | seen["negation:first"]),
        (Tag.QUESTION, seen["question:any"] & (column["words"] <= _SHORT)),
        (Tag.CLAIM, seen["claim:any"] | seen["relay:any"]),
    )
    given = np.full(len(observed), TAGS.index(Tag.OTHER), dtype=np.int64)
    for tag, holds in reversed(rules):
        given[holds] = TAGS.index(tag)
    return given
