import polars as pl
import pytest

from classifiers.cues import cue_table
from classifiers.quotes import MOST_QUOTES, quotes
from classifiers.tags import Tag

LEXICON = (
    "cue\tlanguage\tphrases\n"
    "denial\ten\tlie | not true | fake* | hoax\ndenial\tfa\tدروغ*\ndenial\tzh\t谣言\n"
    "still\ten\tstill | still open\ncelebration\ten\tfireworks | dancing in the streets\n"
)


def quoted(text: str | None, tag: Tag) -> str | None:
    table = cue_table(LEXICON)
    line: str | None = quotes(table, pl.Series([text], dtype=pl.String), [tag]).item()
    return line


@pytest.mark.parametrize(
    ("text", "tag", "line"),
    [
        ("That is NOT true, a LIE!", Tag.DENIAL, "not true · lie"),
        ("This is faked", Tag.DENIAL, "faked"),
        ("این خبر دروغ است", Tag.DENIAL, "دروغ"),
        ("这是谣言", Tag.DENIAL, "谣言"),
        ("They are dancing in the streets", Tag.CELEBRATION, "dancing in the streets"),
        ("Fireworks? A lie", Tag.CELEBRATION, "fireworks"),
        ("nothing known here", Tag.DENIAL, None),
        ("a lie", Tag.OTHER, None),
        ("", Tag.DENIAL, None),
        (None, Tag.DENIAL, None),
    ],
)
def test_the_words_that_speak_for_the_tag_are_quoted(text: str | None, tag: Tag, line: str | None) -> None:
    assert quoted(text, tag) == line


def test_a_phrase_is_quoted_whole_and_its_part_is_not_quoted_again() -> None:
    assert quoted("the bridge is still open", Tag.DENIAL) == "still open"


def test_strong_cues_go_before_weak_ones_where_not_all_find_room() -> None:
    line = quoted("still here: a lie, a hoax, a fake", Tag.DENIAL)
    assert line == "lie · hoax · fake"
    assert len(line.split(" · ")) == MOST_QUOTES


def test_no_text_depends_on_the_others() -> None:
    texts = pl.Series(["a lie", None, "fireworks", "这是谣言"])
    tags = [Tag.DENIAL, Tag.CLAIM, Tag.CELEBRATION, Tag.DENIAL]
    together = quotes(cue_table(LEXICON), texts, tags).to_list()
    assert together == [quoted(text, tag) for text, tag in zip(texts, tags, strict=True)]
    assert quotes(cue_table(LEXICON), pl.Series([], dtype=pl.String), []).to_list() == []
