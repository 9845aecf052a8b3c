"""A secret of every kind is planted; the daemon does all it can get wrong, and no output of any kind shows one."""

import asyncio
import signal
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import msgspec
import pytest
from aiohttp import ClientConnectionError, ClientSession

from monitor.__main__ import main
from monitor.alert.outbox import notifications
from monitor.clock import SystemClock
from monitor.settings import Settings, load
from monitor.store.store import Commit, Store
from monitor.web.routes import ROUTES
from tests.fakes.alerts import an_alert
from tests.fakes.mentions import none
from tests.fakes.postgres import PASSWORD, server_proved
from tests.pipeline.test_daemon import EVENT, PATIENCE, free_port
from tests.rig.process import DaemonProcess
from tests.settings.test_documented import every_struct

PLANTED = "pl4nted"
"""Stands in every secret, and nowhere else."""
MONITOR = """
[store]
url_env = "STORE"
author_key_env = "AUTHORS"
[web]
port = {port}
token_env = "WEB"
[actions]
url = "http://127.0.0.1:{port}"
key_env = "ACTIONS"
[log]
level = "debug"
[pipeline]
in_hand = "{folder}/in-hand"
[[source]]
kind = "ingest"
name = "pushed"
secret_env = "INGEST"
[[source]]
kind = "mqtt"
name = "bus"
host = "127.0.0.1"
port = {closed}
username = "monitor"
password_env = "BROKER"
topics = ["posts"]
"""
SOURCES: Mapping[str, str] = {
    "mastodon": 'instance = "http://127.0.0.1:{closed}"\ntags = ["flood"]\ntoken_env = "MASTODON"',
    "factcheck": 'api = "http://127.0.0.1:{closed}"\ntoken_env = "FACTCHECK"\nprivate = true',
    "x": 'api = "http://127.0.0.1:{closed}"\ntoken_env = "X"\nbudget = 1.0',
    "reddit": (
        'client_id = "abcdefghijklmn"\nsecret_env = "REDDIT"\n'
        'api = "http://127.0.0.1:{closed}"\naccounts = "http://127.0.0.1:{closed}"'
    ),
    "youtube": 'api = "http://127.0.0.1:{closed}"\ntoken_env = "YOUTUBE"',
    "bluesky": (
        'host = "http://127.0.0.1:{closed}"\nlogin = "desk.example"\npassword_env = "BLUESKY"\n'
        'service = "http://127.0.0.1:{closed}"'
    ),
    "telegram": 'channels = ["harbour_news"]\nsite = "http://127.0.0.1:{closed}"\ntoken_env = "TELEGRAM_HASH"',
}
RECEIVERS: Mapping[str, str] = {
    "webhook": 'url_env = "WEBHOOK_URL"\nsecret_env = "WEBHOOK"',
    "alertmanager": 'url = "http://127.0.0.1:{closed}"\ntoken_env = "ALERTMANAGER"',
    "slack-webhook": 'url_env = "SLACK_HOOK"',
    "mattermost": 'url_env = "MATTERMOST"',
    "teams": 'url_env = "TEAMS"',
    "discord": 'url_env = "DISCORD"',
    "slack-bot": (
        'channel = "C024BE91L"\ntoken_env = "SLACK"\nsigning_secret_env = "SIGNING"\napi = "http://127.0.0.1:{closed}/api"'
    ),
    "telegram": 'chat = "@desk"\ntoken_env = "TELEGRAM"\napi = "http://127.0.0.1:{closed}"',
    "matrix": 'homeserver = "http://127.0.0.1:{closed}"\nroom = "!a:b.example"\ntoken_env = "MATRIX"',
    "email": (
        'host = "127.0.0.1"\nport = {closed}\nusername = "monitor"\npassword_env = "MAIL"\n'
        'sender = "monitor@example.org"\nto = ["desk@example.org"]'
    ),
    "mqtt": 'host = "127.0.0.1"\nport = {closed}\nusername = "monitor"\npassword_env = "BROKER_TOO"\nclient_id = "two"',
    "apprise": 'url_env = "APPRISE"',
}
ADDRESSES = ("WEBHOOK_URL", "SLACK_HOOK", "MATTERMOST", "TEAMS", "DISCORD")
WORDS = (
    *("AUTHORS", "WEB", "ACTIONS", "INGEST", "BROKER", "WEBHOOK", "ALERTMANAGER", "SLACK", "SIGNING", "TELEGRAM"),
    *("MATRIX", "MAIL", "BROKER_TOO", "MASTODON", "FACTCHECK", "X", "REDDIT", "YOUTUBE", "BLUESKY", "TELEGRAM_HASH"),
)
BROKEN = "[web]\nport = 0\n"


class Planted(NamedTuple):
    """A configuration full of secrets."""

    folder: Path
    port: int
    environ: dict[str, str]

    @property
    def config(self) -> Path:
        return self.folder / "config"

    def settings(self) -> Settings:
        return load(self.config, self.environ)


@pytest.fixture
def planted(tmp_path: Path, place: str) -> Planted:
    port, closed = free_port(), free_port()
    environ = {word: f"{PLANTED}-{word.lower()}-{'0123456789abcdef' * 2}" for word in WORDS}
    environ |= {word: f"http://127.0.0.1:{closed}/hooks/{PLANTED}-{word.lower()}" for word in ADDRESSES}
    environ |= {"APPRISE": f"json://{PLANTED}-apprise@127.0.0.1:{closed}/", "STORE": place}
    tables = [f'[[receiver]]\nkind = "{kind}"\nname = "to-{kind}"\n{more}\n' for kind, more in RECEIVERS.items()]
    tables += [f'[[source]]\nkind = "{kind}"\nname = "from-{kind}"\n{more}\n' for kind, more in SOURCES.items()]
    (tmp_path / "config" / "events").mkdir(parents=True)
    (tmp_path / "config" / "events" / "fall.toml").write_text(EVENT, "utf-8")
    text = "".join([MONITOR, *tables]).format(port=port, closed=closed, folder=tmp_path)
    (tmp_path / "config" / "monitor.toml").write_text(text, "utf-8")
    return Planted(tmp_path, port, environ)


def settings_with_secrets(value: object) -> Iterator[str]:
    """`Struct.setting` of every setting that names a secret's variable and is set."""
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            inner = getattr(value, field.name)
            if field.name.endswith("_env") and inner is not None:
                yield f"{type(value).__name__}.{field.name}"
            yield from settings_with_secrets(inner)
    elif isinstance(value, tuple):
        for one in value:
            yield from settings_with_secrets(one)


def test_every_setting_that_takes_a_secret_has_one_planted(planted: Planted) -> None:
    wanted = {
        f"{struct.__name__}.{field.name}"
        for struct in every_struct()
        for field in msgspec.structs.fields(struct)
        if field.name.endswith("_env")
    }
    assert set(settings_with_secrets(planted.settings().monitor)) == wanted


@server_proved
async def test_no_output_of_a_daemon_shows_a_secret(planted: Planted) -> None:
    with Store(planted.environ["STORE"]) as store:
        now = SystemClock().now()
        lasts = {f"to-{kind}": timedelta(hours=1) for kind in RECEIVERS}
        step = an_alert(at=now, since=now, evidence=())
        store.commit(Commit(none(), alerts=[step], outbox=notifications(step, lasts, now)))
    log = planted.folder / "log"
    planted.settings()  # raises where the configuration is not good
    daemon = DaemonProcess(planted.config, planted.port, log, planted.environ)
    await daemon.start()
    told = list(await answers(daemon, planted.environ["WEB"]))
    first = (planted.config / "monitor.toml").read_text("utf-8")
    for text in (BROKEN, first.replace('name = "to-matrix"', 'name = "to-matrix-too"')):
        (planted.config / "monitor.toml").write_text(text, "utf-8")
        daemon.send(signal.SIGHUP)
        await until(log, "reload refused" if text is BROKEN else "reloaded: receivers +to-matrix-too -to-matrix")
    proc = Path(f"/proc/{daemon.pid}")
    told += [(proc / name).read_text("utf-8", "replace") for name in ("cmdline", "comm", "status")]
    assert await daemon.stop() == 0
    told.append(log.read_text("utf-8"))
    assert sum(f"to-{kind}" in told[-1] for kind in RECEIVERS) >= len(RECEIVERS) - 1, told[-1]
    told.append(repr(planted.settings()))
    whole = "\n".join(told)
    print(  # noqa: T201 -- the figure
        f"planted: {len(planted.environ) - 1} secrets, {len(whole):,} characters searched, {whole.count(PLANTED)} found"
    )
    assert PLANTED not in whole
    assert PASSWORD not in unquote(whole)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise's
def test_no_command_and_no_error_shows_a_secret(
    planted: Planted, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in planted.environ.items():
        monkeypatch.setenv(name, value)
    config = ("--config", str(planted.config))
    assert main(["doctor", *config]) == 1
    statuses = [main(["test-alert", f"to-{kind}", *config]) for kind in RECEIVERS]
    assert set(statuses) == {1}
    monkeypatch.setenv("STORE", f"postgresql://monitor:{PLANTED}@127.0.0.1:{free_port()}/m")
    assert main(["db", "check", *config]) == 1
    assert main(["run", *config]) == 1
    monkeypatch.setenv("STORE", f"mysql://monitor:{PLANTED}@h/m")
    monkeypatch.setenv("ACTIONS", PLANTED)
    monkeypatch.setenv("AUTHORS", PLANTED)
    monkeypatch.setenv("TEAMS", PLANTED)
    assert main(["check", *config]) == 2
    shown = capfd.readouterr()
    assert len(shown.err.splitlines()) >= len(RECEIVERS) + 5
    assert PLANTED not in shown.out + shown.err


async def answers(daemon: DaemonProcess, token: str) -> list[str]:
    """Every page and every question of the API, asked well and badly."""
    bearer = {"Authorization": f"Bearer {token}"}
    pages = ["/healthz", "/readyz", "/metrics", "/nothing", "/ingest/v1/posts", "/actions/x", "/api/v1/openapi.json"]
    paths = [f"/api/v1{route.path}".replace("{", "").replace("}", "") for route in ROUTES if route.method == "GET"]
    told = []
    async with ClientSession() as session:
        async with asyncio.timeout(PATIENCE):
            while not await up(session, daemon):
                await SystemClock().sleep(timedelta(milliseconds=50))
        await SystemClock().sleep(timedelta(seconds=1))  # for every receiver's first attempt to end
        for path in (*pages, *paths):
            for headers in (bearer, {}, {"Authorization": "Bearer wrong"}):
                async with session.get(f"{daemon.base}{path}", headers=headers) as answer:
                    told.append(f"{answer.headers} {await answer.text()}")
        headers = {"X-Signature-256": "sha256=" + "0" * 64}
        for path in ("/ingest/v1/posts", "/actions/slack", "/api/v1/silences"):
            async with session.post(f"{daemon.base}{path}", data=b"{}", headers=headers) as answer:
                told.append(f"{answer.headers} {await answer.text()}")
    assert any('monitor_retention_removed_total{class="texts"}' in text for text in told)
    return told


async def up(session: ClientSession, daemon: DaemonProcess) -> bool:
    try:
        async with session.get(f"{daemon.base}/healthz") as answer:
            return answer.status == 200
    except ClientConnectionError:
        return False


async def until(log: Path, said: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while said not in await asyncio.to_thread(log.read_text, "utf-8"):
            await SystemClock().sleep(timedelta(milliseconds=50))
