"""How often an original that is about something else is taken for a claim."""

import numpy as np
import polars as pl
import pytest

from classifiers.card import HeldOut
from classifiers.chatter import chatter
from classifiers.tags import TAGS, Tag
from classifiers.thresholds import Decided, Truth

CLAIM, DENIAL, OTHER = (TAGS.index(tag) for tag in (Tag.CLAIM, Tag.DENIAL, Tag.OTHER))


def held_out(*posts: tuple[str, int, int, int], answers: bool = False, sets: str = "written") -> HeldOut:
    """So many posts of a kind of event, of a tag, given another."""
    told = [(kind, true, given) for kind, true, given, count in posts for _ in range(count)]
    tags, given = (np.array([each[place] for each in told], dtype=np.int64) for place in (1, 2))
    count = len(told)
    every = np.ones(count, dtype=np.bool_)
    truth = Truth(tags, tags, np.full(count, sets), np.zeros(count), every & answers, np.full(count, "en"), every)
    examples = pl.DataFrame({"group": [each[0] for each in told]})
    return HeldOut(examples, truth, Decided(np.zeros((count, len(TAGS))), given))


def test_the_worst_kind_and_the_precision_at_a_share_of_other_are_told() -> None:
    found = chatter(
        held_out(
            ("bank", OTHER, CLAIM, 5),
            ("bank", OTHER, OTHER, 15),
            ("storm", OTHER, OTHER, 20),
            ("tiny", OTHER, CLAIM, 1),
            ("bank", CLAIM, CLAIM, 6),
            ("bank", CLAIM, OTHER, 4),
            ("storm", DENIAL, CLAIM, 2),
            ("storm", DENIAL, DENIAL, 8),
        )
    )
    assert (found.posts, found.worst, found.worst_claimed) == (41, "bank", 0.25)
    assert found.claimed == pytest.approx(6 / 41)
    assert found.recall == pytest.approx(0.6)
    # of 20 posts that are not other 6 hits and 2 wrong; as many, or nine times as many, others
    assert found.precision == pytest.approx((6 / (8 + 20 * 6 / 41), 6 / (8 + 180 * 6 / 41)))


@pytest.mark.parametrize(("answers", "sets"), [(True, "written"), (False, "rumoureval2019")])
def test_answers_and_public_posts_do_not_count(answers: bool, sets: str) -> None:  # noqa: FBT001
    found = chatter(held_out(("bank", OTHER, CLAIM, 20), answers=answers, sets=sets))
    assert (found.posts, found.claimed, found.worst) == (0, 0.0, "")
