"""Language and voice as observations."""

import numpy as np
import polars as pl
import pytest

from classifiers import data
from classifiers.artifact import load
from classifiers.features import Features
from classifiers.languages import load_languages
from classifiers.origin import ORIGIN_FEATURES, SURE, UNKNOWN, VOICES, Origin, nobody, origin_features
from classifiers.train import OUTPUT
from monitor.watched import VoiceKind

TEXTS = pl.Series(["Our verdict: the foam is from 2016", "قلعه سقوط کرد", "hm"])
NOTHING = pl.Series(["", "", ""])


def observed(languages: list[str], sure: list[int], voices: list[str | None] | None) -> list[dict[str, int]]:
    kinds = None if voices is None else pl.Series(voices, dtype=pl.String)
    rows = origin_features(Origin(pl.Series(languages, dtype=pl.String), np.array(sure, dtype=np.uint8), kinds))
    return [{name: value for name, value in zip(ORIGIN_FEATURES, row, strict=True) if value} for row in rows.tolist()]


def test_language_and_voice_are_one_observation_each() -> None:
    assert observed(["fa", "sw", UNKNOWN], [20, 11, 0], ["party", None, "fact-checker"]) == [
        {"language:fa": 1, "language:sure": 20, "voice:party": 1},
        {"language:another": 1, "language:sure": 11},
        {"voice:fact-checker": 1},
    ]


def test_nothing_is_observed_of_what_is_unknown() -> None:
    assert not origin_features(nobody(3)).any()
    assert observed([UNKNOWN], [0], None) == [{}]
    assert origin_features(nobody(0)).shape == (0, len(ORIGIN_FEATURES))


def test_the_kinds_of_voice_are_those_of_event_files() -> None:
    assert set(VOICES) == {kind.value for kind in VoiceKind}


def test_a_language_is_told_with_how_sure_it_is() -> None:
    origin = load_languages().origin(pl.Series(["The bridge is closed and nobody knows for how long", "", "??"]))
    assert origin.languages.to_list() == ["en", UNKNOWN, UNKNOWN]
    assert origin.sure.tolist() == [SURE, 0, 0]


@pytest.mark.parametrize("voices", [None, ["fact-checker", "party", None]])
def test_a_tagger_reads_the_same_in_any_batch_whoever_speaks(voices: list[str | None] | None) -> None:
    kinds = None if voices is None else pl.Series(voices, dtype=pl.String)
    tagger, origin = load(OUTPUT), load_languages().origin(TEXTS, kinds)
    together = tagger.probabilities(TEXTS, NOTHING, origin=origin)
    alone = [
        tagger.probabilities(TEXTS[at : at + 1], NOTHING[:1], origin=origin.of(np.array([at])))[0] for at in range(3)
    ]
    assert together.tolist() == [row.tolist() for row in alone]


def test_a_voice_moves_what_its_post_is_read_as() -> None:
    tagger, known = load(OUTPUT), load_languages()
    told = [
        tagger.probabilities(TEXTS[:1], NOTHING[:1], origin=known.origin(TEXTS[:1], pl.Series([kind], dtype=pl.String)))
        for kind in (None, *VOICES)
    ]
    assert len({tuple(row[0]) for row in told}) > 1


def test_written_posts_of_voices_are_of_every_kind() -> None:
    voiced = data.written().filter(pl.col("voice").is_not_null())
    assert set(voiced["voice"]) == set(VOICES)
    assert set(Features.names) >= set(ORIGIN_FEATURES)
