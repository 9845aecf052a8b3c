"""Narratives by what is asserted, where an event takes every post."""

import itertools
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.cluster.clusters import Clusters
from monitor.cluster.narratives import narrative_id
from monitor.frames import REMEMBERED
from monitor.marks import MergeMark, Ruling, SplitMark
from monitor.records import Narrative, Quoted
from monitor.watched import Event
from tests.cluster.test_clusters import START, tagged

DAM = Event(name="fall", proposition="The dam at Orrin has burst", any=("*",))
MAIN = narrative_id("fall", "")
BRIDGE = "the old railway bridge at Telmar collapsed after a freight train derailed on it"
COLLAPSED = "old railway bridge at Telmar collapsed tonight"
BRIDGE_TOO = "freight train derailed, the old railway bridge at Telmar has collapsed, witnesses report"
BRIDGE_DENIED = "false: the old railway bridge at Telmar did not collapse, no freight train derailed there"
SCHOOL = "pupils of the primary school in Vessen were brought to the town hall by bus"


def narratives(*texts: str | dict[str, Any]) -> list[str | None]:
    posts = [text if isinstance(text, dict) else {"text": text} for text in texts]
    return Clusters([DAM]).assign(tagged(*posts))["narrative"].to_list()


def rule(clusters: Clusters, rulings: Sequence[Ruling]) -> None:
    clusters.assign(tagged({}).clear(), rulings)


def known(clusters: Clusters, identity: str | None) -> Narrative:
    found = clusters.narrative("fall", identity or "")
    assert found is not None
    return found


def test_rewordings_of_one_assertion_share_a_narrative_and_another_assertion_has_its_own() -> None:
    first, second, other = narratives(BRIDGE, BRIDGE_TOO, SCHOOL)
    assert first == second != other
    assert MAIN not in {first, other}


def test_a_denial_joins_the_claim_it_contests() -> None:
    claim, denial = narratives(BRIDGE, {"text": BRIDGE_DENIED, "tag": "denial"})
    assert claim == denial


def test_what_asserts_no_more_than_the_proposition_is_about_the_proposition() -> None:
    told = narratives("The dam at Orrin has burst", {"text": "it is a lie", "tag": "denial"}, "Dam burst at Orrin!!")
    assert told == [MAIN, MAIN, MAIN]


def test_another_number_is_another_narrative() -> None:
    text = "the flood at the dam of Orrin has killed {} people say rescue workers on site"
    eleven, twelve, again = narratives(text.format(11), text.format("twelve"), text.format("eleven") + " tonight")
    assert eleven == again != twelve


def test_a_hashtag_is_its_words() -> None:
    first, second = narratives(BRIDGE, "#TelmarRailwayBridge collapsed when a #FreightTrain derailed on the old bridge")
    assert first == second


def test_short_texts_are_never_joined_by_nearness_alone() -> None:
    told = narratives("Telmar bridge collapsed", "the Telmar bridge collapsed", "Telmar bridge collapsed now")
    assert len(set(told)) == 3


def test_a_short_text_joins_a_long_one_that_it_repeats_and_no_other_short_one() -> None:
    claim, cut = narratives(f"{COLLAPSED} after all", COLLAPSED)
    cut_first, claim_then = narratives(COLLAPSED, f"{COLLAPSED} after all")
    assert (claim, cut_first) == (cut, claim_then)
    told = narratives("I see the white flag up there", "I see the flag up there", "fake: I see the white flag there")
    assert len(set(told)) == 3


def test_a_short_text_draws_nothing_to_it() -> None:
    short, long = narratives("the old railway bridge at Telmar", BRIDGE)
    assert short != long


def test_other_posts_join_what_they_repeat_and_small_talk_asserts_nothing() -> None:
    claim, other, small = narratives(
        BRIDGE, {"text": f"watching this: {BRIDGE}", "tag": "other"}, {"text": "good morning", "tag": "other"}
    )
    assert claim == other
    assert small is None


def test_a_copy_on_another_platform_is_in_its_originals_narrative() -> None:
    text = "short words of the bridge again"
    first, copy = narratives({"text": text, "platform": "x"}, {"text": text, "platform": "bluesky"})
    assert first == copy


def test_a_narrative_knows_its_label_first_post_first_denial_platforms_languages_and_voices() -> None:
    clusters = Clusters([DAM])
    told = clusters.assign(
        tagged(
            {"text": BRIDGE, "language": "en", "author": "a"},
            {"text": BRIDGE_TOO, "platform": "t", "language": "de", "voice": "railway"},
            {"text": BRIDGE_DENIED, "tag": "denial", "author": "d", "voice": "ministry"},
        )
    )
    found = known(clusters, told["narrative"][0])
    assert found.first_post is not None
    assert (found.first_post.id, found.first_post.author) == ("0", "a")
    assert found.first_denial is not None
    assert (found.first_denial.id, found.first_denial.voice) == ("2", "ministry")
    assert (found.platforms, found.languages, found.voices) == (("x", "t"), ("en", "de"), ("railway", "ministry"))
    assert found.label in {BRIDGE, BRIDGE_TOO}


def test_the_first_post_is_the_one_that_was_posted_first_whenever_it_was_seen() -> None:
    clusters = Clusters([DAM])
    told = clusters.assign(tagged({"text": BRIDGE, "posted_at": START}, {"text": BRIDGE_TOO}))
    earlier = START - timedelta(hours=2)
    clusters.assign(tagged({"text": BRIDGE_TOO, "id": "late", "posted_at": earlier, "author": "a"}))
    first = known(clusters, told["narrative"][0]).first_post
    assert first is not None
    assert (first.id, first.posted_at) == ("late", earlier)


def test_a_denial_is_no_label_where_there_is_a_claim() -> None:
    clusters = Clusters([DAM])
    told = clusters.assign(tagged({"text": BRIDGE_DENIED, "tag": "denial"}, {"text": BRIDGE}))
    assert known(clusters, told["narrative"][0]).label == BRIDGE


def test_the_label_is_the_most_central_original() -> None:
    clusters = Clusters([DAM])
    far = f"{BRIDGE} and my uncle who sells melons by the harbour called from his balcony about something else"
    near = ["the old railway bridge at Telmar collapsed, freight train derailed"] * 3
    posts = [{"text": f"{text} {'again ' * number}"} for number, text in enumerate(near)]
    told = clusters.assign(tagged({"text": far}, *posts))
    assert known(clusters, told["narrative"][0]).label.startswith("the old railway bridge")


def test_no_label_quotes_a_deleted_post_and_no_first_post_names_its_author() -> None:
    clusters = Clusters([DAM])
    told = clusters.assign(tagged({"text": BRIDGE, "author": "a"}, {"id": "0", "op": "delete", "text": None}))
    at = START + timedelta(seconds=1)
    assert known(clusters, told["narrative"][0]).label == ""
    before = clusters.narrative("fall", str(told["narrative"][0]), at)
    assert before is not None
    assert (before.label, before.label_of) == (BRIDGE, Quoted(platform="x", id="0"))
    assert known(clusters, told["narrative"][0]).label_of is None
    first = known(clusters, told["narrative"][0]).first_post
    assert first is not None
    assert (first.id, first.author) == ("0", None)


def test_a_merge_holds_for_what_comes_and_its_undoing_too() -> None:
    clusters = Clusters([DAM])
    bridge, school = clusters.assign(tagged({"text": BRIDGE}, {"text": SCHOOL}))["narrative"]
    rule(clusters, [MergeMark(at=START, event="fall", narrative=school, into=bridge, by="d")])
    again = {"text": f"{SCHOOL} this morning", "id": "9"}
    assert (
        clusters.assign(tagged(again, {"text": "no", "id": "8", "parent": "1"}))["narrative"].to_list() == [bridge] * 2
    )
    assert clusters.merged("fall") == {school: bridge}
    assert known(clusters, school).merged_into == bridge
    rule(clusters, [SplitMark(at=START, event="fall", narrative=school, by="d")])
    assert clusters.assign(tagged(again | {"id": "7"}))["narrative"].to_list() == [school]
    assert clusters.merged("fall") == {}


def test_merges_in_a_ring_or_into_nothing_change_nothing() -> None:
    clusters = Clusters([DAM])
    bridge, school = clusters.assign(tagged({"text": BRIDGE}, {"text": SCHOOL}))["narrative"]
    for one, two in ((bridge, school), (school, bridge), (bridge, "gone"), ("gone", bridge), (bridge, bridge)):
        rule(clusters, [MergeMark(at=START, event="fall", narrative=one, into=two, by="d")])
    assert clusters.merged("fall") == {bridge: school}


def test_a_post_that_is_split_off_draws_what_answers_it_and_what_is_nearer_to_it() -> None:
    clusters = Clusters([DAM])
    texts = [BRIDGE, BRIDGE_TOO, f"{BRIDGE} and divers search the river Aune for two missing railway workers"]
    first, *_, last = clusters.assign(tagged(*({"text": text} for text in texts)))["narrative"]
    assert first == last
    says = tuple(clusters.says(pl.Series([texts[2]]))[0])
    rule(clusters, [SplitMark(at=START, event="fall", narrative=first, by="d", platform="x", id="2", says=says)])
    answer, near, far = clusters.assign(
        tagged(
            {"text": "no", "id": "7", "parent": "2"},
            {"text": "divers search the river Aune for two railway workers who are missing", "id": "8"},
            {"text": f"{BRIDGE_TOO} today", "id": "9"},
        )
    )["narrative"]
    assert answer == near != first
    assert far == first


def test_alike_narratives_are_suggested_but_not_those_an_editor_parted() -> None:
    clusters = Clusters([DAM])
    one, two = clusters.assign(
        tagged({"text": "Telmar railway bridge collapsed"}, {"text": "the railway bridge at Telmar collapsed"})
    )["narrative"]
    [(left, right, likeness)] = clusters.suggested("fall")
    assert ({left, right}, likeness > 0.5) == ({one, two}, True)
    rule(clusters, [MergeMark(at=START, event="fall", narrative=one, into=two, by="d")])
    assert clusters.suggested("fall") == []
    rule(clusters, [SplitMark(at=START, event="fall", narrative=one, by="d")])
    assert clusters.suggested("fall") == []


def stream(seed: int, size: int = 90) -> pl.DataFrame:
    """Rewordings of a few assertions, denials, answers, copies and deletions."""
    chance = random.Random(seed)
    told = [BRIDGE, SCHOOL, "eleven people drowned in the cellar of the mill at Orrin last night", DAM.proposition]
    posts: list[dict[str, Any]] = []
    for number in range(size):
        words = chance.choice(told).split()
        chance.shuffle(words)
        text = " ".join(words[: chance.randint(4, 20)] + chance.choices(["abcd", "efgh", "ijkl", "mnop"], k=2))
        post: dict[str, Any] = {
            "text": text,
            "tag": chance.choice(["claim", "claim", "denial", "other", "question"]),
            "language": "en",
        }
        if number and chance.random() < 0.3:
            post |= {"parent": str(chance.randrange(number)), "via": "reply"}
        if number and chance.random() < 0.1:
            post = {"id": str(chance.randrange(number)), "op": "delete", "text": None, "tag": "other", "via": "known"}
        posts.append({"platform": chance.choice("xt")} | post)
    return tagged(*posts)


def remembered(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """REMEMBERED with `number`, as the walk hands it to the stage."""
    made = pl.concat(parts)
    gone = made.filter(pl.col("op") == "delete").select("platform", "id", dead=pl.lit(value=True))
    frame = made.filter(pl.col("op") == "create").join(
        gone.unique(), on=["platform", "id"], how="left", maintain_order="left"
    )
    text = pl.when(pl.col("dead").is_null()).then("text").alias("text")
    number = pl.int_range(1, pl.len() + 1).alias("number")
    return frame.with_columns(text, number, older=pl.lit(value=False)).select(*REMEMBERED, "number")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 500), st.lists(st.integers(1, 89), max_size=6), st.booleans())
def test_any_cut_and_any_restart_give_the_same_narratives_and_state(seed: int, cuts: list[int], restart: bool) -> None:  # noqa: FBT001
    posts = stream(seed)
    whole = Clusters([DAM])
    straight = whole.assign(posts)
    state = {key: row for key, row in whole.snapshot().items() if row}
    clusters = Clusters([DAM])
    rows: dict[str, bytes] = {}
    parts: list[pl.DataFrame] = []
    for begin, end in itertools.pairwise(sorted({0, posts.height, *cuts})):
        if restart and parts:
            memory = remembered(parts)
            clusters = Clusters([DAM])
            clusters.restore(rows, memory, memory, memory.height)
        parts.append(clusters.assign(posts[begin:end]))
        rows |= clusters.snapshot()
    assert pl.concat(parts)["narrative"].to_list() == straight["narrative"].to_list()
    assert {key: row for key, row in rows.items() if row} == state


def test_narratives_of_an_older_version_are_merged_and_joined() -> None:
    event = Event(name="fall", proposition="The dam at Orrin has burst", any=("dam",))
    names = [narrative_id("fall", f"number:{number}") for number in (17, 18)]
    older = [{"id": one, "event": "fall", "label": "an old one", "first_seen": START} for one in names]
    rows = {
        f"cluster/narrative/fall/{one}": msgspec.msgpack.encode([narrative, f"x\0fall\0{one}"])
        for one, narrative in zip(names, older, strict=True)
    }
    nothing = pl.DataFrame(schema=REMEMBERED | {"number": pl.Int64()})
    clusters = Clusters([event])
    clusters.restore(rows, nothing, nothing, 10)
    rule(clusters, [MergeMark(at=START, event="fall", narrative=names[1], into=names[0], by="desk")])
    text = "the dam at Orrin has killed {} people this very night"
    told = [{"text": text.format(number), "term": "dam", "id": f"new {number}"} for number in (17, 18)]
    assert clusters.assign(tagged(*told))["narrative"].to_list() == [names[0], names[0]]
    assert known(clusters, names[1]).merged_into == names[0]


def test_the_label_of_an_older_version_goes_with_its_post() -> None:
    row = [{"id": MAIN, "event": "fall", "label": "the dam is gone", "first_seen": START}, "x\0fall\x000"]
    memory = remembered(
        [tagged({"text": "the dam is gone"}).with_columns(narrative=pl.lit(MAIN), copy_of=pl.lit(None))]
    )
    clusters = Clusters([DAM])
    clusters.restore({f"cluster/narrative/fall/{MAIN}": msgspec.msgpack.encode(row)}, memory, memory, 1)
    assert known(clusters, MAIN).label_of == Quoted(platform="x", id="0")
    clusters.assign(tagged({"id": "0", "op": "delete"}))
    assert known(clusters, MAIN).label == ""
