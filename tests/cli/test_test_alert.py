"""`monitor test-alert` proves every kind of chat, with the settings that an operator writes."""

import asyncio
import shutil
from pathlib import Path

import pytest

import monitor.__main__ as command_line
from tests.fakes.chats import SECRET, served
from tests.fakes.mail_server import PASSWORD, mail_server

GOOD = Path(__file__).parents[1] / "settings" / "good"
KINDS = {
    "slack-webhook": ('url_file = "secret"', "{at}/services/T0/B0/{secret}"),
    "slack-bot": ('token_file = "secret"\nchannel = "C1XX"\napi = "{at}/api"', "{secret}"),
    "discord": ('url_file = "secret"', "{at}/api/webhooks/1/{secret}"),
    "mattermost": ('url_file = "secret"', "{at}/hooks/{secret}"),
    "teams": ('url_file = "secret"', "{at}/workflows/{secret}"),
    "telegram": ('token_file = "secret"\nchat = "-1001"\napi = "{at}"', "{secret}"),
    "matrix": ('token_file = "secret"\nhomeserver = "{at}"\nroom = "!room:test.local"', "{secret}"),
    "alertmanager": ('url = "{at}"', "{secret}"),
}
kinds = pytest.mark.parametrize("kind", KINDS)
MAIL = """host = "localhost"
port = {at}
ca_file = "ca.pem"
username = "monitor"
password_file = "secret"
sender = "monitor@example.org"
to = ["desk@example.org"]
"""


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOOD / "small", "config")
    Path("posts.ndjson").touch()


def configure(kind: str, at: str, secret: str) -> None:
    lines, kept = (MAIL, "{secret}") if kind == "email" else KINDS[kind]
    table = f'[[receiver]]\nkind = "{kind}"\nname = "desk"\n{lines.format(at=at)}\n'
    Path("config/monitor.toml").write_text(table, "utf-8")
    Path("secret").write_text(kept.format(at=at, secret=secret), "utf-8")


@kinds
async def test_the_alert_arrives_marked_as_a_test(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with served(kind) as (chat, at):
        configure(kind, at, SECRET)
        assert await asyncio.to_thread(command_line.main, ["test-alert", "desk"]) == 0
    assert capsys.readouterr().out.startswith("desk took it")
    (text,) = chat.shown()
    assert "TEST, not a real alert: the old bridge is closed" in text


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"alertmanager"}))
async def test_a_wrong_secret_is_said_and_not_shown(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with served(kind) as (_, at):
        configure(kind, at, "wrongWord12345")
        assert await asyncio.to_thread(command_line.main, ["test-alert", "desk"]) == 1
    said = capsys.readouterr()
    assert "desk did not take it: refused" in said.err
    assert "trying again will not help" in said.err
    assert "wrongWord12345" not in said.out + said.err


async def test_mail_arrives_marked_as_a_test(tmp_path: Path) -> None:
    async with mail_server(tmp_path) as server:
        configure("email", str(server.port), PASSWORD)
        assert await asyncio.to_thread(command_line.main, ["test-alert", "desk"]) == 0
        assert "TEST" in str(server.taken[0]["Subject"])
