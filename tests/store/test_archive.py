import itertools
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from monitor.store.archive import key_of
from monitor.store.schema import mentions
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.mentions import clustered, none


def a_store(url: str = "sqlite://") -> Store:
    numbers = itertools.count()
    return Store(url, stand_in=lambda: f"nobody-{next(numbers)}")


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with a_store(place) as opened:
        yield opened


def archived(store: Store) -> list[Any]:
    with store._engine.begin() as connection:  # noqa: SLF001  tests read what the desk's queries will read
        return list(connection.execute(select(mentions).order_by(mentions.c.number)).all())


def test_a_mention_is_kept_once_per_event_however_often_it_comes(store: Store) -> None:
    store.commit(Commit(clustered({}, {"id": "0", "text": "again"}, {"id": "0", "event": "run"})))
    store.commit(Commit(clustered({"text": "and again"})))
    assert [(row.event, row.text) for row in archived(store)] == [("fall", "text 0"), ("run", "text 2")]


def test_identities_do_not_run_into_each_other() -> None:
    assert key_of("x", "12", "e") != key_of("x1", "2", "e")
    assert -(2**63) <= key_of("x", "12", "e") < 2**63


def test_the_key_of_one_mention_is_the_key_of_the_frame(store: Store) -> None:
    store.commit(Commit(clustered({"platform": "weibo", "id": "نص"}, {"id": "7"})))
    assert [row.key for row in archived(store)] == [key_of("weibo", "نص", "fall"), key_of("x", "7", "fall")]


def test_a_delete_takes_text_author_and_link_and_leaves_what_was_counted(store: Store) -> None:
    store.commit(Commit(clustered({"author_followers": 10, "narrative": "n1", "reposts": 4}, {})))
    store.commit(Commit(clustered({"op": "delete", "text": None, "author": None})))
    gone, other = archived(store)
    assert (gone.text, gone.url, gone.author_followers) == (None, None, None)
    assert gone.author == "nobody-0"
    assert (gone.tag, gone.narrative, gone.reposts, gone.deleted) == ("claim", "n1", 4, True)
    assert (other.text, other.author, other.deleted) == ("text 1", "author-1", False)


def test_a_deleted_mention_never_comes_back(store: Store) -> None:
    store.commit(Commit(clustered({})))
    store.commit(Commit(clustered({"op": "delete"}, {"id": "0", "op": "update", "text": "edited"}, {"id": "0"})))
    store.commit(Commit(clustered({"op": "delete"})))
    (gone,) = archived(store)
    assert (gone.text, gone.author) == (None, "nobody-0")


def test_an_update_replaces_the_text_and_counts_replace_the_numbers(store: Store) -> None:
    store.commit(Commit(clustered({"reposts": 1, "likes": 1})))
    changes: list[dict[str, Any]] = [
        {"op": "update", "text": "edited", "url": None},
        {"id": "0", "op": "counts", "text": None, "reposts": 9},
    ]
    store.commit(Commit(clustered(*changes)))
    (row,) = archived(store)
    assert (row.text, row.url) == ("edited", "https://example.org/0")
    assert (row.reposts, row.likes, row.replies) == (9, 1, None)


OPS = st.tuples(st.sampled_from(["create", "create", "update", "counts", "delete"]), st.sampled_from("abc"))


@settings(max_examples=40)
@given(st.lists(OPS, max_size=14), st.sets(st.integers(0, 14)))
def test_any_cut_into_batches_leaves_the_same_archive(ops: list[tuple[str, str]], cuts: set[int]) -> None:
    rows = [
        {"op": op, "id": post, "text": f"{op} {n}" if op != "counts" else None, "reposts": n}
        for n, (op, post) in enumerate(ops)
    ]
    frame = clustered(*rows)
    bounds = sorted({0, len(frame), *(cut for cut in cuts if cut < len(frame))})
    with a_store() as at_once, a_store() as in_parts:
        at_once.commit(Commit(frame))
        for begin, end in itertools.pairwise(bounds):
            in_parts.commit(Commit(frame[begin:end]))
        assert archived(at_once) == archived(in_parts)


def test_recent_mentions_are_the_last_ones_in_the_order_of_the_stream(store: Store) -> None:
    frame = clustered(*({} for _ in range(30)))
    store.commit(Commit(frame[:20]))
    store.commit(Commit(frame[20:]))
    assert store.recent_mentions(12).equals(frame[18:])


def test_a_recent_mention_that_was_deleted_has_an_empty_text(store: Store) -> None:
    store.commit(Commit(clustered({}, {})))
    store.commit(Commit(clustered({"op": "delete"})))
    assert store.recent_mentions(5).select("op", "text").rows() == [("create", ""), ("create", "text 1")]


def test_a_parents_text_is_not_copied_where_the_parent_is_archived_itself(store: Store) -> None:
    known: dict[str, Any] = {"parent": "0", "reply_to": "0", "parent_text": "text 0", "root_text": "text 0"}
    unknown: dict[str, Any] = {"reply_to": "99", "parent_text": "came with the post"}
    store.commit(Commit(clustered({}, known, unknown)))
    assert store.recent_mentions(5)["parent_text"].to_list() == [None, None, "came with the post"]


def test_a_deleted_mention_leaves_the_alerts_and_notifications_that_show_it(store: Store) -> None:
    pieces = (a_piece(0, cues="fallen"), a_piece(1, tag="denial"))
    shown, sent = an_alert(evidence=pieces), a_notification(alert=an_alert(evidence=pieces))
    store.commit(Commit(clustered({}, {}), alerts=[shown], outbox=[sent]))
    store.commit(Commit(clustered({"op": "delete"})))
    queued = store.due("desk", AT, 5).queued[0].notification.alert
    for alert in (*store.alerts(), queued):
        first, second = alert.evidence
        assert (first.text, first.author, first.url, first.cues, first.tag) == ("", None, None, None, "claim")
        assert second == a_piece(1, tag="denial")


def test_an_alert_that_comes_after_the_deletion_does_not_show_the_mention_either(store: Store) -> None:
    store.commit(Commit(clustered({}, {"id": "0", "op": "delete"})))
    store.commit(Commit(none(), alerts=[an_alert()], outbox=[a_notification()]))
    assert [piece.text for piece in store.alerts()[0].evidence] == ["", a_piece(1).text]
    assert store.due("desk", AT, 5).queued[0].notification.alert.evidence[0].text == ""


def test_an_alert_of_another_event_keeps_showing_what_was_not_deleted_there(store: Store) -> None:
    store.commit(Commit(clustered({}), alerts=[an_alert(event="run")]))
    store.commit(Commit(clustered({"op": "delete"})))
    assert store.alerts()[0].evidence[0].text == a_piece(0).text


def test_every_column_comes_back_as_it_was_written(store: Store) -> None:
    full: dict[str, Any] = {
        "author_followers": 2**40,
        "author_verified": True,
        "lang": "fa",
        "quote_of": "9",
        "root": "8",
        "views": 5,
        "media": "[]",
        "term": "پنجشیر",
        "p_denial": 0.1,
        "copy_of": "3",
        "narrative": "n",
    }
    frame = clustered(full).with_columns(pl.col("seen_at").alias("author_created_at"))
    store.commit(Commit(frame))
    assert store.recent_mentions(1).equals(frame)


def test_texts_that_look_like_a_databases_own_marks_are_kept_as_they_are(store: Store) -> None:
    texts = [
        "",
        "\\.",
        "a\n\\.\nb",
        "\\N",
        '"',
        '""',
        "a,b\r\nc",
        "NULL",
        "\t",
        "'; DROP TABLE mentions; --",
        "{names}",
        "%s",
    ]
    store.commit(Commit(clustered(*({"text": text, "media": None} for text in texts))))
    assert [row.text for row in archived(store)] == texts
