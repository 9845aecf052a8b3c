"""Dead letters are listed with their reasons and sent again under their own keys; a possible repeat stays one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

import monitor.__main__ as command_line
from monitor.app.desk import Desk
from monitor.clock import SystemClock
from monitor.frames import CLUSTERED
from monitor.records import Notification
from monitor.store.store import Commit, Store
from tests.fakes.alerts import a_notification, an_alert
from tests.fakes.live import Live, live
from tests.fakes.webhook_sink import SECRET, WebhookSink, webhook_sink
from tests.pipeline.test_daemon import PATIENCE

REFUSED = a_notification("desk")
UNKNOWN = a_notification("desk", an_alert(id="a2", label="@all \x1b[31m another claim"))
GONE = a_notification("pager", an_alert(id="a3"))
SENT = a_notification("desk", an_alert(id="a4"))


class Newsroom(NamedTuple):
    daemon: Live
    sink: WebhookSink

    async def taken(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.sink.taken) < count:
                await SystemClock().sleep(timedelta(milliseconds=20))


def prepared(folder: Path, *notes: Notification) -> None:
    with Store(f"sqlite:///{folder}/m.sqlite") as store:
        store.commit(Commit(pl.DataFrame(schema=CLUSTERED), outbox=notes))
        store.mark_dead(REFUSED.key, "refused", "HTTP 404: no \x1b[2Jroom")
        store.mark_begun(UNKNOWN.key)
        store.mark_dead(UNKNOWN.key, "expired", "after 9 attempts", unknown=True)
        store.mark_dead(GONE.key, "no_receiver")
        store.mark_sent(SENT.key, "HTTP 204")


@asynccontextmanager
async def newsroom(folder: Path) -> AsyncIterator[Newsroom]:
    prepared(folder, REFUSED, UNKNOWN, GONE, SENT)
    async with webhook_sink() as sink:
        receiver = f'[[receiver]]\nkind = "webhook"\nname = "desk"\nurl = "{sink.url}"\nsecret_env = "SINK"\n'
        async with live(folder, receiver, {"SINK": SECRET.decode()}) as daemon:
            yield Newsroom(daemon, sink)


async def test_they_are_listed_with_what_is_known_of_them(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as there:
        letters = (await there.daemon.ask("GET", "/notifications/dead")).body["letters"]
        known = [(one["key"], one["receiver"], one["reason"], one["unknown"]) for one in letters]
        assert known == [
            (REFUSED.key, "desk", "refused", False),
            (UNKNOWN.key, "desk", "expired", True),
            (GONE.key, "pager", "no_receiver", False),
        ]
        newest = (await there.daemon.ask("GET", "/notifications/dead?receiver=desk&limit=1")).body["letters"]
        assert [one["key"] for one in newest] == [UNKNOWN.key]


async def test_they_are_sent_again_once_under_the_same_key(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as there:
        asked = {"keys": [REFUSED.key, SENT.key, "0" * 32]}
        done = await there.daemon.ask("POST", "/notifications/replay", asked)
        assert done.body == {"queued": [REFUSED.key], "without_receiver": [], "unknown": [SENT.key, "0" * 32]}
        await there.taken(1)
        assert list(there.sink.taken) == [REFUSED.key]
        again = await there.daemon.ask("POST", "/notifications/replay", {"keys": [REFUSED.key]})
        assert again.body["unknown"] == [REFUSED.key]


async def test_many_are_queued_a_portion_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.app.letters.AT_ONCE", 1)
    portions: list[int] = []
    replay = Desk.replay

    def counted(desk: Desk, letters: dict[str, datetime]) -> list[str]:
        portions.append(len(letters))
        return replay(desk, letters)

    monkeypatch.setattr(Desk, "replay", counted)
    async with newsroom(tmp_path) as there:
        done = await there.daemon.ask("POST", "/notifications/replay", {"all": True})
        assert done.body["queued"] == [REFUSED.key, UNKNOWN.key]
    assert portions == [1, 1]


async def test_all_means_all_that_has_a_receiver(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as there:
        done = await there.daemon.ask("POST", "/notifications/replay", {"all": True})
        assert done.body["queued"] == [REFUSED.key, UNKNOWN.key]
        assert done.body["without_receiver"] == [GONE.key]
        await there.taken(2)
        left = (await there.daemon.ask("GET", "/notifications/dead")).body["letters"]
        assert [one["key"] for one in left] == [GONE.key]


@pytest.mark.parametrize(
    "asked",
    [{}, {"all": False}, {"all": True, "receiver": "desk"}, {"keys": ["x"]}, {"keys": ["0" * 32], "all": True}],
)
async def test_what_is_meant_must_be_said(tmp_path: Path, asked: dict[str, object]) -> None:
    async with live(tmp_path) as daemon:
        assert (await daemon.ask("POST", "/notifications/replay", asked)).status == 400


def test_a_letter_that_may_have_arrived_is_a_repeat_when_it_is_sent_again(tmp_path: Path) -> None:
    prepared(tmp_path, REFUSED, UNKNOWN, GONE, SENT)
    later = SystemClock().now() + timedelta(hours=1)
    with Store(f"sqlite:///{tmp_path}/m.sqlite") as store:
        for note in (REFUSED, UNKNOWN):
            assert store.requeue(note.key, later)
        due = {one.notification.key: one.notification for one in store.due("desk", SystemClock().now(), 10).queued}
        assert {key: note.repeat for key, note in due.items()} == {REFUSED.key: False, UNKNOWN.key: True}
        assert {note.deadline for note in due.values()} == {later}


async def test_commands_list_and_replay_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def typed(*words: str) -> tuple[int, str, str]:
        status = await asyncio.to_thread(command_line.main, ["alerts", *words, "--config", str(tmp_path)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    async with newsroom(tmp_path) as there:
        status, listed, _ = await typed("dead")
        assert status == 0
        assert REFUSED.key in listed
        assert "may have arrived" in listed
        assert "\x1b" not in listed
        found = json.loads((await typed("dead", "--receiver", "pager", "--json"))[1])
        assert [one["key"] for one in found["letters"]] == [GONE.key]
        said = (await typed("replay", REFUSED.key, "f" * 32))[1]
        assert said == f"on their way again: 1\nno dead letter: {'f' * 32}\n"
        said = (await typed("replay", "--all"))[1]
        assert said == "on their way again: 1\nleft where they are, their receivers are gone: 1\n"
        await there.taken(2)
