"""A tagger whose answers are plain: it goes by one word of the text."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from classifiers.figures import Confusion
from classifiers.origin import Origin
from classifiers.rates import Rates
from classifiers.reading import Watched
from classifiers.tagger import Told
from classifiers.tags import TAGS, Tag

WORDS = {
    Tag.CLAIM: "fallen",
    Tag.DENIAL: "lie",
    Tag.CELEBRATION: "gunfire",
    Tag.QUESTION: "source",
}


class WordTagger:
    """Stands in for `classifiers.tagger.Tagger`; `text` says what to write for a tag."""

    def __init__(self) -> None:
        self.confusion = Confusion(np.eye(len(TAGS), dtype=np.int64) * 1000)
        self.languages = dict[str, Rates]()

    def probabilities(
        self,
        texts: pl.Series,
        parents: pl.Series,  # noqa: ARG002
        roots: pl.Series | None = None,  # noqa: ARG002
        answers: pl.Series | None = None,  # noqa: ARG002
        *,
        origin: Origin | None = None,  # noqa: ARG002
        watched: Watched | None = None,  # noqa: ARG002
    ) -> npt.NDArray[np.float64]:
        tags = [next((tag for tag, word in WORDS.items() if word in text), Tag.OTHER) for text in texts]
        return np.array([[1.0 if tag == given else 0.0 for tag in TAGS] for given in tags]).reshape(
            len(tags), len(TAGS)
        )

    def read(
        self,
        texts: pl.Series,
        parents: pl.Series,
        roots: pl.Series | None = None,
        answers: pl.Series | None = None,
        *,
        origin: Origin | None = None,
        watched: Watched | None = None,
    ) -> Told:
        """The probabilities; a post that holds `says` is attributed."""
        attributed = texts.str.contains("says", literal=True).to_numpy()
        return Told(self.probabilities(texts, parents, roots, answers, origin=origin, watched=watched), attributed)

    def quotes(self, texts: pl.Series, tags: Sequence[Tag]) -> pl.Series:
        """The word that decided, where it stands in the text."""
        found = [
            WORDS[tag] if tag in WORDS and WORDS[tag] in text else None
            for text, tag in zip(texts.to_list(), tags, strict=True)
        ]
        return pl.Series("cues", found, dtype=pl.String)

    def decide(self, probabilities: npt.NDArray[np.float64], answers: pl.Series | None = None) -> pl.Series:  # noqa: ARG002
        names = [TAGS[index].value for index in probabilities.argmax(axis=1)]
        return pl.Series("tag", names, dtype=pl.Enum([tag.value for tag in TAGS]))
