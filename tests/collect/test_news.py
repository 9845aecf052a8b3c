"""Of what a platform says again and again only the news is told, and whatever an answer holds nothing breaks."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.collect import gdelt_articles, reddit_listing, rss_feed, telegram_page, x_post, youtube_items
from monitor.collect.claim_review import reviews
from monitor.collect.html import text_of
from monitor.collect.news import Document, Known, News, Reads, framed, parsed, unframed
from monitor.errors import PostRejectedError
from monitor.records import REJECTIONS
from tests.fakes.answers import ANSWERS, claim, claim_review
from tests.fakes.clock import START

SAMPLES = Path(__file__).parents[3] / "shared" / "platforms" / "samples"
READERS: dict[str, Reads] = {
    "rss": partial(rss_feed.entries, seen_at=START),
    "telegram": telegram_page.messages,
    "x": x_post.posts,
    "reddit": reddit_listing.things,
    "youtube": youtube_items.items,
    "gdelt": gdelt_articles.articles,
}
PLATFORMS = pytest.mark.parametrize("platform", READERS)


def post(name: str, text: str = "a", **more: object) -> Document:
    return {"id": name, "platform": "x", "text": text, "created_at": "2021-09-03T11:00:00Z", **more}


def as_it_is(body: bytes, of: str) -> list[Document]:  # noqa: ARG001 -- a Reads
    return json.loads(body)  # type: ignore[no-any-return]


def told(news: News, *documents: Document) -> list[tuple[str, str]]:
    body = framed(news, json.dumps(documents).encode())
    found = parsed([body], "source", "x", START, as_it_is)
    return [(post["id"], post["op"]) for post in found.posts.to_dicts()]


def test_what_is_new_is_told_and_nothing_else() -> None:
    known = Known()
    first = [post("1"), post("2"), post("3", likes=1), post("4")]
    news = known.news("", first)
    assert news.fresh == ("1", "2", "3", "4")
    known.learn(first)
    assert not known.news("", first)
    then = [post("1"), post("2", "b"), post("3", likes=2), post("5")]
    news = known.news("", then, gone=["4"])
    assert told(news, *then) == [("2", "update"), ("3", "counts"), ("5", "create"), ("4", "delete")]


def test_what_was_saved_is_known_and_is_no_news() -> None:
    known = Known()
    known.learn([post("1"), post("2")])
    again = Known(known.saved([post("3")]))
    assert again.news("", [post("1"), post("2"), post("3"), post("4")]).fresh == ("4",)
    again.learn([post("1", "b")])
    assert not again.news("", [post("1", "b")])
    assert again.news("", [post("1", "c")]).changed == ("1",)


def test_a_post_that_comes_as_deleted_is_told_once_and_only_if_it_was_known() -> None:
    known = Known()
    known.learn([post("1")])
    deleted: list[Document] = [{"id": one, "platform": "x", "op": "delete"} for one in ("1", "2")]
    news = known.news("", deleted)
    assert told(news, *deleted) == [("1", "delete")]
    known.learn(deleted)
    assert not known.news("", deleted)


def test_a_resume_point_stays_small() -> None:
    known = Known()
    known.learn([post(str(number)) for number in range(3_000)])
    assert len(known.saved()) == 150 * 8
    assert len(known.names()) == 2_000


@given(st.binary(max_size=200))
def test_any_payload_is_framed_and_comes_back(answer: bytes) -> None:
    news = News("part", fresh=("1",), gone=("\n",))
    assert unframed(framed(news, answer)) == (news, answer)


@PLATFORMS
def test_a_resume_point_that_moves_alone_brings_no_post_and_no_complaint(platform: str) -> None:
    found = parsed([framed(News(), b"")], "source", platform, START, READERS[platform])
    assert (found.posts.height, [*found.rejected]) == (0, [{}])


def test_a_text_that_is_no_unicode_and_one_that_is_too_long_are_mended() -> None:
    bodies = [b"[]"]
    documents = [post("1", "half \ud800 a pair"), post("2", "x" * 30_000)]
    found = parsed(bodies, "source", "x", START, lambda *_: documents)
    assert found.posts["text"].to_list() == ["half ? a pair", "x" * 20_000]


@PLATFORMS
def test_an_answer_is_read_whole_and_any_part_of_it_breaks_nothing(platform: str) -> None:
    for body in ANSWERS[platform]:
        whole = parsed([body], "source", platform, START + timedelta(days=1), READERS[platform])
        assert whole.posts.height
        assert not whole.rejected[0]
        cuts = [body[:at] for at in range(0, len(body), max(1, len(body) // 60))]
        for rejected in parsed(cuts, "source", platform, START, READERS[platform]).rejected:
            assert set(rejected) <= set(REJECTIONS)


@PLATFORMS
@settings(max_examples=30)
@given(junk=st.data())
def test_whatever_stands_in_an_answer_is_a_post_or_is_counted(platform: str, junk: st.DataObject) -> None:
    hostile(platform, junk)


@PLATFORMS
@pytest.mark.prove
@settings(max_examples=5_000, deadline=None)
@given(junk=st.data())
def test_five_thousand_hostile_payloads_break_nothing(platform: str, junk: st.DataObject) -> None:
    hostile(platform, junk)


def hostile(platform: str, junk: st.DataObject) -> None:
    """An answer with parts of it exchanged for others, cut, or for anything at all."""
    found = parsed([changed(ANSWERS[platform], junk)], "source", platform, START, READERS[platform])
    assert set(found.rejected[0]) <= set(REJECTIONS)


def changed(answers: Sequence[bytes], junk: st.DataObject) -> bytes:
    """One of them, hostile now."""
    body = junk.draw(st.sampled_from(answers))
    way = junk.draw(st.sampled_from(["swap", "cut", "any", "grown"]))
    if way == "swap" and body.startswith(b"{"):
        body = json.dumps(swapped(json.loads(body), junk)).encode()
    elif way == "cut":
        begin = junk.draw(st.integers(0, len(body)))
        body = body[:begin] + junk.draw(st.binary(max_size=9)) + body[junk.draw(st.integers(begin, len(body))) :]
    elif way == "any":
        body = junk.draw(st.binary(max_size=300))
    else:
        body += junk.draw(st.binary(max_size=40)) + body
    return body


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def swapped(value: object, junk: st.DataObject) -> object:
    """With some of its values exchanged for anything."""
    if junk.draw(st.integers(0, 9)) == 0:
        return junk.draw(ANYTHING)
    if isinstance(value, dict):
        return {key: swapped(inner, junk) for key, inner in value.items()}
    if isinstance(value, list):
        return [swapped(inner, junk) for inner in value]
    return value


CHECKED = [
    json.dumps({"claims": [claim(), claim(rating="Inexact")]}).encode(),
    json.dumps(claim_review()).encode(),
    f'<html><script type="application/ld+json">{json.dumps(claim_review())}</script></html>'.encode(),
]


@given(st.one_of(st.binary(max_size=300), st.builds(lambda value: json.dumps(value).encode(), ANYTHING)))
def test_any_page_has_reviews_or_has_none(body: bytes) -> None:
    reviewed(body)


@pytest.mark.prove
@settings(max_examples=5_000, deadline=None)
@given(junk=st.data())
def test_five_thousand_hostile_reviews_break_nothing(junk: st.DataObject) -> None:
    reviewed(changed(CHECKED, junk))


def reviewed(body: bytes) -> None:
    """Reviews with all they need, or none."""
    try:
        found = list(reviews(body))
    except PostRejectedError:
        found = []
    assert all(one.claim and one.rating and one.by for one in found)


@pytest.mark.parametrize("tag", ["<div>", "<b>x", "<div><span>", "<table><tr><td>", "<p><i>"])
def test_markup_nested_without_end_is_read_as_plain_text(tag: str) -> None:
    assert "the bridge" in text_of(tag * 3_000 + "the bridge")


SHAPES: list[tuple[str, str, Callable[[Document], bool]]] = [
    ("atom_feed.xml", "rss", lambda post: post["author"] == "desk.example"),
    ("telegram_web_preview.html", "telegram", lambda post: (post["views"], post["likes"]) == (12_300, 1_100)),
    (
        "x_filtered_stream_legacy_names.json",
        "x",
        lambda post: (post["reposts"], post["author_followers"]) == (12, 5201),
    ),
    (
        "x_filtered_stream_openapi_names.json",
        "x",
        lambda post: (post["reposts"], post["author_followers"]) == (12, 5201),
    ),
    ("x_recent_search.json", "x", lambda post: post["quote_of"] is not None),
    ("reddit_search.json", "reddit", lambda post: (post["likes"], post["reposts"]) == (312, 3)),
    ("reddit_comments_listing.json", "reddit", lambda post: post["op"] in {"create", "delete"}),
    ("youtube_search.json", "youtube", lambda post: post["id"] == "abcdefghijk"),
    ("youtube_videos_statistics.json", "youtube", lambda post: (post["op"], post["views"]) == ("counts", 51_200)),
    ("youtube_commentThreads.json", "youtube", lambda post: post["reply_to"] == "abcdefghijk"),
    ("gdelt_doc_artlist.json", "gdelt", lambda post: post["author"] == "desk.example"),
]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples of wire shapes are not part of the repository")
@pytest.mark.parametrize(("sample", "platform", "fits"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_a_sample_is_read_as_documented(sample: str, platform: str, fits: Callable[[Document], bool]) -> None:
    body = (SAMPLES / sample).read_bytes()
    found = parsed([body], "source", platform, START.replace(year=2027), READERS[platform])
    assert found.posts.height
    assert not found.rejected[0]
    assert all(map(fits, found.posts.to_dicts()))
