from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from classifiers.artifact import load
from classifiers.origin import Origin
from classifiers.reading import Watched
from classifiers.tags import TAGS
from classifiers.train import OUTPUT
from monitor.errors import SettingsError
from monitor.frames import MENTIONS, TAGGED
from monitor.marks import Correction
from monitor.tag.tagger import TagStage, load_tagger, said_of
from monitor.watched import Event
from tests.fakes.tagger import WordTagger

PROPOSITION = "The bridge has fallen"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Listener(WordTagger):
    """A tagger that remembers what it was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str]] = []
        self.threads: list[tuple[str, bool]] = []
        self.voices: list[str | None] = []
        self.watched: list[tuple[str | None, str | None]] = []

    def probabilities(
        self,
        texts: pl.Series,
        parents: pl.Series,
        roots: pl.Series | None = None,
        answers: pl.Series | None = None,
        *,
        origin: Origin | None = None,
        watched: Watched | None = None,
    ) -> npt.NDArray[np.float64]:
        self.asked += list(zip(texts.to_list(), parents.to_list(), strict=True))
        if origin is not None and origin.voices is not None:
            self.voices += origin.voices.to_list()
        if watched is not None:
            self.watched += list(zip(watched.names.to_list(), watched.wordings.to_list(), strict=True))
        if roots is not None and answers is not None:
            self.threads += list(zip(roots.to_list(), answers.to_list(), strict=True))
        return super().probabilities(texts, parents, roots, answers, origin=origin, watched=watched)


def mentions(*rows: dict[str, object]) -> pl.DataFrame:
    """MENTIONS of the bridge; what a row does not say is null."""
    told = [
        {
            "platform": "p",
            "id": str(place),
            "op": "create",
            "event": "bridge",
            "seen_at": BEGIN + timedelta(place),
            "text": "",
        }
        | row
        for place, row in enumerate(rows)
    ]
    frame = pl.DataFrame([{name: row.get(name) for name in MENTIONS} for row in told], schema=MENTIONS)
    return frame.with_columns(event_time="seen_at")


def stage(tagger: WordTagger) -> TagStage:
    return TagStage(tagger, {"bridge": PROPOSITION})  # type: ignore[arg-type]


def test_columns_are_added_and_no_row_is_lost() -> None:
    posts = mentions({"text": "fallen"}, {"text": "a lie"}, {"text": "hm"})
    tagged = stage(Listener()).tag(posts)
    assert tagged.schema == TAGGED
    assert tagged.select(MENTIONS.keys()).equals(posts)
    assert tagged["tag"].to_list() == ["claim", "denial", "other"]


def test_an_original_is_read_against_the_proposition_and_a_reply_against_its_parent() -> None:
    listener = Listener()
    stage(listener).tag(mentions({"text": "fallen"}, {"text": "lie", "parent_text": "it fell"}))
    assert listener.asked == [("fallen", PROPOSITION), ("lie", "it fell")]


def test_an_answer_is_read_with_what_began_its_thread_and_an_original_is_none() -> None:
    listener = Listener()
    rows: tuple[dict[str, object], ...] = (
        {"text": "fallen"},
        {"text": "lie", "reply_to": "0", "parent_text": "it fell", "root_text": "news"},
        {"text": "lie!", "reply_to": "7"},
        {"text": "look", "quote_of": "0"},
    )
    stage(listener).tag(mentions(*rows))
    assert listener.threads == [("", False), ("news", True), ("", True), ("", True)]


def test_the_language_is_the_taggers_own_and_not_the_platforms() -> None:
    texts = ("The bridge has fallen and nobody knows why", "pul forou rikht, hech kas namedana chera", "😂")
    rows: list[dict[str, object]] = [{"text": text, "lang": "xx"} for text in texts]
    tagged = stage(Listener()).tag(mentions(*rows, {"op": "delete"}))
    assert tagged["language"].to_list() == ["en", "fa-Latn", "und", None]


def test_a_repost_is_of_the_language_of_what_it_reposts() -> None:
    said = "The bridge has fallen and nobody knows why"
    assert stage(Listener()).tag(mentions({"repost_of": "9", "parent_text": said}))["language"].to_list() == ["en"]


def test_a_post_that_says_who_says_so_is_attributed() -> None:
    rows: tuple[dict[str, object], ...] = (
        {"text": "It has fallen, according to the mayor"},
        {"text": "به گفته شهردار، پل فرو ریخت"},
        {"text": "pul band hai, tarjuman ka kehna hai"},
        {"text": "It has fallen, I saw it"},
        {"op": "delete"},
    )
    tagged = TagStage(load(OUTPUT), {"bridge": PROPOSITION}).tag(mentions(*rows))
    assert tagged["attributed"].to_list() == [True, True, True, False, False]


def test_what_a_card_may_show_quotes_the_words_that_speak_for_its_tag() -> None:
    rows: tuple[dict[str, object], ...] = (
        {"text": "It has fallen"},
        {"text": "a lie"},
        {"text": "source?"},
        {"text": "hm"},
        {"text": "a lie", "op": "update"},
        {"text": "a lie"},
    )
    cues = stage(Listener()).tag(mentions(*rows))["cues"].to_list()
    assert cues == ["fallen", "lie", None, None, None, "lie"]


def test_a_corrected_post_quotes_what_speaks_for_the_editors_tag() -> None:
    tagging, posts = stage(Listener()), mentions({"text": "fallen? a lie"})
    assert tagging.tag(posts)["cues"].to_list() == ["fallen"]
    reads = tagging.reads(posts)[0]
    tagging.correct([Correction(at=BEGIN, event="bridge", platform="p", id="0", tag="denial", by="desk", reads=reads)])
    assert tagging.tag(posts)["cues"].to_list() == ["lie"]


def test_why_names_the_words_that_pulled_a_post_to_its_tag() -> None:
    tagging = TagStage(load(OUTPUT), {"bridge": PROPOSITION})
    told = tagging.why(mentions({"text": "That is a hoax, people"}, {"text": ""}, {"op": "delete"}))
    why = told["why"]
    assert told["language"].to_list() == ["en", "und", "und"]
    assert why[0].startswith("denial")
    assert "“hoax”" in why[0]
    assert "denial" in why[0].split("“hoax”")[1]
    assert why[1] == why[2] == "other 0.92 (nothing read)"


def test_equal_pairs_are_asked_about_once() -> None:
    listener = Listener()
    copies: list[dict[str, object]] = [{"text": "fallen"}] * 5
    tagged = stage(listener).tag(mentions(*copies, {"text": "fallen", "parent_text": "x"}))
    assert len(listener.asked) == 2
    assert tagged["tag"].to_list() == ["claim"] * 6


@pytest.mark.parametrize("text", ["", "a lie"])
def test_a_bare_repost_takes_the_tag_of_what_it_reposts(text: str) -> None:
    listener = Listener()
    tagged = stage(listener).tag(mentions({"text": text, "repost_of": "9", "parent_text": "a lie"}))
    assert listener.asked == [("a lie", PROPOSITION)]
    assert tagged["tag"].to_list() == ["denial"]


def test_a_bare_repost_of_an_unknown_original_reads_its_own_text() -> None:
    listener = Listener()
    stage(listener).tag(mentions({"text": "fallen", "repost_of": "9"}, {"text": "", "repost_of": "9"}))
    assert listener.asked == [("fallen", PROPOSITION), ("", PROPOSITION)]


def test_a_repost_with_words_of_its_own_is_read_as_an_answer() -> None:
    listener = Listener()
    stage(listener).tag(mentions({"text": "what a lie", "repost_of": "9", "parent_text": "fallen"}))
    assert listener.asked == [("what a lie", "fallen")]


@pytest.mark.parametrize("op", ["delete", "counts"])
def test_deletions_and_counts_are_other_with_certainty(op: str) -> None:
    listener = Listener()
    tagged = stage(listener).tag(mentions({"op": op, "text": "fallen"}))
    assert listener.asked == []
    assert tagged["tag"].to_list() == ["other"]
    assert tagged.select(f"p_{tag.value}" for tag in TAGS).row(0) == (0.0, 0.0, 0.0, 0.0, 1.0)


def test_an_update_is_read_again() -> None:
    assert stage(Listener()).tag(mentions({"op": "update", "text": "a lie"}))["tag"].to_list() == ["denial"]


def test_no_mentions_give_no_rows() -> None:
    assert stage(Listener()).tag(mentions()).schema == TAGGED


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_any_cut_into_batches_gives_the_same_tags(cut: int) -> None:
    texts = ["Breaking: it has fallen", "lie!", "", "source?", "fireworks in the street", "lie!", "سقوط کرد"]
    rows: list[dict[str, object]] = [
        {"text": text, "parent_text": "it fell" if place % 2 else None} for place, text in enumerate(texts)
    ]
    rows.append({"text": "", "repost_of": "0", "parent_text": texts[0]})
    posts = mentions(*rows)
    tagging = TagStage(load(OUTPUT), {"bridge": PROPOSITION})
    parts = pl.concat([tagging.tag(posts[begin : begin + cut]) for begin in range(0, len(posts), cut)])
    assert parts.equals(tagging.tag(posts))


def test_a_model_that_cannot_be_used_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.npz does not exist"):
        load_tagger(tmp_path / "none.npz")


def test_the_kind_of_a_registered_voice_is_told_to_the_tagger_and_nobody_elses() -> None:
    listener = Listener()
    tagging = TagStage(listener, {"bridge": PROPOSITION}, kinds={("bridge", "Bridge Office"): "official"})  # type: ignore[arg-type]
    posts = mentions({"text": "a lie", "voice": "Bridge Office"}, {"text": "a lie"}, {"text": "a lie", "voice": "Gone"})
    tagged = tagging.tag(posts)
    assert tagged["tag"].to_list() == ["denial"] * 3
    assert listener.voices == ["official", None]
    tagging.watch({"bridge": PROPOSITION})
    tagging.tag(posts)
    assert listener.voices[2:] == [None]


EVENT = Event(
    name="bridge",
    proposition=PROPOSITION,
    any=("old bridge", "*"),
    wordings=("پل فرو ریخت",),
    people={"Ada Stone": ("Mayor Stone",)},
    places={"Harbour": ()},
)


def test_an_original_is_read_with_the_names_and_wordings_of_its_event_and_an_answer_without() -> None:
    listener = Listener()
    tagging = TagStage(listener, {"bridge": PROPOSITION}, said=said_of([EVENT]))  # type: ignore[arg-type]
    tagging.tag(mentions({"text": "fallen"}, {"text": "lie", "parent_text": "it fell", "reply_to": "0"}))
    assert listener.watched == [
        ("old bridge | Ada Stone | Mayor Stone | Harbour", f"{PROPOSITION} | پل فرو ریخت"),
        (None, None),
    ]


def test_what_a_correction_is_known_by_does_not_hang_on_names_or_wordings() -> None:
    posts = mentions({"text": "fallen"})
    plain, told = stage(Listener()), TagStage(Listener(), {"bridge": PROPOSITION}, said=said_of([EVENT]))  # type: ignore[arg-type]
    assert plain.reads(posts).equals(told.reads(posts))
