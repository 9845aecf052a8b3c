"""What sources' servers call the mentions that they brought: the last ones, also after a restart."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import polars as pl
import pytest

from monitor.app.deletions import Deletions
from monitor.app.pseudonyms import Pseudonyms
from monitor.collect.parsed import Parsed
from monitor.frames import POSTS
from monitor.store.store import Store
from tests.fakes.mentions import START, clustered

NOTHING = pl.DataFrame(schema=POSTS)


class Known:
    """What is known, and the rows in which it is kept."""

    def __init__(self, store: Store, most: int) -> None:
        self.store = store
        self.most = most
        self.rows: dict[str, bytes] = {}
        self.start()

    def start(self, *sources: str) -> None:
        """Begins, or begins again from the rows, with these sources, else with two."""
        self.deletions = Deletions(self.store, Pseudonyms(None), self.most)
        self.deletions.restore(self.rows, sources or ("far", "mastodon-social"))

    def bring(self, source: str, *names: str) -> None:
        """A source brings posts, which become mentions."""
        self.wait(source, *names)
        self.take(self.deletions.note(clustered(*({"source": source, "id": address(name)} for name in names))))

    def wait(self, source: str, *names: str) -> None:
        """A source brings posts, which become no mentions yet."""
        local = {address(name): name for name in names}
        self.deletions.of(told(local=local), source, START, NOTHING)

    def delete(self, source: str, *names: str) -> None:
        """Deletions of mentions are walked."""
        rows = ({"source": source, "id": address(name), "op": "delete"} for name in names)
        self.take(self.deletions.note(clustered(*rows)))

    def take(self, rows: dict[str, bytes]) -> None:
        """Keeps rows as a store does."""
        self.rows = {key: row for key, row in (self.rows | rows).items() if row}

    def known(self, source: str, *names: str) -> list[str]:
        """Those of these names that are known."""
        deleted = self.deletions.of(told(unnamed=names), source, START, NOTHING).posts
        assert set(deleted["op"].to_list()) <= {"delete"}
        assert set(deleted["source"].to_list()) <= {source}
        return [name for name in names if address(name) in deleted["id"].to_list()]


def address(name: str) -> str:
    return f"https://social.example/{name}"


def told(local: Mapping[str, str] = {}, unnamed: tuple[str, ...] = ()) -> Parsed:
    return Parsed(NOTHING, pl.Series("payload", [], pl.UInt32), [], local=local, unnamed=unnamed)


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Known]:
    store = Store(f"sqlite:///{tmp_path}/s.sqlite")
    yield Known(store, 4)
    store.close()


def test_the_oldest_make_room_and_no_name_but_a_plain_one_is_kept(known: Known) -> None:
    names = ("1001", "1002", "1003", "a\0b", "x" * 65, "1004", "1005")
    known.bring("far", *names)
    assert len(known.rows) == 4
    for _ in range(2):
        assert known.known("far", *names) == ["1002", "1003", "1004", "1005"]
        assert known.known("mastodon-social", *names) == []
        known.start()


def test_the_oldest_make_room_after_a_restart_too_whatever_their_servers_call_them(known: Known) -> None:
    known.bring("mastodon-social", "101", "102")
    known.bring("far", "901", "902")
    known.start()
    known.bring("mastodon-social", "103")
    known.start()
    known.bring("mastodon-social", "104")
    assert known.known("far", "901", "902") == ["901", "902"]
    assert known.known("mastodon-social", "101", "102", "103", "104") == ["103", "104"]


def test_rows_without_a_number_are_older_than_those_with_one(known: Known) -> None:
    known.rows = {f"local/far/{name}": msgspec.msgpack.encode(("x", address(name))) for name in ("901", "902")}
    known.start()
    assert known.known("far", "901", "902") == ["901", "902"]
    known.bring("mastodon-social", "101", "102", "103", "104")
    assert known.known("mastodon-social", "101", "102", "103", "104") == ["101", "102", "103", "104"]


def test_a_deletion_that_is_walked_takes_the_name_along(known: Known) -> None:
    known.bring("far", "901", "902")
    known.start()
    known.delete("another", "901")
    assert list(known.rows) == ["local/far/902"]
    assert known.known("far", "901", "902") == ["902"]


def test_a_post_that_comes_again_waits_as_a_new_one(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.app.deletions._RECENT", 2)
    known.wait("far", "901", "902")
    known.wait("far", "901", "903")
    known.take(known.deletions.note(clustered({"source": "far", "id": address("901")})))
    assert known.known("far", "901") == ["901"]


def test_names_of_a_source_that_is_configured_no_more_go_at_the_start(known: Known) -> None:
    known.bring("far", "901")
    known.bring("mastodon-social", "101")
    known.start("mastodon-social")
    known.take(known.deletions.note(clustered()))
    assert list(known.rows) == ["local/mastodon-social/101"]
    known.start()
    assert known.known("far", "901") == []


def test_names_go_with_the_texts_of_their_posts(known: Known) -> None:
    known.bring("far", "901", "902")
    aged = clustered({"id": address("901")}).select("platform", "id")
    known.take(known.deletions.forget(aged))
    assert list(known.rows) == ["local/far/902"]
    assert known.known("far", "901", "902") == ["902"]
