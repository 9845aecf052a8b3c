"""An account that is gone takes along what it wrote before a restart, as if it had deleted each of its posts."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from monitor.app.desk import Desk
from monitor.arrivals import Payload
from monitor.errors import StoreError
from monitor.metrics import Metrics
from monitor.pipeline import Arrivals
from monitor.records import EVIDENCE_DELETED
from monitor.settings import load
from monitor.store.in_hand import InHand
from monitor.store.schema import METADATA
from monitor.store.store import Store
from tests.fakes.clock import START, ManualClock
from tests.fakes.jetstream import Happening, Jetstream, post

EVENT = (
    'name = "fall"\nproposition = "Bazarak has fallen"\nany = ["bazarak"]\n'
    '[rules]\nvolume = 2\nalert_on = ["volume"]\nfor = "1s"\nkeep_firing = "1m"\n'
)
MONITOR = (
    '[pipeline]\nin_hand = "{folder}/in-hand"\n[store]\nauthors = "{authors}"\n'
    '[[source]]\nkind = "bluesky"\nname = "sky"\n[[receiver]]\nkind = "file"\nname = "log"\npath = "{folder}/log"\n'
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
        settings, metrics = load(self.folder, {}), Metrics(CollectorRegistry(), version="1")
        self.desk = Desk(settings, self.store, InHand(self.folder / "in-hand"), ManualClock(START), metrics)

    def see(self, at: datetime, *lines: bytes, commits: bool = True) -> None:
        """Walks one batch, and commits it."""
        payload = Payload("sky", b"\n".join(lines), f"behind {at:%H:%M}")
        for part in self.desk.parts(Arrivals((payload,) if lines else (), (), at)):
            taken = self.desk.walk(part)
            if commits:
                self.desk.commit(taken)

    def whole(self) -> str:
        """Everything in every table."""
        tables = METADATA.sorted_tables
        return repr(self.store.change(lambda connection: [connection.execute(select(one)).all() for one in tables]))


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
