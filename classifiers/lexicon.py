"""Rules over the cues of the lexicon, nothing learned: what the model must beat, and one of its observations."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifiers.tags import TAGS, Tag

__all__ = ["by_lexicon"]

_SHORT, _LONG = 5, 25


def by_lexicon(observed: npt.NDArray[np.uint8], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Index into TAGS for each row of observations so named; the first rule that holds decides, else it is `other`."""

    def column(name: str) -> npt.NDArray[np.uint8]:
        return observed[:, names.index(name)]

    def seen(name: str) -> npt.NDArray[np.bool_]:
        return column(name) > 0

    denied, few = seen("denial:any"), column("words")
    negated = seen("denial:after_negation") | seen("denial:before_negation")
    rules = (
        (Tag.QUESTION, seen("char:query") & (few < _LONG)),
        (Tag.DENIAL, denied & ~negated),
        (Tag.CELEBRATION, seen("celebration:any")),
        (Tag.CLAIM, negated | seen("affirm:first")),
        (Tag.DENIAL, seen("claim:after_negation") | seen("claim:before_negation") | seen("negation:first")),
        (Tag.QUESTION, seen("question:any") & (few <= _SHORT)),
        (Tag.CLAIM, seen("claim:any") | seen("relay:any")),
    )
    given = np.full(len(observed), TAGS.index(Tag.OTHER), dtype=np.int64)
    for tag, holds in reversed(rules):
        given[holds] = TAGS.index(tag)
    return given
