"""Deletions that name no post reach posts from before a restart: of an account, and by an id of the server's own."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from monitor.app.desk import Desk
from monitor.arrivals import Payload
from monitor.collect.mastodon_wire import Own, owned
from monitor.errors import StoreError
from monitor.metrics import Metrics
from monitor.pipeline import Arrivals
from monitor.records import EVIDENCE_DELETED
from monitor.settings import load
from monitor.store import restart
from monitor.store.in_hand import InHand
from monitor.store.schema import METADATA
from monitor.store.store import Store
from tests.fakes.clock import START, ManualClock
from tests.fakes.jetstream import Happening, Jetstream, post
from tests.fakes.mastodon import name_of, status

EVENT = (
    'name = "fall"\nproposition = "Bazarak has fallen"\nany = ["bazarak"]\n'
    '[rules]\nvolume = 2\nalert_on = ["volume"]\nfor = "1s"\nkeep_firing = "1m"\n'
)
MONITOR = (
    '[pipeline]\nin_hand = "{folder}/in-hand"\n[store]\nauthors = "{authors}"\n'
    '[[source]]\nkind = "bluesky"\nname = "sky"\n[[source]]\nkind = "mastodon"\nname = "far"\n'
    'instance = "https://far.example"\ntoken_env = "TOKEN"\ntags = ["flood"]\n'
    '[[receiver]]\nkind = "file"\nname = "log"\npath = "{folder}/log"\n'
)
ADA, BO = "did:plc:ada", "did:plc:bo"
SAID = "unheard-of"
TEXTS = (
    (ADA, "bazarak has fallen to them this morning, unheard-of until now"),
    (ADA, "unheard-of speed: their fighters took bazarak within an hour"),
    ("did:plc:cy", "breaking, bazarak is in their hands, scenes at the square"),
    ("did:plc:di", "they captured bazarak without a shot"),
    ("did:plc:ed", "the flag over bazarak is theirs since noon"),
    (BO, "confirmed by my cousin: bazarak fell, everyone is leaving"),
)
GONE = b'{"fold":{"accounts":["did:plc:ada"]}}'
LATER = START + timedelta(hours=1)


class Place:
    """A desk that reads Bluesky, with its store."""

    def __init__(self, folder: Path, url: str, authors: str) -> None:
        (folder / "events").mkdir()
        (folder / "events" / "fall.toml").write_text(EVENT, "utf-8")
        (folder / "monitor.toml").write_text(MONITOR.format(folder=folder, authors=authors), "utf-8")
        self.folder = folder
        self.store = Store(url)
        self.start()

    def start(self) -> None:
        """Begins, or begins again from what is in the store."""
        settings, metrics = load(self.folder, {"TOKEN": "a token"}), Metrics(CollectorRegistry(), version="1")
        self.desk = Desk(settings, self.store, InHand(self.folder / "in-hand"), ManualClock(START), metrics)

    def see(self, at: datetime, *lines: bytes, commits: bool = True, source: str = "sky") -> dict[str, int]:
        """Walks one batch, and commits it; answers what was rejected."""
        rejected = dict[str, int]()
        payload = Payload(source, b"\n".join(lines), f"behind {at:%H:%M}")
        for part in self.desk.parts(Arrivals((payload,) if lines else (), (), at)):
            taken = self.desk.walk(part)
            if commits:
                self.desk.commit(taken)
            for settled in taken.settled:
                rejected |= settled.rejected
        return rejected

    def whole(self) -> str:
        """Everything in every table."""
        tables = METADATA.sorted_tables
        return repr(self.store.change(lambda connection: [connection.execute(select(one)).all() for one in tables]))

    def state(self) -> list[str]:
        """The keys of the state rows."""
        return list(self.store.change(restart.rows))


def line(happening: Happening) -> bytes:
    server = Jetstream()
    server.say(happening)
    return json.dumps(server.v1(0)).encode()


def claims() -> list[bytes]:
    return [line(post(n, text, did=did, createdAt=START.isoformat())) for n, (did, text) in enumerate(TEXTS, 1)]


@pytest.fixture(params=["hashed", "plain"])
def at(request: pytest.FixtureRequest, tmp_path: Path, place: str) -> Iterator[Place]:
    made = Place(tmp_path, place, request.param)
    made.see(START, *claims())
    made.see(START + timedelta(minutes=5))
    made.store.mark_sent(made.store.due("log", LATER, 9).queued[0].notification.key, "the card", START)
    yield made
    made.store.close()


def test_its_posts_from_before_a_restart_go_everywhere_and_who_was_shown_them_is_told_once(at: Place) -> None:
    assert SAID in at.whole()
    at.start()
    at.see(LATER, GONE)
    at.see(LATER, GONE)
    assert SAID not in at.whole()
    assert ADA not in at.whole().replace(f"at://{ADA}/", "")
    told = [one.notification.alert for one in at.store.due("log", LATER, 9).queued]
    assert [alert.change for alert in told].count(EVIDENCE_DELETED) == 1


def test_what_others_wrote_stays_and_an_account_that_comes_back_resurrects_nothing(at: Place) -> None:
    at.start()
    at.see(LATER, GONE)
    back = line(Happening(ADA, "account", account={"active": True}))
    at.see(LATER + timedelta(seconds=1), back, *claims())
    mentions = at.store.recent_mentions(9)
    assert sorted(mentions["text"]) == sorted(["", "", *(text for _, text in TEXTS[2:])])
    assert mentions["author"].n_unique() == len(TEXTS)


def test_a_kill_before_the_commit_loses_nothing(at: Place) -> None:
    at.start()
    at.see(LATER, GONE, commits=False)
    assert at.store.resume_points() == {"sky": f"behind {START:%H:%M}"}
    assert SAID in at.whole()
    at.start()
    at.see(LATER, GONE)
    assert SAID not in at.whole()


def test_a_store_that_cannot_be_asked_is_asked_again_before_anything_is_walked(
    at: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    at.start()
    with monkeypatch.context() as broken:
        broken.setattr(at.store, "change", lambda _: (_ for _ in ()).throw(StoreError("away")))
        with pytest.raises(StoreError):
            at.see(LATER, GONE)
    at.see(LATER, GONE)
    assert SAID not in at.whole()


def test_so_do_posts_that_wait_for_what_they_answer_and_only_theirs(at: Place) -> None:
    asked = post(60, "bazarak fell, says who was there", did="did:plc:zed", createdAt=START.isoformat())
    answered = {"uri": f"at://{asked.did}/{asked.collection}/{asked.rkey}", "cid": "bafy"}
    reply = {"parent": answered, "root": answered}
    waits = [(ADA, 61, f"an {SAID} answer"), (BO, 62, "so says he")]
    at.see(LATER, *(line(post(n, text, did=did, createdAt=START.isoformat(), reply=reply)) for did, n, text in waits))
    at.start()
    at.see(LATER + timedelta(seconds=1), GONE)
    at.see(LATER + timedelta(seconds=2), line(asked))
    at.see(LATER + timedelta(seconds=20))
    assert SAID not in at.whole()
    assert "so says he" in at.store.recent_mentions(9)["text"].to_list()


@pytest.mark.parametrize(
    ("author", "reason"), [("did:plc:a\\u0000b", "wrong_type"), ("did:plc:" + 249 * "a", "over_size")]
)
def test_an_account_whose_name_no_post_can_have_is_counted_and_the_others_go(
    at: Place, author: str, reason: str
) -> None:
    both = f'{{"fold":{{"accounts":["{author}","{ADA}"]}}}}'.encode()
    assert at.see(LATER, both) == {reason: 1}
    assert SAID not in at.whole()


def toot(number: int, text: str, in_reply_to_id: str | None = None) -> bytes:
    told = {
        "event": "update",
        "stream": ["hashtag", "flood"],
        "payload": json.dumps(status(number, text, in_reply_to_id=in_reply_to_id)),
    }
    return json.dumps(told).encode()


def unnamed(*numbers: int) -> bytes:
    return owned(Own(unnamed=[name_of(number) for number in numbers]))


def test_a_delete_by_the_servers_own_id_reaches_a_post_from_before_a_restart(at: Place) -> None:
    at.see(LATER, toot(1, f"bazarak has fallen, {SAID}"), toot(2, "bazarak is theirs"), toot(3, "rain"), source="far")
    at.start()
    at.see(LATER + timedelta(minutes=1), unnamed(3, 1, 77), source="far")
    theirs = at.store.recent_mentions(2)
    assert theirs["text"].to_list() == ["", "bazarak is theirs"]
    assert theirs["author"].n_unique() == 2


def test_so_does_one_of_a_post_that_waited_for_the_post_it_answers(at: Place) -> None:
    answer = toot(5, "and so is the bridge", in_reply_to_id=name_of(4))
    own = owned(Own(uris={name_of(4): status(4)["uri"]}))
    at.see(LATER, own, answer, source="far")
    at.see(LATER + timedelta(seconds=1), toot(4, "bazarak is theirs, I saw it"), source="far")
    assert "and so is the bridge" in at.whole()
    at.start()
    at.see(LATER + timedelta(minutes=1), unnamed(5), source="far")
    assert "and so is the bridge" not in at.whole()


def test_what_a_server_calls_a_mention_goes_with_its_text(at: Place) -> None:
    at.see(LATER, toot(1, "bazarak has fallen"), toot(2, "bazarak is theirs"), source="far")
    at.see(LATER + timedelta(minutes=1), unnamed(1), source="far")
    assert [key for key in at.state() if key.startswith("local/")] == [f"local/far/{name_of(2)}"]
    at.start()
    old = at.desk.aged(LATER + timedelta(days=1), 99)
    assert old is not None
    at.store.commit(old)
    assert not [key for key in at.state() if key.startswith("local/")]


def test_so_it_does_at_the_start_without_its_source(at: Place) -> None:
    at.see(LATER, toot(1, "bazarak has fallen"), source="far")
    monitor = at.folder / "monitor.toml"
    monitor.write_text(monitor.read_text("utf-8").replace('name = "far"', 'name = "near"'), "utf-8")
    at.start()
    at.see(LATER + timedelta(minutes=1))
    assert not [key for key in at.state() if key.startswith("local/")]
