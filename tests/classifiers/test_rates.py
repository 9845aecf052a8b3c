"""Shares corrected by the tagger's rates find the truth that raw counts miss."""

import numpy as np
import pytest

from classifiers.rates import adjusted_shares, em_shares, rates
from classifiers.tags import TAGS

SIZE = len(TAGS)
LEAKY = np.full((SIZE, SIZE), 0.05) + np.eye(SIZE) * 0.75
LEAKY[1] = (0.3, 0.45, 0.05, 0.05, 0.15)
SHARES = np.array([0.4, 0.3, 0.05, 0.05, 0.2])


def tagged(posts: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    true = chance.choice(SIZE, posts, p=SHARES)
    given = np.array([chance.choice(SIZE, p=LEAKY[tag]) for tag in true])
    return true, given


def test_an_adjusted_count_undoes_the_leak() -> None:
    _, given = tagged(4_000, 1)
    counts = np.bincount(given, minlength=SIZE)
    assert abs(counts[1] / counts.sum() - SHARES[1]) > 0.08
    assert np.abs(adjusted_shares(counts, LEAKY) - SHARES).max() < 0.04


def test_expectation_maximisation_undoes_another_prior() -> None:
    true, _ = tagged(4_000, 2)
    chance = np.random.default_rng(3)
    signs = np.eye(SIZE)[true] * 2.0 + chance.normal(0, 1, (len(true), SIZE))
    powers = np.exp(2.0 * signs)
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    flat = np.full(SIZE, 1 / SIZE)
    found = em_shares(probabilities, flat)
    assert np.abs(found - SHARES).max() < np.abs(probabilities.mean(axis=0) - SHARES).max()
    assert np.abs(found - SHARES).max() < 0.04


@pytest.mark.parametrize("count", [0, 1])
def test_shares_of_next_to_nothing_are_shares(count: int) -> None:
    found = adjusted_shares(np.array([count, 0, 0, 0, 0]), LEAKY)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1 if count else found.sum())


def test_intervals_hold_the_rates_and_narrow_with_more_events() -> None:
    few, many = (
        rates(*tagged(posts, 5), [str(place % events) for place in range(posts)])
        for posts, events in ((100, 4), (4_000, 160))
    )
    for each in (few, many):
        assert np.allclose(each.rate.sum(axis=1), 1)
        assert (each.low <= each.rate).all()
        assert (each.rate <= each.high).all()
    assert (many.high - many.low)[1].mean() < (few.high - few.low)[1].mean()
    assert ((many.low <= LEAKY) & (many.high >= LEAKY)).mean() > 0.85


def test_a_tag_never_seen_is_unknown_and_says_so() -> None:
    told = rates(np.array([0, 0]), np.array([0, 1]), ["a", "b"])
    assert (told.high - told.low)[2].min() > 0.5
