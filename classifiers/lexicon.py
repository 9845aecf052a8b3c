"""The baseline the trained model must beat: rules over the cues of the lexicon, nothing learned."""

import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.features import Features
from classifiers.tags import TAGS, Tag

__all__ = ["by_lexicon"]


def by_lexicon(features: Features, texts: pl.Series, parents: pl.Series) -> npt.NDArray[np.int64]:
    """Index into TAGS for each post; the first rule that holds decides, `other` if none does."""
    seen = features.seen(texts, parents)
    column = {name: seen[:, place] for place, name in enumerate(features.names)}
    denied = column["denial:any"]
    negated = column["denial:after_negation"] | column["denial:before_negation"]
    asked = column["char:query"] & ~column["words_25"] & ~column["words_many"]
    rules = (
        (Tag.QUESTION, asked),
        (Tag.DENIAL, denied & ~negated),
        (Tag.CELEBRATION, column["celebration:any"]),
        (Tag.CLAIM, negated | column["affirm:first"]),
        (Tag.DENIAL, column["claim:after_negation"] | column["claim:before_negation"] | column["negation:first"]),
        (Tag.QUESTION, column["question:any"] & column["words_5"]),
        (Tag.CLAIM, column["claim:any"] | column["relay:any"]),
    )
    given = np.full(len(texts), TAGS.index(Tag.OTHER), dtype=np.int64)
    for tag, holds in reversed(rules):
        given[holds] = TAGS.index(tag)
    return given
