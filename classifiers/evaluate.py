"""`python -m classifiers.evaluate [DATA]`: figures on whole events never trained on, the lexicon beside them."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from classifiers import data
from classifiers.agreement import agreement
from classifiers.artifact import ArtifactError
from classifiers.card import HeldOut
from classifiers.chatter import SHARES, chatter
from classifiers.cues import lexicon_text
from classifiers.features import Features, FeatureSettings
from classifiers.figures import calibration_error, confusion, macro_f1
from classifiers.fit import Rows, cross_fit, fold_of, see_all
from classifiers.lexicon import by_lexicon
from classifiers.measures import DENIAL, Figure, figure, five_way, median_of, share_errors
from classifiers.speed import speed
from classifiers.tables import confusion_table, score_table, table
from classifiers.targets import TARGETS, Target
from classifiers.thresholds import Decided, decided, truth_of
from classifiers.train import OUTPUT

__all__ = ["main"]

SEEDS: Final = (1, 2, 3)
_WORST_LANGUAGE: Final = 40
"""Written posts of a language from which on it is measured by itself."""


class Run(NamedTuple):
    """One seed's held-out posts."""

    held_out: HeldOut
    shares: dict[str, float]


def main(arguments: Sequence[str]) -> int:
    """Runs the command; exit status 0, or 2 where DATA or the model cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.evaluate", description="Measures the tagger.")
    parser.add_argument(
        "data", nargs="?", type=Path, help="directory of the public sets; without it: written posts only"
    )
    parser.add_argument("--model", type=Path, default=OUTPUT, help="the artifact whose speed is measured")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    chosen = parser.parse_args(arguments)
    try:
        examples = data.load(chosen.data)
        fast = speed(chosen.model, examples)
    except (FileNotFoundError, ArtifactError) as error:
        print(error, file=sys.stderr)
        return 2
    for part in _report(examples, chosen.seeds):
        print(part, flush=True)
    print(fast)
    return 0


def _report(examples: pl.DataFrame, seeds: Sequence[int]) -> Iterator[str]:
    rows = see_all(Features(lexicon_text(), FeatureSettings()), examples)
    runs = [_run(rows, examples, seed) for seed in seeds]
    first = runs[0].held_out
    yield "## Figures beside their targets (median of the seeds; 95 % over events; worst seed)\n"
    yield table(["figure", "at least", "aim", "median", "95 % interval", "worst seed"], _targets(runs))
    yield "## Originals about something else that are tagged as claims: written posts, kinds of event left out\n"
    yield _chatter(runs, seeds)
    if (examples["set"] == "rumoureval2019").any():
        yield "## The same recipe trained on RumourEval's public labels, first seed\n"
        yield _public(rows, examples, seeds[0])
    yield "## Held-out figures by set, first seed\n"
    yield score_table(first.tables())
    yield "## Rules over the lexicon, nothing learned\n"
    rules = Decided(first.decided.probabilities, by_lexicon(rows.observed, Features.names))
    yield score_table(HeldOut(examples, first.truth, rules).tables())
    yield "## By language: posts whose tag is the codebook's, first seed\n"
    yield score_table(first.languages())
    yield "## Written posts by kind of event, first seed\n"
    yield table(["kind", "posts", "macro-F1"], _kinds(first))
    yield "## Confusion on posts whose tag is the codebook's, first seed\n"
    known = first.truth.measured
    yield confusion_table(confusion(first.truth.tags[known], first.decided.given[known]))
    yield "## Calibration (classwise expected error, ten bins), first seed\n"
    yield table(["posts", "error"], _calibration(first))
    yield "## The two readings of public posts: agreement, Cohen's kappa, per tag too\n"
    yield agreement()
    yield "## Mean error of the denial share in sets of 200 posts, true shares 2 to 50 %\n"
    yield table(["how", *(f"seed {seed}" for seed in seeds)], _shares(runs))


def _run(rows: Rows, examples: pl.DataFrame, seed: int) -> Run:
    truth = truth_of(examples)
    fold = fold_of(examples["group"], seed)
    logits = cross_fit(rows, examples, truth.tags, examples["weight"].to_numpy(), seed)
    told = decided(logits, truth, fold)
    shares = share_errors(told, truth, fold, examples["group"].to_numpy())
    return Run(HeldOut(examples, truth, told), shares)


def _targets(runs: Sequence[Run]) -> list[list[str]]:
    lines = []
    for target in TARGETS:
        found = [each for run in runs if (each := _figure(target, run.held_out)) is not None]
        if found:
            middle, worst = median_of(found), min(each.value for each in found)
            spread = f"{middle.low:.3f}–{middle.high:.3f}"
            lines.append([target.name, target.least, target.aim, f"**{middle.value:.3f}**", spread, f"{worst:.3f}"])
    worst_language = [min(_languages(run.held_out).items(), key=lambda each: each[1]) for run in runs]
    named = sorted(worst_language, key=lambda each: each[1])
    name, value = named[len(named) // 2]
    lines.append(
        [
            "written: worst language",
            "0.50",
            "0.65",
            f"**{value:.3f}** ({name})",
            "–",
            f"{named[0][1]:.3f} ({named[0][0]})",
        ]
    )
    errors = sorted(float(_calibration(run.held_out)[0][1]) for run in runs)
    lines.append(
        ["calibration error", "0.03", "0.015", f"**{errors[len(errors) // 2]:.3f}**", "–", f"{errors[-1]:.3f}"]
    )
    share = sorted(run.shares["EM"] for run in runs)
    lines.append(
        [
            "error of the corrected denial share (EM)",
            "0.05",
            "0.02",
            f"**{share[len(share) // 2]:.3f}**",
            "–",
            f"{share[-1]:.3f}",
        ]
    )
    return lines


def _chatter(runs: Sequence[Run], seeds: Sequence[int]) -> str:
    told = [chatter(run.held_out) for run in runs]
    lines = [
        ["originals that are other", *(f"{each.posts:,}" for each in told)],
        ["… tagged as claims", *(f"**{each.claimed:.3f}**" for each in told)],
        ["… in the worst kind of event", *(f"{each.worst_claimed:.2f} ({each.worst})" for each in told)],
        ["claims tagged as claims", *(f"{each.recall:.3f}" for each in told)],
    ]
    for place, share in enumerate(SHARES):
        line = [f"{each.precision[place]:.3f}" for each in told]
        lines.append([f"precision of claims, {share:.0%} of originals other", *line])
    return table(["figure", *(f"seed {seed}" for seed in seeds)], lines)


def _figure(target: Target, held_out: HeldOut) -> Figure | None:
    truth, given = held_out.truth, held_out.decided.given
    chosen = truth.sets == target.set
    chosen &= (truth.public >= 0) if target.public else (truth.weights > 0) if target.again else truth.tags >= 0
    if not chosen.any():
        return None
    told = truth.public if target.public else truth.tags
    if target.less_a_thread:
        threads = held_out.examples["root"].to_numpy()
        names, denials = np.unique(threads[chosen & (told == DENIAL)], return_counts=True)
        chosen &= threads != names[denials.argmax()]
    true = told[chosen]
    weights = truth.weights[chosen] if target.again and target.set == "rumoureval2019" else None
    return figure(target.measure, true, given[chosen], held_out.examples["group"].to_numpy()[chosen], weights)


def _public(rows: Rows, examples: pl.DataFrame, seed: int) -> str:
    """RumourEval with its public labels for training, as the published systems have them."""
    truth = truth_of(examples)
    own = truth.sets == "rumoureval2019"
    tags = np.where(own, truth.public, truth.tags)
    weights = np.where(own, 1.0, examples["weight"].to_numpy())
    fold = fold_of(examples["group"], seed)
    told = decided(cross_fit(rows, examples, tags, weights, seed), truth, fold)
    found = HeldOut(examples, truth, told).tables()
    return score_table({name: each for name, each in found.items() if name.startswith("rumoureval2019")})


def _languages(held_out: HeldOut) -> dict[str, float]:
    """Macro-F1 of written posts by language."""
    own = held_out.truth.sets == "written"
    language = np.where(own, held_out.examples["language"].to_numpy(), "")
    found = {}
    for name in sorted(set(language[own].tolist())):
        chosen = language == name
        if chosen.sum() >= _WORST_LANGUAGE:
            found[name] = macro_f1(confusion(held_out.truth.tags[chosen], held_out.decided.given[chosen]))
    return found


def _kinds(held_out: HeldOut) -> list[list[str]]:
    own = held_out.truth.sets == "written"
    group = np.where(own, held_out.examples["group"].to_numpy(), "")
    found = []
    for name in sorted(set(group[own].tolist())):
        chosen = group == name
        score = five_way(confusion(held_out.truth.tags[chosen], held_out.decided.given[chosen]))
        found.append([name, f"{int(chosen.sum()):,}", f"{score:.3f}"])
    return sorted(found, key=lambda line: line[2])


def _calibration(held_out: HeldOut) -> list[list[str]]:
    truth, probabilities = held_out.truth, held_out.decided.probabilities
    chosen = {"all whose tag is the codebook's": truth.measured}
    chosen |= {name: (truth.sets == name) for name in dict.fromkeys(truth.sets.tolist())}
    chosen |= {f"{name}, read again": which & (truth.weights > 0) for name, which in chosen.items()}
    return [
        [name, f"{calibration_error(probabilities[which], truth.tags[which]):.3f}"]
        for name, which in chosen.items()
        if which.any()
    ]


def _shares(runs: Sequence[Run]) -> list[list[str]]:
    return [[name, *(f"{run.shares[name]:.3f}" for run in runs)] for name in runs[0].shares]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
