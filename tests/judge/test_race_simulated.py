"""Does the race keep its promise? Long simulations (make prove) whose tables go to docs/evaluation.md."""

import sys

import numpy as np
import pytest

import classifiers.train
from classifiers.artifact import load
from monitor.judge.race import alpha_of_start
from monitor.judge.rates import Rates
from tests.judge.crowds import Seen, Stream, alarm, drawn, stood_down, streams, tagged

ALPHA = 0.05
LENGTHS = (200, 1_000, 3_000)
RUNS = 1_000
CELLS = [(0.0, 0.0), *((b, r) for b in (0.3, 0.5, 0.7) for r in (0.0, 0.1, 0.3))]
PERFECT = np.eye(5)
ERRS = 0.15
SYMMETRIC = np.eye(5) * (1 - ERRS) + np.eye(5)[[1, 0, 2, 3, 4]] * ERRS
SYMMETRIC[2:] = np.eye(5)[2:]
KNOWN_WELL = 1_000_000
"""Posts per tag the symmetric tagger was tried on."""
SLACK = 2 * (ALPHA * (1 - ALPHA) / RUNS) ** 0.5


def shipped() -> Rates:
    """The shipped tagger's rates and their intervals over whole events."""
    known = load(classifiers.train.OUTPUT).languages["all"]
    return Rates(known.rate, known.low, known.high)


def symmetric() -> Rates:
    return Rates.of_counts((SYMMETRIC * KNOWN_WELL).astype(np.int64))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def ever(
    branching: float,
    reworded: float,
    rates: Rates | None,
    rate: np.ndarray | None,
    others: float,
    *,
    linked: bool = True,
) -> list[float]:
    """The share of runs of equal sides that ever alarm within LENGTHS originals on a side; `rate` None: drawn anew."""
    rng = np.random.default_rng([round(branching * 10), round(reworded * 10), round(others * 10), linked])
    found = []
    for stream in streams(rng, RUNS, LENGTHS[-1], branching, reworded):
        own = drawn(rng, rates) if rate is None and rates is not None else rate
        seen = tagged(rng, stream, PERFECT if own is None else own, others)
        fired = alarm(seen, rates, ALPHA, linked=linked)
        found.append(np.inf if fired is None else fired[0] * (1 - others))
    return [float(np.mean(np.array(found) <= size)) for size in LENGTHS]


def table(title: str, rows: dict[str, list[float]]) -> float:
    """Prints shares of runs by length; gives the worst."""
    say(f"\n{title}, {RUNS:,} runs a cell, alpha {ALPHA}")
    say(f"{'branching, reworded':<24}" + "".join(f"{size:>8,}" for size in LENGTHS))
    for name, shares in rows.items():
        say(f"{name:<24}" + "".join(f"{share:>8.3f}" for share in shares))
    worst = max(max(shares) for shares in rows.values())
    say(f"worst {worst:.3f}")
    return worst


@pytest.mark.prove
@pytest.mark.parametrize(
    ("name", "others"), [("perfect", 0.0), ("symmetric", 0.0), ("shipped", 0.3), ("shipped", 0.5), ("shipped", 0.8)]
)
def test_equal_sides_hardly_ever_alarm(name: str, others: float) -> None:
    rates = {"perfect": None, "symmetric": symmetric(), "shipped": shipped()}[name]
    rate = {"perfect": PERFECT, "symmetric": SYMMETRIC, "shipped": None}[name]
    rows = {f"{b}, {r:.0%}": ever(b, r, rates, rate, others) for b, r in CELLS}
    assert table(f"ever alarms, equal sides, {name} tags, {others:.0%} others", rows) <= ALPHA + SLACK


@pytest.mark.prove
def test_what_is_reworded_without_a_link_is_caught_in_part() -> None:
    rows = {f"{b}, {r:.0%}": ever(b, r, None, PERFECT, 0.0, linked=False) for b, r in CELLS[4:]}
    assert table("the same, perfect tags, reworded children that answer nothing", rows) <= 0.2


def waits(ratio: float, rates: Rates | None, rate: np.ndarray, others: float, most: int) -> tuple[float, float, float]:
    """Mean originals on a side to the alarm; share of runs that alarm; mean, those that do not at `most`."""
    rng = np.random.default_rng([7, round(ratio), round(others * 10)])
    found = []
    for _ in range(RUNS):
        claim = rng.random(most) < ratio / (ratio + 1)
        fired = alarm(tagged(rng, Stream(claim, np.arange(most)), rate, others), rates, ALPHA)
        found.append(np.inf if fired is None else fired[0] * (1 - others))
    waited = np.array(found)
    some = waited[np.isfinite(waited)]
    return float(some.mean()) if some.size else np.inf, some.size / RUNS, float(np.minimum(waited, most).mean())


@pytest.mark.prove
def test_a_faster_claim_alarms_about_as_soon_as_the_anchor_says() -> None:
    say(f"\nmean originals on a side to the alarm at ratio 2 / 3 / 5, first start, {RUNS:,} runs")
    for name, rates, rate, bounds in (
        ("perfect tags (Wald 53 / 23 / 12)", None, PERFECT, (74, 32, 17)),
        ("15 % symmetric error", symmetric(), SYMMETRIC, (165, 67, 36)),
    ):
        means = [waits(ratio, rates, rate, 0.0, 1_500)[2] for ratio in (2, 3, 5)]
        say(f"{name:<36}" + "".join(f"{mean:>8.1f}" for mean in means))
        assert all(mean <= bound * 1.03 for mean, bound in zip(means, bounds, strict=True))
    rates = shipped()
    for others in (0.0, 0.3, 0.5, 0.8):
        told = [waits(ratio, rates, rates.rate, others, 3_000) for ratio in (2, 3, 5, 20)]
        cells = "".join(f"{mean:>8.0f} ({share:.0%})" for mean, share, _ in told)
        say(f"{f'shipped tagger, {others:.0%} others':<36}{cells}   ratio 2 / 3 / 5 / 20; of 3,000, share that alarm")


@pytest.mark.prove
def test_all_starts_of_thirty_days_together_hardly_ever_alarm() -> None:
    say(f"\never alarms over all starts of 30 days, each from the post after a tag-blind spike, {RUNS:,} runs")
    for starts in (1, 5, 20):
        shares = []
        for branching, reworded in ((0.0, 0.0), (0.5, 0.1), (0.7, 0.3)):
            rng = np.random.default_rng([starts, round(branching * 10)])
            told = streams(rng, RUNS * starts, 300, branching, reworded)
            fired = np.zeros(RUNS, np.bool_)
            for number, stream in enumerate(told):
                seen = Seen(np.where(stream.claim, 0, 1), stream.root)
                k = number // RUNS + 1
                fired[number % RUNS] |= alarm(seen, None, alpha_of_start(ALPHA, k)) is not None
            shares.append(float(fired.mean()))
        say(
            f"{starts:>3} starts of 300 originals, branching 0 / 0.5 / 0.7: " + " ".join(f"{one:.3f}" for one in shares)
        )
        assert max(shares) <= ALPHA + SLACK


def stands_down(ratio: float, branching: float, rates: Rates | None, rate: np.ndarray, runs: int) -> list[int]:
    """The originals after which runs of up to 1,000 are stood down; `ratio`: true claims for each denial."""
    rng = np.random.default_rng([9, round(10 * ratio), round(10 * branching)])
    told = streams(rng, runs, LENGTHS[1], branching, 0.3, share=ratio / (ratio + 1))
    spent = alpha_of_start(ALPHA, 1)
    found = (stood_down(tagged(rng, stream, rate, 0.0), rates, spent) for stream in told)
    return [one for one in found if one is not None]


BIASED = np.eye(5)
BIASED[0, :2] = 0.75, 0.25
"""Equal sides are shown as 38 to 62."""


def test_a_claim_that_leads_is_hardly_ever_stood_down_though_its_tags_favour_denials() -> None:
    known = Rates.of_counts((BIASED * KNOWN_WELL).astype(np.int64))
    assert len(stands_down(1.2, 0.0, known, BIASED, 25)) <= 25 * ALPHA
    assert len(stands_down(1.2, 0.0, None, BIASED, 25)) > 12, "even odds are not even where the tagger errs"
    assert len(stands_down(0.25, 0.0, known, BIASED, 25)) > 22


@pytest.mark.prove
def test_a_claim_that_leads_is_stood_down_no_more_often_than_announced() -> None:
    runs = RUNS // 4
    ratios = (2.0, 1.5, 1.2, 1.0, 0.5, 0.25)
    known = shipped()
    say(f"\nraces that denials end within {LENGTHS[1]:,} originals by true claims for each denial, {runs} runs a cell")
    say("in brackets the median of originals to it; a lull's half hour left out")
    say(f"{'tagger, branching':<28}" + "".join(f"{ratio:>14}" for ratio in ratios))
    for name, rates, rate in (
        ("perfect", None, PERFECT),
        ("15 %", symmetric(), SYMMETRIC),
        ("shipped", known, known.rate),
    ):
        for branching in (0.0, 0.7):
            told = [stands_down(ratio, branching, rates, rate, runs) for ratio in ratios]
            cells = (f"{len(one) / runs:.3f} ({np.median(one) if one else 0:.0f})" for one in told)
            say(f"{f'{name}, {branching}':<28}" + "".join(f"{cell:>14}" for cell in cells))
            worst = max(len(one) for one in told[:4]) / runs
            assert worst <= ALPHA + 2 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
