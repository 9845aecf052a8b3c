"""What a post says of an event beyond its names."""

import polars as pl
import pytest

from classifiers.cues import lexicon_text
from classifiers.features import Features, FeatureSettings
from classifiers.reading import Watched, posts

FEATURES = Features(lexicon_text(), FeatureSettings(bits=12))
NAMES = "ada stone | adastone | آدا استون | 石雅"
WORDINGS = "The painter Ada Stone has vanished | آدا استون ناپدید شد | 石雅失踪了"
PROPOSITION = "The painter Ada Stone has vanished"


def seen(*texts: str, names: str | None = NAMES, answer: bool = False) -> list[dict[str, int]]:
    count = len(texts)
    watched = Watched(pl.Series([names] * count, dtype=pl.String), pl.Series([WORDINGS] * count))
    parents, answers = pl.Series([PROPOSITION] * count), pl.Series([answer] * count)
    batch = posts(pl.Series(texts), parents, None, answers, watched=watched)
    return [dict(zip(FEATURES.names, row, strict=True)) for row in FEATURES.see(batch).observed.tolist()]


def test_a_post_that_shares_the_names_only_asserts_nothing() -> None:
    about, claims = seen("Ada Stone opens a bakery in Lyon", "They say Ada Stone vanished on Sunday")
    assert (about["names:only"], about["asserts:shared"], about["asserts:near"]) == (1, 0, 0)
    assert (claims["names:only"], claims["asserts:shared"], claims["asserts:near"]) == (0, 1, 1)
    assert about["names:shared"] == 1, "three letters are no word that tells"
    assert about["names:opening"] == 1


@pytest.mark.parametrize("text", ["آدا استون ناپدید شده است", "石雅昨天失踪", "ada stone VANISHED"])
def test_a_claim_is_read_against_every_wording_in_any_language(text: str) -> None:
    assert seen(text)[0]["asserts:shared"] >= 1


def test_what_stands_far_from_the_name_is_not_near_it() -> None:
    far = seen("vanished, like so many of my socks this week, and now back to the gallery of Stone")[0]
    assert (far["asserts:shared"], far["asserts:near"]) == (1, 0)


@pytest.mark.parametrize(("names", "answer"), [("", False), (None, False), (NAMES, True)])
def test_an_answer_and_a_post_of_an_event_without_names_share_none(names: str | None, answer: bool) -> None:  # noqa: FBT001
    post = seen("Ada Stone vanished", names=names, answer=answer)[0]
    assert [post[name] for name in ("names:shared", "names:only", "asserts:shared", "asserts:near")] == [0] * 4


def test_what_is_asserted_does_not_depend_on_the_batch() -> None:
    texts = ("Ada Stone vanished", "", "Stone fair", "石雅失踪", "adastone 🎉")
    assert [seen(text)[0] for text in texts] == seen(*texts)
