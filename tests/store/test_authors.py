"""What somebody wrote who is gone goes as if they had deleted every post of theirs, and nothing of anybody else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from monitor.records import EVIDENCE_DELETED
from monitor.store.authors import Written, written_by
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.mentions import clustered, none

UNTIL = {"desk": AT + timedelta(hours=6)}
ADA = ("x", "ada")
ASKED = "SELECT key FROM mentions WHERE author IN ('ada', 'bo') AND deleted IS FALSE"


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store(place, stand_in=lambda: "nobody") as made:
        yield made


def of(store: Store, *authors: tuple[str, str]) -> Written:
    return store.change(lambda connection: written_by(connection, set(authors)))


def leave(store: Store, *authors: tuple[str, str]) -> int:
    found = of(store, *authors)
    store.commit(Commit(none(), gone=found.keys, until=UNTIL))
    return len(found.keys)


def test_every_living_mention_of_an_author_on_that_platform_is_found_and_told_once_a_post(store: Store) -> None:
    store.commit(
        Commit(
            clustered(
                {"id": "1", "author": "ada"},
                {"id": "1", "author": "ada", "event": "rise"},
                {"id": "2", "author": "bo"},
                {"id": "3", "author": "ada", "platform": "y"},
                {"id": "4", "author": "ada", "repost_of": "2"},
                {"id": "5", "author": "ada"},
            )
        )
    )
    store.commit(Commit(clustered({"id": "5", "op": "delete"})))
    found = of(store, ADA, ("x", "nobody-knows"))
    assert found.posts.select("platform", "id", "op").rows() == [("x", "1", "delete"), ("x", "4", "delete")]
    assert len(found.keys) == 3
    assert of(store, ("y", "bo")).posts.is_empty()


def test_their_posts_lose_text_author_and_links_and_what_was_counted_stays(store: Store) -> None:
    store.commit(Commit(clustered({"author": "ada"}, {"author": "bo"}, {"author": "ada"})))
    assert [leave(store, ADA), leave(store, ADA)] == [2, 0]
    left = store.recent_mentions(9)
    assert left["text"].to_list() == ["", "text 1", ""]
    assert left["author"].to_list() == ["nobody", "bo", "nobody"]
    assert left["url"].null_count() == 2
    assert left["tag"].null_count() == 0


def test_a_post_that_comes_again_does_not_come_back(store: Store) -> None:
    store.commit(Commit(clustered({"author": "ada"})))
    leave(store, ADA)
    store.commit(Commit(clustered({"author": "ada"})))
    store.commit(Commit(clustered({"author": "ada", "op": "update", "text": "I am here again"})))
    assert store.recent_mentions(9)["text"].to_list() == [""]


def test_who_was_shown_one_is_told_once(store: Store) -> None:
    store.commit(Commit(clustered({"id": "0", "author": "ada"}, {"id": "1", "author": "bo"})))
    store.commit(Commit(none(), alerts=[an_alert()], outbox=[note := a_notification("desk", an_alert())]))
    store.mark_sent(note.key, "the card")
    assert [leave(store, ADA), leave(store, ADA)] == [1, 0]
    (queued,) = store.due("desk", AT, 9).queued
    assert queued.notification.alert.change == EVIDENCE_DELETED
    assert [one.text for one in queued.notification.alert.evidence] == ["", a_piece(1).text]
    assert [one.text for one in store.alerts()[0].evidence] == ["", a_piece(1).text]


def test_an_author_is_looked_up_without_reading_the_archive(store: Store) -> None:
    def plan(connection: Connection) -> str:
        if connection.dialect.name == "sqlite":
            return str(connection.execute(text(f"EXPLAIN QUERY PLAN {ASKED}")).all())
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # an empty table is read whole otherwise
        return str(connection.execute(text(f"EXPLAIN {ASKED}")).all())

    assert "ix_mentions_author" in store.change(plan)
