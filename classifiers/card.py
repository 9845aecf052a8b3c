"""Writes the model card that lies beside an artifact."""

from typing import NamedTuple

import numpy as np
import polars as pl

from classifiers.artifact import Trained
from classifiers.figures import Confusion, calibration_error, confusion
from classifiers.tables import confusion_table, score_table, table
from classifiers.tags import TAGS
from classifiers.thresholds import Decided, Truth

__all__ = ["HeldOut", "model_card"]

_SETS = {
    "rumoureval2019": "SemEval-2019 task 7 stance threads (Twitter, Reddit), English; research use",
    "farexstance_fa": "FarExStance claim–headline pairs, Persian, a sample; research use",
    "ans_ar": "Arabic News Stance sentence pairs, a sample and those read again; research use",
    "austr_ar": "AuSTR, Arabic rumours with authorities' posts; research use",
    "emergent_en": "Emergent claim–headline pairs, English, a sample; research use",
    "covid19_rumor_en": "COVID-19 rumour replies, English; only those read again; MIT",
    "celebration": "posts labelled for this project by reading public posts; one annotator",
    "crisislex_t26": "CrisisLex T26, sample of sympathy, donations, unrelated; MIT",
    "written": "written for this project; part of the repository",
    "corrections": "posts whose tag editors corrected",
}

_CARD = """# Model card: the tagger

Written by the training command; do not edit. The five tags are those of `classifiers/tags.py`.

**What it is.** A blend of logistic regression over hashed words and {observations} observations that mean the same in
every language (`classifiers/features.py`), beside the language itself and the kind of voice where they are known, and
of gradient boosted trees over the observations alone; calibrated for
originals and for answers by vector scaling (scales {scale}), then by the language the post is identified as
({calibrated}; others as all together), with thresholds for originals and answers, all found on held-out events
(originals: {offsets[0]};
answers: {offsets[1]}). A tag that stands out by less than {unsure:.2f} is not given: `other`, *unsure*. Seed {seed}.

**What it is for.** A first reading of posts about a watched event, for counting and for a race of claims against
denials that knows this confusion. Not for deciding whether anything is true, nor for judging one person's post.

## Trained on

{sets}
The public sets are research sets; their texts are not redistributed here, and nothing of them is in the artifact but
weights. Where two readers read a post again by the codebook, their tag replaces the public one
(`classifiers/labels/reread.tsv`): of RumourEval's 363 public denials about a third are denials by the codebook.

## Held out

Whole events (RumourEval, celebration), claims (pair sets) and kinds of event (written posts) in five folds; a
post whose text also stands in the fold left out is not trained on; calibration and thresholds come from the other
folds. *Read again* counts only posts read again, RumourEval's weighted back to all of its posts.

{scores}
### By language

Held-out posts whose tag is the codebook's: read again, written, or labelled for this project.

{languages}
## Calibration

Classwise expected calibration error on those posts, ten bins: **{error:.3f}**.

![share of posts for which a tag was true, by the probability forecast](calibration.svg)

## Confusion

On those posts; part of the artifact, with intervals by language.

{confusion}
## Known failures

{failures}
* Denials without a denial word ("I am standing on the bridge") are often taken for claims or other.
* A reply that only makes sense in the thread's argument ("nope" under a denial) is read by its own words first.
* Celebration without its usual words, and sarcasm, are mostly missed; images and links are not read.
* Languages that no lexicon covers fall back on words and parent; their probabilities are a guess near the base rate.
* Only the first 1,000 characters of a post are read.
"""


class HeldOut(NamedTuple):
    """Examples, what is known of them and what the model says when their whole event is left out."""

    examples: pl.DataFrame
    truth: Truth
    decided: Decided

    def tables(self) -> dict[str, Confusion]:
        """Confusion of every set by its own labels, and by corrected ones where posts were read again."""
        sets, truth, given = self.truth.sets, self.truth, self.decided.given
        found = {}
        for name in dict.fromkeys(sets.tolist()):
            chosen = sets == name
            public, again = chosen & (truth.public >= 0), chosen & (truth.weights > 0)
            if not public.any():
                found[name] = confusion(truth.tags[chosen], given[chosen])
                continue
            found[f"{name}: public labels"] = confusion(truth.public[public], given[public])
            if again.any():
                weights = truth.weights[again] if name == "rumoureval2019" else None
                found[f"{name}: read again"] = confusion(truth.tags[again], given[again], weights)
        return found

    def languages(self, least: int = 40) -> dict[str, Confusion]:
        """Confusion of the measured posts by language, largest first."""
        language = np.where(self.truth.measured, self.examples["language"].to_numpy(), "")
        names, sizes = np.unique(language[language != ""], return_counts=True)
        order = [str(names[place]) for place in np.argsort(-sizes, kind="stable") if sizes[place] >= least]
        return {
            name: confusion(self.truth.tags[language == name], self.decided.given[language == name]) for name in order
        }


def model_card(trained: Trained, held_out: HeldOut) -> str:
    """The card's Markdown."""
    sets = [
        [name, _SETS.get(name, ""), ", ".join(f"{posts:,} {tag}" for tag, posts in counts.items())]
        for name, counts in trained.trained_on.items()
    ]
    offsets = [
        ", ".join(f"{tag} {offset:+.1f}" for tag, offset in zip(TAGS, row, strict=True))
        for row in trained.model.offsets.tolist()
    ]
    known = held_out.truth.measured
    return _CARD.format(
        observations=len(trained.model.linear.observed),
        scale=", ".join(f"{each:.2f}" for each in trained.model.calibration.scale),
        calibrated=", ".join(trained.model.calibration.languages) or "none",
        unsure=trained.model.unsure,
        offsets=offsets,
        seed=trained.seed,
        sets=table(["set", "what", "posts"], sets),
        scores=score_table(held_out.tables()),
        languages=score_table(held_out.languages()),
        error=calibration_error(held_out.decided.probabilities[known], held_out.truth.tags[known]),
        confusion=confusion_table(trained.confusion),
        failures=_failures(trained.confusion),
    )


def _failures(counts: Confusion) -> str:
    """The three largest confusions, in words."""
    cells = [
        (int(counts.counts[true, given]), int(counts.counts[true].sum()), str(TAGS[true]), str(TAGS[given]))
        for true in range(len(TAGS))
        for given in range(len(TAGS))
        if true != given and counts.counts[true].sum()
    ]
    worst = sorted(cells, key=lambda cell: (-cell[0] / cell[1], cell[2], cell[3]))[:3]
    return "\n".join(
        f"* {number:,} of {of:,} held-out {true} posts are tagged {given}." for number, of, true, given in worst
    )
