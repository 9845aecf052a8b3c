"""Who gets links on cards: chats, where a monitor's address and key are configured; machines, logs, Apprise never."""

from pathlib import Path

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace

from monitor.alert.receivers.linked import Linked
from monitor.app.build import links, receivers
from monitor.app.reload import applicable, changes
from monitor.clock import SystemClock
from monitor.records import Gathered
from monitor.settings import Settings, load
from tests.fakes.alerts import a_notification, an_alert
from tests.fakes.desk import KEY
from tests.fakes.receiver import ScriptedReceiver
from tests.pipeline.test_daemon import EVENT

ENVIRON = {"KEY": KEY.decode(), "OTHER": "f" * 32, "URL": "https://chat.example.org/hooks/abc", "TOKEN": "x"}
ACTIONS = '[actions]\nurl = "https://monitor.example.org"\nkey_env = "KEY"\n'
CHATS = {
    "slack-webhook": 'url_env = "URL"',
    "slack-bot": 'channel = "C024BE91L"\ntoken_env = "TOKEN"',
    "discord": 'url_env = "URL"',
    "mattermost": 'url_env = "URL"',
    "teams": 'url_env = "URL"',
    "telegram": 'chat = "-1"\ntoken_env = "TOKEN"',
    "matrix": 'homeserver = "https://m.example.org"\nroom = "!a:b"\ntoken_env = "TOKEN"',
    "email": 'host = "m"\nsender = "a@example.org"\nto = ["b@example.org"]',
}
MACHINES = {
    "webhook": 'url = "https://chat.example.org/hook"',
    "alertmanager": 'url = "http://127.0.0.1:9093"',
    "terminal": "",
    "file": 'path = "alerts.ndjson"',
    "mqtt": 'host = "127.0.0.1"',
    "apprise": 'url_env = "URL"',
}


def configured(folder: Path, actions: str = ACTIONS) -> Settings:
    (folder / "events").mkdir(exist_ok=True)
    (folder / "events" / "fall.toml").write_text(EVENT, "utf-8")
    tables = [f'[[receiver]]\nkind = "{kind}"\nname = "{kind}"\n{rest}\n' for kind, rest in (CHATS | MACHINES).items()]
    (folder / "monitor.toml").write_text(actions + "".join(tables), "utf-8")
    return load(folder, ENVIRON)


async def test_chats_carry_links_and_nothing_else_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with ClientSession() as session:
        built = receivers(configured(tmp_path), session, SystemClock())
        assert {one.name for one in built if isinstance(one, Linked)} == set(CHATS)
        without = receivers(configured(tmp_path, ""), session, SystemClock())
        assert not [one for one in without if isinstance(one, Linked)]


async def test_links_are_made_for_the_receiver_that_gets_them_as_they_leave(tmp_path: Path) -> None:
    made = links(configured(tmp_path))
    assert made is not None
    behind = ScriptedReceiver(keyless=True)
    receiver = Linked(behind, made)
    note = a_notification()
    assert (receiver.name, receiver.pace, receiver.repeats(note)) == ("desk", None, True)
    assert receiver.timeout == behind.timeout
    assert await receiver.send(note) == "receipt 1"
    assert behind.actions == [made.of(an_alert(), "desk")]
    assert "https://monitor.example.org/actions/acknowledge/a1?" in behind.actions[0][0].url
    assert note.actions == ()
    await receiver.send(replace(note, key="d", digest=(Gathered(alert=an_alert(), changes=()),)))
    assert behind.actions[1] == (), "a digest is about many alerts"


def test_another_key_waits_for_a_restart(tmp_path: Path) -> None:
    old = configured(tmp_path)
    new = configured(tmp_path, ACTIONS.replace('"KEY"', '"OTHER"'))
    assert changes(old, new).restart == ("actions",)
    going_on = links(applicable(old, new))
    assert going_on is not None
    assert going_on.key == KEY
    assert going_on == links(old)
