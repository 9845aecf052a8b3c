import re
from pathlib import Path

import numpy as np
import pytest

from monitor.demo import cascades, roles, story, texts
from monitor.demo.story import NAMES, Scenario, Strand


@pytest.mark.parametrize("name", NAMES)
def test_every_pool_a_scenario_names_has_stems_in_some_language(name: str) -> None:
    told = story.load(name)
    book = texts.load(told.texts)
    for strand in told.strands:
        assert any(book.stems(language, strand.pool) for language in told.languages), strand.pool
        for moment in strand.moments:
            assert book.stems(moment.language, moment.pool), moment.pool
            assert moment.pool.split("/")[0] == strand.pool.split("/")[0]
    for burst in told.bursts:
        assert book.stems(burst.language, burst.pool)


@pytest.mark.parametrize("name", NAMES)
def test_every_language_can_answer_everything(name: str) -> None:
    told = story.load(name)
    book = texts.load(told.texts)
    for language in roles.names(told).languages:
        for answer in roles.ANSWERS:
            assert book.stems(language, f"answer/{answer}"), (language, answer)


@pytest.mark.parametrize("name", NAMES)
def test_every_slot_of_a_stem_can_be_filled_and_no_brace_stays_open(name: str) -> None:
    book = texts.load(story.load(name).texts)
    for language, pool, stems in book.items():
        for stem in stems:
            for slot in re.findall(r"\{(\w+)\}", stem):
                filled = slot in {"n", "h", "url"} or book.stems(language, f"slot/{slot}")
                assert filled, (language, pool, stem)
            assert not re.search(r"[{}]", re.sub(r"\{\w+\}", "", stem)), (language, pool, stem)


def test_a_stem_before_the_first_pool_is_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.en.txt").write_text("lost words\n[claim/x]\nfound words\n")
    monkeypatch.setattr(texts, "TEXTS", tmp_path)
    with pytest.raises(ValueError, match=r"odd\.en\.txt.*lost words"):
        texts.load(["odd"])


def test_arrivals_follow_their_curve() -> None:
    hours = cascades.arrivals(np.random.default_rng(1), ((0, 0), (5, 0), (5.001, 1), (10, 1)), 4000)
    assert hours.min() > 4.9
    assert abs(hours.mean() - 7.5) < 0.1
    assert abs(len(hours) - 4000) < 300


def test_descendants_are_as_many_as_the_branching_ratio_says_and_never_before_their_parent() -> None:
    strand = Strand(pool="other/x", share=0.5, curve=((0, 1), (1, 1)), branching=0.5)
    told = story.load("quiet-week")
    tree = cascades.grow(np.random.default_rng(2), strand, 20_000, told)
    children = tree.parent >= 0
    assert abs(children.mean() - 0.5) < 0.02
    assert (tree.hour[children] > tree.hour[tree.parent[children]]).all()
    assert (tree.generation[children] == tree.generation[tree.parent[children]] + 1).all()


def test_no_scenario_is_left_half_told() -> None:
    for name in NAMES:
        told: Scenario = story.load(name)
        assert told.name == name
        assert all(strand.curve[-1][0] <= told.hours for strand in told.strands)
        assert all(a[0] < b[0] for strand in told.strands for a, b in zip(strand.curve, strand.curve[1:], strict=False))
