"""Does the race keep its promise? Long simulations (make prove) whose tables go to docs/evaluation.md."""

import sys

import numpy as np
import numpy.typing as npt
import pytest

from monitor.judge.race import EVEN, Dispersion, dispersion, log_e, log_e_bound

ALPHA = 0.05
LENGTHS = (200, 1_000, 3_000)
REWORDED = 0.3

Flags = npt.NDArray[np.bool_]


def cascades(rng: np.random.Generator, size: int, share: float, branching: float) -> tuple[Flags, Flags]:
    """A self-exciting stream: which posts are claims, and which are reshares; in order of time.

    Roots come at an even rate, `share` of them claims; each post has Poisson(`branching`) children of its own side,
    exponentially later: on average while thirty roots come.
    """
    roots = int(size * (1 - branching) * 1.3) + 100
    times = [np.cumsum(rng.exponential(1, roots))]
    sides = [rng.random(roots) < share]
    reshare = [np.zeros(roots, np.bool_)]
    while branching and times[-1].size:
        children = rng.poisson(branching, times[-1].size)
        sides.append(np.repeat(sides[-1], children))
        times.append(np.repeat(times[-1], children) + rng.exponential(30, int(children.sum())))
        reshare.append(np.ones(int(children.sum()), np.bool_))
    order = np.argsort(np.concatenate(times))[:size]
    return np.concatenate(sides)[order], np.concatenate(reshare)[order]


def alarms(claim: Flags, *, tempered: bool) -> int | None:
    """How many originals it took until log E was enough; None if it never was."""
    claims, total = np.cumsum(claim.astype(np.int64)), np.arange(1, claim.size + 1)
    level = dispersion(Dispersion(), claims, total)[0] if tempered else np.ones(claim.size)
    needed = -np.log(ALPHA) * level
    at = np.flatnonzero(log_e_bound(claims, total - claims, np.full(claim.size, EVEN)) >= needed)
    found = at[log_e(claims[at], (total - claims)[at]) >= needed[at]]
    return int(found[0]) + 1 if found.size else None


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def ever(runs: int, size: int, branching: float, view: str, *, tempered: bool) -> float:
    """The share of runs of equal sides that ever alarm."""
    rng = np.random.default_rng([size, round(branching * 10)])
    fired = 0
    for _ in range(runs):
        claim, reshare = cascades(rng, size, 0.5, branching)
        reworded = rng.random(claim.size) < REWORDED
        shown = {"raw": claim, "originals": claim[~reshare], "reworded": claim[~reshare | reworded]}[view]
        fired += alarms(shown, tempered=tempered) is not None
    return fired / runs


@pytest.mark.prove
@pytest.mark.parametrize("tempered", [False, True])
def test_equal_sides_hardly_ever_alarm(*, tempered: bool) -> None:
    runs = 400
    say(f"\never alarms, equal sides, {runs} runs, {'tempered' if tempered else 'plain'} e-value, alpha {ALPHA}")
    say("branching  posts    " + "".join(f"{size:>9,}" for size in LENGTHS))
    for branching in (0.0, 0.3, 0.5, 0.7):
        for view in ("raw", "originals", "reworded") if branching else ("originals",):
            shares = [ever(runs, size, branching, view, tempered=tempered) for size in LENGTHS]
            say(f"{branching:>9}  {view:<9}" + "".join(f"{share:>9.3f}" for share in shares))
            if view == "originals":
                assert max(shares) <= ALPHA + 2 * (ALPHA / runs) ** 0.5


@pytest.mark.prove
def test_a_faster_claim_alarms_about_as_soon_as_the_anchor_says() -> None:
    rng = np.random.default_rng(7)
    say("\nmean originals to alarm      ratio 2   ratio 3   ratio 5     (anchor 70 / 29 / 16)")
    for tempered in (False, True):
        means = []
        for ratio in (2, 3, 5):
            waits = [alarms(rng.random(3_000) < ratio / (ratio + 1), tempered=tempered) for _ in range(500)]
            means.append(float(np.mean([wait if wait is not None else 3_000 for wait in waits])))
        say(f"{'tempered' if tempered else 'plain':<26}" + "".join(f"{mean:>10.1f}" for mean in means))
        assert means[0] <= 100
        assert means[2] <= 20
