"""Writes the model card that lies beside an artifact."""

from collections.abc import Mapping

from classifiers.artifact import Trained
from classifiers.figures import Confusion
from classifiers.tables import confusion_table, score_table, table
from classifiers.tags import TAGS

__all__ = ["model_card"]

_SETS = {
    "rumoureval2019": "SemEval-2019 task 7 stance threads (Twitter, Reddit), English; research use",
    "farexstance_fa": "FarExStance claim–headline pairs, Persian; research use",
    "ans_ar": "Arabic News Stance sentence pairs; research use; half of it",
    "austr_ar": "AuSTR, Arabic rumours with authorities' posts; research use",
    "emergent_en": "Emergent claim–headline pairs, English; research use",
    "celebration": "posts labelled for this project by reading public posts; one annotator",
    "crisislex_t26": "CrisisLex T26, sample of sympathy, donations, unrelated; MIT",
    "written": "written for this project; part of the repository",
}

_CARD = """# Model card: the tagger

Written by the training command; do not edit. The five tags are those of `classifiers/tags.py`.

**What it is.** Multinomial logistic regression on hashed words, word pairs, stems and about 150 yes-or-no
cue features (`classifiers/features.py`), probabilities scaled by one temperature ({temperature}), one threshold per tag
({offsets}) found on held-out events. Seed {seed}.

**What it is for.** A first reading of posts about a watched event, for counting and for a race of claims against
denials that knows this confusion. Not for deciding whether anything is true, nor for judging one person's post.

## Trained on

{sets}
The public sets are research sets; their texts are not redistributed here, and nothing of them is in the artifact but
weights. Denial labels of RumourEval are noisy against the codebook: about four in ten of a sample were no denials.

## Held out

Whole events (RumourEval, celebration), claims (pair sets) and kinds of event (written posts) in five folds; a
post whose text also stands in the fold left out is not trained on; temperature and thresholds come from the other
folds.

{scores}
## Confusion

On the held-out posts of RumourEval, the celebration set and the written posts together; part of the artifact.

{confusion}
## Known failures

{failures}
* Denials without a denial word ("I am standing on the bridge") are often taken for claims or other.
* Celebration without its usual words, and sarcasm, are mostly missed.
* A reply is read with its parent alone, not with the thread; images and links are not read.
* Languages that no lexicon covers fall back on words and parent; their probabilities are a guess near the base rate.
* Only the first 1,000 characters of a post are read.
"""


def model_card(trained: Trained, tables: Mapping[str, Confusion]) -> str:
    """The card's Markdown."""
    sets = [
        [name, _SETS.get(name, ""), ", ".join(f"{posts:,} {tag}" for tag, posts in counts.items())]
        for name, counts in trained.trained_on.items()
    ]
    offsets = zip(TAGS, trained.model.offsets.tolist(), strict=True)
    return _CARD.format(
        temperature=trained.model.temperature,
        offsets=", ".join(f"{tag} {offset:+.1f}" for tag, offset in offsets),
        seed=trained.seed,
        sets=table(["set", "what", "posts"], sets),
        scores=score_table(tables),
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
