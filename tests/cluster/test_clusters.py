import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from monitor.cluster.clusters import Clusters
from monitor.cluster.copies import Copies
from monitor.cluster.narratives import narrative_id
from monitor.frames import TAGGED
from monitor.watched import Event

START = datetime(2021, 9, 3, 12, tzinfo=UTC)
EVENT = Event(name="fall", proposition="Bazarak has fallen", any=("bazarak",), people={"Saleh": ("صالح",)})
MAIN = narrative_id("fall", "")
LONG = "witnesses in the old town of bazarak say the northern gate was taken before dawn today"


def tagged(*posts: dict[str, Any]) -> pl.DataFrame:
    defaults = {"source": "s", "platform": "x", "op": "create", "event": "fall", "via": "term", "term": "bazarak"}
    rows = [
        defaults | {"id": str(number), "seen_at": START + timedelta(seconds=number), "tag": "claim", "text": "", **post}
        for number, post in enumerate(posts)
    ]
    return pl.DataFrame([{name: row.get(name) for name in TAGGED} for row in rows], schema=TAGGED)


def assign(*posts: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    found: list[tuple[str | None, str | None]] = (
        Clusters([EVENT]).assign(tagged(*posts)).select("copy_of", "narrative").rows()
    )
    return found


def test_a_text_repeated_with_other_links_and_handles_is_a_copy_of_the_first() -> None:
    found = assign(
        {"text": LONG}, {"text": f"RT @somebody: {LONG.upper()} https://example.org/1"}, {"text": f"{LONG} "}
    )
    assert [copy for copy, _ in found] == [None, "0", "0"]


def test_a_text_with_a_word_changed_is_a_near_copy_and_another_text_is_not() -> None:
    other = "the council of elders meets tomorrow to speak about water roads schools and the harvest"
    found = assign({"text": LONG}, {"text": LONG.replace("today", "again")}, {"text": other})
    assert [copy for copy, _ in found] == [None, "0", None]


def test_short_texts_are_never_joined_by_their_words() -> None:
    assert [copy for copy, _ in assign({"text": "it is a lie"}, {"text": "it is a lie"})] == [None, None]


def test_a_repost_is_a_copy_of_what_it_reposts() -> None:
    assert assign({"text": LONG}, {"repost_of": "0", "parent": "0", "via": "repost"})[1] == ("0", MAIN)


def test_what_has_no_specifics_is_about_the_proposition_and_small_talk_about_nothing() -> None:
    found = assign({"text": "bazarak has fallen"}, {"text": "بازارک سقوط کرد"}, {"text": "praying", "tag": "other"})
    assert [narrative for _, narrative in found] == [MAIN, MAIN, None]


def test_an_answer_belongs_to_its_parents_narrative_down_the_thread() -> None:
    found = assign(
        {"text": "17 killed by gunfire over the old town tonight"},
        {"text": "lie", "via": "reply", "parent": "0", "tag": "denial"},
        {"text": "source?", "via": "reply", "parent": "1", "tag": "question"},
        {"text": "praying", "tag": "other"},
        {"text": "really?", "via": "reply", "parent": "3", "tag": "question"},
    )
    seventeen = narrative_id("fall", "number:17")
    assert [narrative for _, narrative in found] == [seventeen, seventeen, seventeen, None, None]


def test_numbers_that_disagree_are_narratives_of_their_own_and_meet_their_denials() -> None:
    found = assign(
        {"text": "17 killed by gunfire over the old town tonight"},
        {"text": "۱۷ نفر در شلیک هوایی کشته شدند"},
        {"text": "the hospital says only 22 were killed by gunfire"},
        {"text": "no, 17 were not killed by gunfire tonight", "tag": "denial"},
        {"text": "in 2021 the old town of bazarak was taken"},
    )
    first, second, third, fourth, fifth = (narrative for _, narrative in found)
    assert first == second == fourth == narrative_id("fall", "number:17")
    assert third == narrative_id("fall", "number:22")
    assert fifth == MAIN


def test_an_assertion_about_a_person_that_does_not_name_the_event_is_a_narrative_of_its_own() -> None:
    found = assign(
        {"text": "Saleh has fled across the border tonight", "term": "Saleh"},
        {"text": "صالح از کشور فرار نکرده است", "term": "صالح", "tag": "denial"},
        {"text": "Saleh says bazarak has not fallen at all", "term": "bazarak", "tag": "denial"},
    )
    assert [narrative for _, narrative in found] == [narrative_id("fall", "person:saleh")] * 2 + [MAIN]


def test_a_delete_keeps_the_narrative_of_its_post() -> None:
    found = assign(
        {"text": "17 killed by gunfire over the old town tonight"},
        {"id": "0", "op": "delete", "via": "known", "tag": "other"},
    )
    assert found[1][1] == narrative_id("fall", "number:17")


def test_a_narrative_remembers_its_first_text_as_its_label() -> None:
    clusters = Clusters([EVENT])
    clusters.assign(
        tagged({"text": "17 killed by gunfire over the old town"}, {"text": "well 17 killed by gunfire then"})
    )
    narrative = clusters.narrative("fall", narrative_id("fall", "number:17"))
    assert narrative is not None
    assert narrative.label == "17 killed by gunfire over the old town"
    assert clusters.narrative("fall", "0") is None


def test_memory_is_bounded_and_what_is_forgotten_is_an_original_again() -> None:
    copies = Copies(size=10)
    texts = [f"the number {number} " + " ".join(f"w{number}x{word}" for word in range(8)) for number in range(40)]
    words = pl.Series([text.split() for text in [*texts, texts[39], texts[0]]])
    found = copies.originals(pl.Series(["fall"] * 42), words, [str(number) for number in range(42)], np.arange(1, 43))
    assert found[40:] == ["39", None]


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 60), max_size=8))
def test_any_cut_into_batches_gives_the_same_answers(chance: random.Random, cuts: list[int]) -> None:
    vocabulary = LONG.split()
    posts: list[dict[str, Any]] = []
    for number in range(60):
        text = " ".join(chance.choices(vocabulary, k=chance.randint(1, 6)) + vocabulary[: chance.randint(0, 15)])
        parent = str(chance.randrange(number)) if number and chance.random() < 0.4 else None
        tag = chance.choice(["claim", "denial", "other"])
        posts.append({"text": text, "parent": parent, "via": "reply" if parent else "term", "tag": tag})
    stream = tagged(*posts)
    clusters = Clusters([EVENT])
    edges = sorted({0, 60, *cuts})
    parts = [clusters.assign(stream[begin:end]) for begin, end in itertools.pairwise(edges)]
    assert pl.concat(parts).equals(Clusters([EVENT]).assign(stream))


def test_after_a_restart_a_copy_is_of_the_post_with_its_words_and_not_of_another_platforms() -> None:
    copies = Copies(size=100)
    rows = [(1, "fall", "x", "7", None), (2, "fall", "y", "7", None), (3, "fall", "y", "8", "7")]
    mentions = pl.DataFrame(rows, schema=["number", "event", "platform", "id", "copy_of"], orient="row")
    words = pl.Series([LONG.split(), ["the", "school", "of", "the", "upper", "village", "is", "open"], LONG.split()])
    copies.restore({}, mentions, words)
    again = copies.originals(pl.Series(["fall"]), words[:1], ["z\0fall\x009"], np.array([4]))
    assert again == ["x\0fall\x007"]
