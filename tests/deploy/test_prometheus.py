"""The Prometheus and Grafana packs, by their vendors' tools and by a Prometheus that scrapes a daemon at work."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from monitor.clock import SystemClock
from tests.fakes.grafana import complaints
from tests.fakes.live import Live, configuration, live, mention
from tests.fakes.mosquitto import installed, program
from tests.fakes.prometheus import Prometheus, prometheus
from tests.pipeline.test_daemon import free_port
from tests.test_metrics import on_page

DEPLOY = Path(__file__).parents[2] / "deploy"
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
ALERT = re.compile(r"- alert: (\w+)")
METRIC = re.compile(r"\b(monitor_\w+?)(?:_bucket|_sum|_count)?\b(?=[\[{\s)]|$)")
PATIENCE = 60.0
TEXTS = (
    "Bazarak has fallen to them",
    "This is false, Bazarak has not fallen",
    "Is it true that Bazarak has fallen?",
    "Celebratory gunfire and fireworks over the city after Bazarak",
)
ONCE_A_SECOND = "global: {scrape_interval: 1s, evaluation_interval: 1s}"
LOUD = (
    'name = "loud"\nproposition = "Bazarak has fallen"\nany = ["bazarak"]\n'
    '[rules]\nvolume_posts = 5\nalert_on = ["volume"]\nfor = "1s"\n'
)
"""An event whose alert fires within seconds."""


def panels() -> Iterator[tuple[str, str]]:
    """Title and expression of every query and every annotation of every dashboard."""
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for one in (panel, *panel.get("panels", ())):
                for target in one.get("targets", ()):
                    yield f"{name}: {one['title']}", target["expr"].replace("$event", ".*")
        for one in dashboard.get("annotations", {}).get("list", ()):
            yield f"{name}: {one['name']}", one["target"]["expr"].replace("$event", ".*")


def dashboards() -> dict[str, Any]:
    """Name → the dashboard."""
    files = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
    return {file.stem: json.loads(file.read_text("utf-8")) for file in files}


def told(*command: str, folder: Path, given: str = "") -> str:
    installed(command[0])
    whole = [program(command[0]), *command[1:]]
    done = subprocess.run(whole, cwd=folder, input=given, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_scrape_configuration_and_its_rules_are_good() -> None:
    assert "SUCCESS" in told("promtool", "check", "config", "prometheus.yml", folder=DEPLOY / "prometheus")


def test_every_alert_fires_when_it_should_and_not_otherwise() -> None:
    assert "SUCCESS" in told("promtool", "test", "rules", "rules_test.yml", folder=DEPLOY / "prometheus")
    tried = (DEPLOY / "prometheus" / "rules_test.yml").read_text("utf-8")
    for alert in ALERT.findall((DEPLOY / "prometheus" / "rules.yml").read_text("utf-8")):
        of_it = re.findall(rf"alertname: {alert}\s+exp_alerts:\s+- ", tried)
        assert of_it, f"{alert} never fires in the rules' own tests"


def test_every_alert_has_a_section_that_says_what_to_do() -> None:
    page = PAGE.read_text("utf-8")
    for alert in ALERT.findall((DEPLOY / "prometheus" / "rules.yml").read_text("utf-8")):
        assert f"\n#### {alert}\n" in page


def test_the_routing_example_is_good() -> None:
    assert "SUCCESS" in told("amtool", "check-config", "alertmanager.yml", folder=DEPLOY / "alertmanager")


def test_the_dashboards_are_what_their_code_builds() -> None:
    build = DEPLOY / "grafana" / "build.py"
    shown = "import build, json; print(json.dumps(build.built()))"
    done = subprocess.run([sys.executable, "-c", shown], cwd=build.parent, capture_output=True, text=True, check=True)  # noqa: S603
    made = json.loads(done.stdout)
    assert made == {file.name: file.read_text("utf-8") for file in (DEPLOY / "grafana" / "dashboards").glob("*.json")}


def test_the_dashboards_are_what_grafanas_own_types_ask_for(tmp_path: Path) -> None:
    plain = dashboards()
    for dashboard in plain.values():
        for one in dashboard.get("annotations", {}).get(
            "list", ()
        ):  # what is the data source's own is not in the types
            del one["target"]["expr"], one["titleFormat"]
    assert complaints(plain.values(), tmp_path) == []


def test_code_page_and_dashboards_know_the_same_metrics() -> None:
    asked = " ".join(expression for _, expression in panels()) + (DEPLOY / "prometheus" / "rules.yml").read_text(
        "utf-8"
    )
    assert {name for name in METRIC.findall(asked) if not name.startswith("monitor:")} - set(on_page()) == set()


async def test_rules_and_panels_return_data_from_a_daemon_at_work(tmp_path: Path) -> None:
    """TEXTS, over and over (test_prometheus_demo plays the story); gauges of platforms stand at zero: none is asked."""
    hook = '[[receiver]]\nkind = "file"\nname = "desk"\npath = "' + str(tmp_path / "alerts.ndjson") + '"\n'
    (tmp_path / "prometheus").mkdir()
    (tmp_path / "daemon").mkdir()
    configuration(tmp_path / "daemon", free_port(), hook)
    (tmp_path / "daemon" / "events" / "loud.toml").write_text(LOUD, "utf-8")
    async with live(tmp_path / "daemon") as daemon:
        async with scraping(daemon.port, tmp_path / "prometheus") as server:
            await until_scraped(server)
            feeding = asyncio.create_task(feed(daemon))
            try:
                await until_all_have_data(server)
            finally:
                feeding.cancel()
            rules = await server.rules()
        await metrics_are_clean(daemon.port, tmp_path)
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    assert firing(rules) == set()


@asynccontextmanager
async def scraping(port: int, folder: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus with the pack, once a second, at a daemon's port."""
    scraped = (DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")
    scraped = re.sub(r"global:\n.*\n.*\n", ONCE_A_SECOND + "\n", scraped).replace("9464", str(port))
    scraped = scraped.replace("- rules.yml", f"- {DEPLOY / 'prometheus' / 'rules.yml'}")
    async with prometheus(folder, scraped.replace("127.0.0.1:9093", "127.0.0.1:9")) as server:
        yield server


async def metrics_are_clean(port: int, folder: Path) -> None:
    """By Prometheus' own linter."""
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as page:
        said = await asyncio.to_thread(told, "promtool", "check", "metrics", folder=folder, given=await page.text())
    assert said == ""


def firing(rules: Iterable[dict[str, Any]]) -> set[str]:
    """Names of the alerts that fire."""
    return {rule["name"] for rule in rules if rule["type"] == "alerting" and rule["state"] == "firing"}


async def feed(daemon: Live) -> None:
    """Posts, and something that is none, over and over."""
    number = 0
    while True:
        said = [mention(number + n, TEXTS[n % len(TEXTS)]) for n in range(20)]
        await daemon.post(*said, {"id": "none"})
        number += 20
        await SystemClock().sleep(timedelta(milliseconds=500))


async def until_scraped(server: Prometheus) -> None:
    """Waits until the alerts' counters were seen at zero, so that a first alert is seen to begin."""
    async with asyncio.timeout(PATIENCE):
        while not await server.query("monitor_alerts_total"):
            await SystemClock().sleep(timedelta(milliseconds=250))


async def until_all_have_data(server: Prometheus) -> None:
    recorded = [rule["name"] for rule in await server.rules() if rule["type"] == "recording"]
    known = [("rule", name) for name in recorded]
    selectors = {name for rule in await server.rules() for name in METRIC.findall(rule["query"])}
    missing: list[tuple[str, str]] = [*known, *(("selector", name) for name in sorted(selectors)), *panels()]
    try:
        async with asyncio.timeout(PATIENCE):
            while missing:
                missing = [one for one in missing if not await has_data(server, *one)]
                await SystemClock().sleep(timedelta(milliseconds=250))
    except TimeoutError:
        pytest.fail(f"no data: {missing}")


async def has_data(server: Prometheus, kind: str, expression: str) -> bool:
    """Whether an expression has any; a histogram is known by its count."""
    return bool(await server.query(expression)) or (
        kind == "selector" and bool(await server.query(f"{expression}_count"))
    )
