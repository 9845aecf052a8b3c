"""A link and a button of Slack on a daemon whole: what they do is in the store, with who did it."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from monitor.alert.links import Action, Links
from monitor.clock import SystemClock
from monitor.store.store import Commit, Store
from monitor.watched import Duration
from monitor.web.slack import signature
from tests.fakes.alerts import an_alert
from tests.fakes.desk import KEY
from tests.fakes.live import live
from tests.fakes.mentions import none
from tests.web.test_slack import SECRET, pressed

SETTINGS = (
    'token_env = "WEB"\n[actions]\nurl = "https://monitor.example.org"\nkey_env = "KEY"\n'
    '[[receiver]]\nkind = "slack-bot"\nname = "desk"\nchannel = "C024BE91L"\ntoken_env = "TOKEN"\n'
    'signing_secret_env = "SIGNING"\n'
)
ENVIRON = {"WEB": "of the API", "KEY": KEY.decode(), "TOKEN": "xoxb", "SIGNING": SECRET.decode()}
API = {"Authorization": "Bearer of the API"}


async def test_what_is_pressed_is_in_the_store_with_who_pressed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    now = SystemClock().now()
    alerts = [an_alert(id="a1", at=now), an_alert(id="a2", at=now, fingerprint="f2")]
    with Store(f"sqlite:///{tmp_path}/m.sqlite") as store:
        store.commit(Commit(none(), alerts=alerts))
    links = Links("", KEY, Duration(hours=1)).of(alerts[0], "desk")
    path = next(one.url for one in links if one.action == Action.USEFUL)
    async with live(tmp_path, SETTINGS, ENVIRON) as daemon, ClientSession(f"http://127.0.0.1:{daemon.port}") as browser:
        async with browser.get(path) as page:
            form = re.findall(r'name="form" value="([^"]*)"', await page.text())[0]
        async with browser.post(path, data={"form": form, "who": "Nadia"}) as answer:
            assert answer.status == 200
        stamp, body = str(int(SystemClock().now().timestamp())), pressed("not-useful", "a2", response_url="")
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(SECRET, stamp, body)}
        async with browser.post("/slack/actions", data=body, headers=signed) as answer:
            assert answer.status == 200
        async with browser.get("/metrics", headers=API) as metrics:
            text = await metrics.text()
        answers = (await daemon.ask("GET", "/answers", headers=API)).body["answers"]
        assert [(one["alert"], one["useful"], one["by"]) for one in answers] == [
            ("a1", True, "Nadia"),
            ("a2", False, "nadia (U061F7AUR, Slack)"),
        ]
        assert 'monitor_actions_total{action="useful",outcome="done",via="link"} 1.0' in text
    logged = [one.getMessage() for one in caplog.records if one.name == "monitor.web.acting"]
    assert logged == [
        "alert a1: useful by Nadia, from a card at desk",
        "alert a2: not-useful by nadia (U061F7AUR, Slack), from a card at desk",
    ]
