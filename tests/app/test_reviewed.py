"""Fact checks on their way: kept, and shown with the events that they speak of in their own words; no status."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from monitor.alert.card import card, plain
from monitor.alert.checked import KEPT, SHOWN, Checked
from monitor.alert.example import example_alert
from monitor.app.desk import Desk
from monitor.app.reviewed import about
from monitor.arrivals import Payload
from monitor.clock import SystemClock
from monitor.marks import FactCheck, Status
from monitor.match.matcher import Matcher
from monitor.pipeline import Arrivals
from monitor.settings import load
from monitor.store.in_hand import InHand
from monitor.store.reader import Reader
from monitor.store.store import Store
from monitor.watched import Event
from tests.fakes.answers import claim
from tests.fakes.polled import metrics

BEGIN = datetime(2021, 9, 3, tzinfo=UTC)
BRIDGE = Event(name="bridge", proposition="The bridge has come down", any=("bridge",), none=("chess",))
FIRE = Event(name="fire", proposition="The mill burns", any=("mill",))
ALL = Event(name="all", proposition="Everything", any=("*",))


def check(number: int = 0, event: str = "", rating: str = "Erfunden") -> FactCheck:
    return FactCheck(
        at=BEGIN + timedelta(minutes=number),
        event=event,
        claim=f"The bridge came down, version {number}",
        by="Harbour Checks",
        rating=rating,
        url=f"https://checks.example/{number}",
    )


def test_a_review_is_of_the_events_whose_terms_it_has() -> None:
    other = msgspec.structs.replace(check(), claim="A bridge of chess players")
    titled = msgspec.structs.replace(check(), claim="It burns", title="No, the mill and the bridge stand")
    found = about(Matcher([ALL, BRIDGE, FIRE]), [check(), other, titled])
    assert [(one.claim, one.event) for one in found] == [
        ("The bridge came down, version 0", "bridge"),
        ("It burns", "bridge"),
        ("It burns", "fire"),
    ]


def test_an_alert_shows_the_newest_reviews_that_were_known_by_then() -> None:
    checked = Checked()
    checked.take([check(number, "bridge") for number in range(5)])
    checked.take([check(3, "bridge", "Doch nicht erfunden"), check(0, "fire")])
    alert = msgspec.structs.replace(example_alert(BEGIN), event="bridge", at=BEGIN + timedelta(minutes=3, seconds=30))
    shown = checked.shown(alert).checks
    assert len(shown) == SHOWN
    assert [(one.url[-1], one.rating) for one in shown] == [
        ("3", "Doch nicht erfunden"),
        ("2", "Erfunden"),
        ("1", "Erfunden"),
    ]
    early = msgspec.structs.replace(alert, at=BEGIN - timedelta(seconds=1))
    assert checked.shown(early) is early


def test_what_is_known_of_an_event_survives_a_restart_and_stays_small() -> None:
    checked, again = Checked(), Checked()
    checked.take(check(number, "bridge") for number in range(50))
    rows = checked.snapshot()
    assert len(msgspec.msgpack.decode(rows["alert/checked/bridge"])) == KEPT
    assert checked.snapshot() == {}
    again.restore(rows)
    alert = msgspec.structs.replace(example_alert(BEGIN), event="bridge", at=BEGIN + timedelta(days=1))
    assert again.shown(alert) == checked.shown(alert)
    again.forget(["bridge"])
    assert again.snapshot() == {"alert/checked/bridge": b""}


def test_a_card_shows_the_rating_as_it_stands_and_leaves_the_status_alone() -> None:
    sly = check(1, "bridge", "<b>Faux</b> \u202eeslaf")
    alert = msgspec.structs.replace(example_alert(BEGIN), checks=(sly,), said=None, status=Status.UNCONFIRMED)
    text = plain(card(alert))
    assert text.startswith("UNCONFIRMED")
    assert "Fact check by Harbour Checks: “‹b›Faux‹/b›" in text
    assert "\u202e" not in text
    assert "https://checks.example/1" in text


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


def test_a_review_that_arrives_is_committed_and_comes_again_from_the_archive(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    (folder / "events").mkdir(parents=True)
    event = 'name = "bridge"\nproposition = "The bridge has come down"\nany = ["bridge"]\n'
    (folder / "events" / "bridge.toml").write_text(event, "utf-8")
    source = '[[source]]\nkind = "factcheck"\nname = "checks"\npages = ["https://checks.example/"]\n'
    (folder / "monitor.toml").write_text(source, "utf-8")
    desk = Desk(load(folder, {}), store, InHand(tmp_path / "in-hand"), SystemClock(), metrics())
    other = claim("The mill burns")
    other["claimReview"][0]["title"] = "No fire at all"
    answer = msgspec.json.encode({"claims": [claim("The bridge came down", "Erfunden"), other]})
    (part,) = desk.parts(Arrivals((Payload("checks", answer, "here"),), (), BEGIN))
    taken = desk.walk(part)
    desk.commit(taken)
    reader = Reader(f"sqlite:///{tmp_path / 'store.sqlite'}")
    try:
        (kept,) = reader.checks(10)
        assert (kept.event, kept.rating, kept.at, kept.by) == ("bridge", "Erfunden", BEGIN, "Harbour Checks")
        assert kept in reader.every_mark()
    finally:
        reader.close()
    assert store.resume_points() == {"checks": "here"}
    assert taken.batch.posts.is_empty()
