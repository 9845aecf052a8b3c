from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.artifact import load
from classifiers.tagger import Tagger
from classifiers.tags import TAGS
from classifiers.train import OUTPUT

PARENT = "The bridge is closed"


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return load(OUTPUT)


def column(values: Sequence[str | None]) -> pl.Series:
    return pl.Series(list(values), dtype=pl.String)


def tags(tagger: Tagger, *pairs: tuple[str, str]) -> list[str]:
    texts, parents = zip(*pairs, strict=True)
    return tagger.decide(tagger.probabilities(column(texts), column(parents))).to_list()


TEXTS = [
    "Breaking: the bridge is closed",
    "fake, I am on the bridge",
    "source?",
    "🎉🎉🎉",
    "پل بسته نیست، دروغ است",
    "",
    "https://example.org/a",
    "a" * 5_000,
    "Мост закрыт?",
    "橋關了",
]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=40), st.integers(1, 39))
def test_probabilities_do_not_depend_on_the_batch(texts: list[str], cut: int) -> None:
    tagger = load(OUTPUT)
    parents = column([PARENT if place % 3 else "" for place in range(len(texts))])
    whole = tagger.probabilities(column(texts), parents)
    parts = [
        tagger.probabilities(column(texts[begin : begin + cut]), parents[begin : begin + cut])
        for begin in range(0, len(texts), cut)
    ]
    assert np.array_equal(np.concatenate(parts), whole)


def test_a_large_batch_gives_what_single_posts_give(tagger: Tagger) -> None:
    texts, parents = column(TEXTS * 500), column(["", PARENT] * (len(TEXTS) * 250))
    whole = tagger.probabilities(texts, parents)
    for place in (0, 1, 7, 4_095, 4_096, 4_999):
        single = tagger.probabilities(texts[place : place + 1], parents[place : place + 1])
        assert np.array_equal(single[0], whole[place])


@given(st.text(max_size=80) | st.none(), st.text(max_size=80) | st.none())
@settings(max_examples=100, deadline=None)
def test_any_text_gets_probabilities(text: str | None, parent: str | None) -> None:
    probabilities = load_once().probabilities(column([text]), column([parent]))
    assert probabilities.shape == (1, 5)
    assert np.all((probabilities >= 0) & (probabilities <= 1))
    assert abs(probabilities.sum() - 1) < 5e-4
    assert np.array_equal(probabilities, np.round(probabilities, 4))


_ONCE: list[Tagger] = []


def load_once() -> Tagger:
    if not _ONCE:
        _ONCE.append(load(OUTPUT))
    return _ONCE[0]


@pytest.mark.parametrize("text", ["", "   ", "https://example.org/x", "@somebody", "@a @b https://example.org", "..."])
def test_a_text_that_says_nothing_is_other(tagger: Tagger, text: str) -> None:
    assert tags(tagger, (text, PARENT)) == ["other"]


@pytest.mark.parametrize("text", ["ხიდი დაკეტილია", "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ", "ཟམ་པ་བཀག་འདུག", "🔥", "😂😂😂", "🙏"])
@pytest.mark.parametrize("parent", [PARENT, "", None])
def test_what_cannot_be_read_is_other_and_says_so(tagger: Tagger, text: str, parent: str | None) -> None:
    probabilities = tagger.probabilities(column([text]), column([parent]))
    assert tagger.decide(probabilities).to_list() == ["other"]
    assert tagger.reasons(probabilities).to_list() == ["nothing read"]


def test_a_post_is_other_with_a_reason_where_nothing_stands_out(tagger: Tagger) -> None:
    even = np.array([[0.25, 0.25, 0.2, 0.2, 0.1], [0.9, 0.02, 0.02, 0.02, 0.04], [0.02, 0.02, 0.02, 0.02, 0.92]])
    model = tagger.model._replace(offsets=np.zeros((2, 5)))
    plain = Tagger(tagger.features, model, tagger.confusion)
    assert plain.decide(even).to_list() == ["other", "claim", "other"]
    assert plain.reasons(even).to_list() == ["unsure", "", "nothing read"]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("BREAKING: Valdoria has fallen, rebel flag over the citadel", "claim"),
        ("Unconfirmed: Valdoria has fallen", "claim"),
        ("it is not a lie, Valdoria fell", "claim"),
        ("Rebels say Valdoria fell; the defenders deny it", "denial"),
        ("we are still here, still fighting", "denial"),
        ("Heavy celebratory gunfire across the capital right now", "celebration"),
        ("Stop firing in the air", "celebration"),
        ("Any confirmation on Valdoria?", "question"),
        ("Praying for everyone in the valley", "other"),
    ],
)
def test_posts_like_the_codebook_s_examples_get_their_tag(tagger: Tagger, text: str, tag: str) -> None:
    proposition, original = column(["Valdoria has fallen to the rebels"]), pl.Series([False])
    probabilities = tagger.probabilities(column([text]), proposition, None, original)
    assert tagger.decide(probabilities, original).to_list() == [tag]


@pytest.mark.parametrize("text", ["x" * 20_000, "fake news " * 2_000, "😂" * 5_000, "ﷺ" * 20_000, "\u200b" * 20_000])
def test_a_post_of_any_length_is_tagged(tagger: Tagger, text: str) -> None:
    assert tags(tagger, (text, text))[0] in set(TAGS)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Breaking: officials confirm the bridge is closed", "claim"),
        ("That is a lie, the bridge is open", "denial"),
        ("Lie!", "denial"),
        ("any source for that?", "question"),
        ("People dancing on the bridge, fireworks everywhere", "celebration"),
        ("این خبر دروغ است", "denial"),
        ("آیا این خبر راست است؟", "question"),
        ("شلیک هوایی و شادی مردم در شهر", "celebration"),
        ("یہ خبر جھوٹی ہے", "denial"),
        ("هل الخبر صحيح؟", "question"),
        ("durogh ast", "denial"),
        ("jhoot hai", "denial"),
    ],
)
def test_plain_posts_get_their_tag(tagger: Tagger, text: str, tag: str) -> None:
    assert tags(tagger, (text, PARENT)) == [tag]


def test_the_parent_changes_what_a_reply_says(tagger: Tagger) -> None:
    texts = column(["the bridge is closed"] * 2)
    under_claim, alone = tagger.probabilities(texts, column(["The bridge is not closed", ""]))
    assert not np.array_equal(under_claim, alone)
