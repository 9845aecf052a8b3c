from pathlib import Path

import polars as pl
import pytest

from classifiers.artifact import ArtifactError
from classifiers.languages import UNKNOWN, Languages, load_languages
from classifiers.train import OUTPUT


@pytest.fixture(scope="module")
def languages() -> Languages:
    return load_languages()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The bridge is closed and nobody knows for how long", "en"),
        ("پل بسته است و هیچ کس نمی‌داند چرا", "fa"),
        ("پل بند ہے اور کسی کو معلوم نہیں کیوں", "ur"),
        ("پله بنده ده او هېڅوک نه پوهېږي چې ولې", "ps"),
        ("الجسر مغلق ولا أحد يعرف لماذا", "ar"),
        ("پل ko band kar dia gaya hai, kisi ko nahi pata kyun", "ur-Latn"),
        ("pul basta ast, hech kas namedana chera", "fa-Latn"),
        ("El puente está cerrado y nadie sabe por qué", "es"),
        ("Le pont est fermé et personne ne sait pourquoi", "fr"),
        ("Die Brücke ist gesperrt und niemand weiß warum", "de"),
        ("A ponte está fechada e ninguém sabe porquê", "pt"),
        ("Мост закрыт, и никто не знает почему", "ru"),
        ("Міст закритий, і ніхто не знає чому", "uk"),
        ("Köprü kapalı ve kimse nedenini bilmiyor", "tr"),
        ("Most jest zamknięty i nikt nie wie dlaczego", "pl"),
        ("पुल बंद है और किसी को पता नहीं क्यों", "hi"),
        ("桥被关闭了，没有人知道为什么", "zh"),
    ],
)
def test_languages_are_told_apart_transliterations_too(languages: Languages, text: str, language: str) -> None:
    assert languages.identify(pl.Series([text])).to_list() == [language]


@pytest.mark.parametrize("text", ["", "  ", "😂😂😂", "https://example.org/a", "@someone #tag", "123 456", "?!"])
def test_a_text_without_words_is_of_no_language(languages: Languages, text: str) -> None:
    assert languages.identify(pl.Series([text])).to_list() == [UNKNOWN]


def test_nulls_and_nothing_are_no_errors(languages: Languages) -> None:
    assert languages.identify(pl.Series([None, "x" * 20_000], dtype=pl.String))[0] == UNKNOWN
    assert languages.identify(pl.Series([], dtype=pl.String)).to_list() == []


def test_handles_links_and_hashtags_are_not_read(languages: Languages) -> None:
    text = (
        "@nobody le pont est fermé et personne ne sait pourquoi #breakingnews https://example.org/the/bridge/is/closed"
    )
    assert languages.identify(pl.Series([text])).to_list() == ["fr"]


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.npz"
    path.write_bytes(b"PK")
    with pytest.raises(ArtifactError, match=r"foreign\.npz"):
        load_languages(path)
    with pytest.raises(ArtifactError, match="no tagger artifact"):
        load_languages(OUTPUT)
