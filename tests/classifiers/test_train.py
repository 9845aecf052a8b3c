"""Training is one deterministic step from labelled posts to an artifact, its card and its picture."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest

from classifiers import data
from classifiers.artifact import load, save
from classifiers.card import model_card
from classifiers.features import FeatureSettings
from classifiers.picture import calibration_picture
from classifiers.tags import TAGS
from classifiers.train import main, train

SETTINGS = FeatureSettings(bits=8)
POSTS = 500


@pytest.fixture(scope="module")
def examples() -> pl.DataFrame:
    return data.written().filter(pl.col("language") == "en").sample(POSTS, seed=1)


def test_the_same_posts_give_the_same_bytes_card_and_probabilities(examples: pl.DataFrame, tmp_path: Path) -> None:
    cards = []
    for name in ("a.npz", "b.npz"):
        trained, features, held_out = train(examples, 1, SETTINGS)
        save(tmp_path / name, trained, features)
        cards.append(model_card(trained, held_out))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert cards[0] == cards[1]
    assert f"| written | {POSTS} |" in cards[0]
    tagger = load(tmp_path / "a.npz")
    assert tagger.confusion.counts.sum() == POSTS
    assert np.array_equal(tagger.languages["all"].counts, tagger.confusion.counts)


def test_training_needs_posts_of_every_tag(examples: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="posts of every tag are needed"):
        train(examples.filter(pl.col("tag") != "celebration"), 1, SETTINGS)


def test_the_picture_is_an_svg_with_a_line_per_tag() -> None:
    chance = np.random.default_rng(1)
    true = chance.integers(0, len(TAGS), 500)
    probabilities = np.full((500, len(TAGS)), 0.1) + 0.5 * np.eye(len(TAGS))[true]
    picture = ET.fromstring(calibration_picture(probabilities, true))  # noqa: S314 - our own picture
    lines = [each for each in picture.iter() if each.tag.endswith("polyline")]
    assert len(lines) == len(TAGS)


def test_a_directory_without_sets_and_corrections_that_are_none_exit_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 2
    assert "holds none of" in capsys.readouterr().err
    wrong = tmp_path / "corrections.tsv"
    wrong.write_text("id\n", encoding="utf-8")
    assert main(["--corrections", str(wrong), "--output", str(tmp_path / "x.npz")]) == 2
    assert "corrections need the columns" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()
