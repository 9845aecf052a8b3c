"""The worker thread's work when the configuration changes, while the monitor runs and while it does not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.alert.decide import AlertPolicy
from monitor.alert.outbox import notifications
from monitor.alert.steps import Described
from monitor.app.desk import Desk
from monitor.app.parts import Taken
from monitor.arrivals import Payload
from monitor.clock import SystemClock
from monitor.pipeline import Arrivals
from monitor.records import AlertState, Finding
from monitor.settings import Settings, load
from monitor.store.in_hand import InHand
from monitor.store.store import Commit, Store
from tests.fakes.counts import counted
from tests.fakes.mentions import none
from tests.fakes.platform import metrics

BEGIN = datetime(2021, 9, 3, tzinfo=UTC)
EVENT = 'name = "{name}"\nproposition = "The {name} has fallen"\nany = ["{name}"]\nreceivers = ["{told}"]\n'
SOURCE = '[[source]]\nkind = "file"\nname = "{name}"\npath = "{name}.ndjson"\nfollow = true\n'
RECEIVER = '[[receiver]]\nkind = "file"\nname = "{name}"\npath = "{name}.ndjson"\n'


def configured(folder: Path, *, events: tuple[str, ...] = ("dam", "cup"), sources: tuple[str, ...] = ()) -> Settings:
    (folder / "events").mkdir(parents=True)
    for name in events:
        told = {"cup": "sports", "dam": "politics"}[name]
        (folder / "events" / f"{name}.toml").write_text(EVENT.format(name=name, told=told), "utf-8")
    tables = [RECEIVER.format(name=name) for name in ("sports", "politics")]
    tables += [SOURCE.format(name=name) for name in ("posts", *sources)]
    (folder / "monitor.toml").write_text("".join(tables), "utf-8")
    return load(folder, {})


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store(place) as opened:
        yield opened


def desk(settings: Settings, store: Store, folder: Path) -> Desk:
    return Desk(settings, store, InHand(folder / "in-hand"), SystemClock(), metrics())


def batch(at: Desk, second: float, *payloads: Payload) -> Taken:
    (part,) = at.parts(Arrivals(payloads, (), BEGIN + timedelta(seconds=second)))
    taken = at.walk(part)
    at.commit(taken)
    return taken


def fire(settings: Settings, store: Store) -> None:
    """Leaves firing alerts of all events behind."""
    policy = AlertPolicy({event.name: event for event in settings.events})
    found = [
        Finding(at=BEGIN, event=event.name, narrative="n", rule="race", holds=True, reason="r", numbers={})
        for event in settings.events
    ]
    policy.decide(found, counted([]), BEGIN + timedelta(minutes=5), lambda *_: Described("", ()))
    store.commit(Commit(none(), state=policy.snapshot()))


def told(taken: Taken) -> list[tuple[str, str, AlertState]]:
    return [(note.alert.event, note.receiver, note.alert.state) for note in taken.commit.outbox]


@pytest.mark.parametrize("running", [True, False])
def test_of_a_removed_events_alert_only_its_own_receivers_hear_that_it_is_over(
    tmp_path: Path,
    store: Store,
    running: bool,  # noqa: FBT001
) -> None:
    before = configured(tmp_path / "before")
    after = configured(tmp_path / "after", events=("dam",))
    batch(desk(before, store, tmp_path), 300)
    fire(before, store)
    if running:
        second = desk(before, store, tmp_path)
        second.reconfigure(after, second.prepared(after))
    else:
        second = desk(after, store, tmp_path)
    assert told(batch(second, 310)) == [("cup", "sports", AlertState.RESOLVED)]
    assert told(batch(second, 320)) == []


@pytest.mark.parametrize("running", [True, False])
def test_who_was_told_of_an_alert_hears_its_end_though_the_event_names_others_now(
    tmp_path: Path,
    store: Store,
    running: bool,  # noqa: FBT001
) -> None:
    before = configured(tmp_path / "before", events=("cup",))
    configured(tmp_path / "after", events=("cup",))
    (tmp_path / "after" / "events" / "cup.toml").write_text(EVENT.format(name="cup", told="politics"), "utf-8")
    after = load(tmp_path / "after", {})
    batch(desk(before, store, tmp_path), 300)
    policy = AlertPolicy({event.name: event for event in before.events})
    plain: dict[str, Any] = {"event": "cup", "narrative": "n", "rule": "race", "reason": "r", "numbers": {}}
    found = [Finding(at=BEGIN + timedelta(seconds=at), holds=not at, **plain) for at in (0, 200)]
    steps = policy.decide(found, counted([]), BEGIN + timedelta(minutes=5), lambda *_: Described("", ()))
    notes = notifications(steps[-1], {"sports": timedelta(hours=1)}, BEGIN)
    store.commit(Commit(none(), alerts=steps, state=policy.snapshot(), outbox=notes))
    second = desk(before if running else after, store, tmp_path)
    if running:
        second.reconfigure(after, second.prepared(after))
    over = AlertState.RESOLVED
    assert told(batch(second, 7_200)) == [("cup", "sports", over), ("cup", "politics", over)]


def test_the_archive_says_from_when_on_which_events_were_watched(tmp_path: Path, store: Store) -> None:
    before = configured(tmp_path / "before")
    after = configured(tmp_path / "after", events=("dam",))
    first = desk(before, store, tmp_path)
    batch(first, 1)
    batch(first, 2)
    first.reconfigure(before, first.prepared(before))
    batch(first, 3)
    first.reconfigure(after, first.prepared(after))
    batch(first, 4)
    batch(desk(after, store, tmp_path), 5)
    batch(desk(before, store, tmp_path), 6)
    found = [(one.at - BEGIN, [event.name for event in one.events]) for one in store.exchanges()]
    assert found == [
        (timedelta(seconds=1), ["cup", "dam"]),
        (timedelta(seconds=4), ["dam"]),
        (timedelta(seconds=6), ["cup", "dam"]),
    ]
    assert store.exchanges()[0].events == before.events


def test_a_rule_that_was_changed_while_the_monitor_did_not_run_is_an_exchange(tmp_path: Path, store: Store) -> None:
    before = configured(tmp_path / "before")
    batch(desk(before, store, tmp_path), 1)
    path = tmp_path / "before" / "events" / "cup.toml"
    path.write_text(path.read_text("utf-8") + '[rules]\nfor = "1m"\n', "utf-8")
    batch(desk(load(tmp_path / "before", {}), store, tmp_path), 2)
    assert [event.rules.for_ for event in store.exchanges()[1].events] == [timedelta(minutes=1), timedelta(minutes=2)]


def test_a_source_that_was_removed_has_no_watermark_until_it_returns(tmp_path: Path, store: Store) -> None:
    both = configured(tmp_path / "both", sources=("more",))
    one = configured(tmp_path / "one")
    first = desk(both, store, tmp_path)
    post = b'{"id": "1", "platform": "x", "text": "the dam", "created_at": "2021-09-03T00:00:00Z"}'
    batch(first, 10, Payload("posts", post, None), Payload("more", post.replace(b'"1"', b'"2"'), None))
    first.reconfigure(one, first.prepared(one))
    assert list(batch(first, 20).watermarks) == ["posts"]
    assert list(batch(desk(one, store, tmp_path), 30).watermarks) == ["posts"]
    first = desk(both, store, tmp_path)
    assert sorted(batch(first, 40).watermarks) == ["more", "posts"]
