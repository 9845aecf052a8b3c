"""The compose file and what it mounts, as far as that can be held without a container engine."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor import settings
from tests.deploy.test_prometheus import told

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_names_only_what_is_there(name: str) -> None:
    service = SERVICES[name]
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    assert "build" in service or re.search(r":v?\d", service["image"]), "an image without a version"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_must_and_is_reached_from_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_no_secret_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or str(value).startswith("/run/secrets/")
    assert (DEPLOY / "compose" / "secrets" / ".gitignore").read_text("utf-8") == "*\n!.gitignore\n"


def test_the_monitors_configuration_is_good(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "config" / "monitor.toml").read_text("utf-8")
    for word in ("web-token", "bus-password"):
        (tmp_path / word).write_text("a long and secret word of no use\n", "utf-8")
    (tmp_path / "monitor.toml").write_text(text.replace("/run/secrets", str(tmp_path)), "utf-8")
    (tmp_path / "events").symlink_to(DEPLOY / "compose" / "config" / "events")
    found = settings.load(tmp_path, {"MONITOR_STORE_URL": "postgresql://monitor:word@postgres/monitor"})
    hosts = {source.host for source in found.monitor.sources if hasattr(source, "host")}
    assert hosts <= set(SERVICES)


def test_prometheus_among_containers_differs_by_addresses_and_the_token_alone(tmp_path: Path) -> None:
    for file in ("compose/prometheus.yml", "prometheus/rules.yml"):
        (tmp_path / Path(file).name).write_text((DEPLOY / file).read_text("utf-8"), "utf-8")
    (tmp_path / "web-token").write_text("word", "utf-8")
    path = tmp_path / "prometheus.yml"
    path.write_text(path.read_text("utf-8").replace("/run/secrets", str(tmp_path)), "utf-8")
    assert "SUCCESS" in told("promtool", "check", "config", "prometheus.yml", folder=tmp_path)
    here, there = (yaml.safe_load((DEPLOY / one / "prometheus.yml").read_text()) for one in ("prometheus", "compose"))
    for made in (here, there):
        made["scrape_configs"][0].pop("static_configs")
        made["scrape_configs"][0].pop("authorization", None)
        made.pop("alerting")
    assert here == there


def test_the_image_has_the_python_and_the_packages_of_the_project() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert set(re.findall(r"FROM python:(\d+\.\d+)", text)) == {wanted.removeprefix(">=")}
    assert "--require-hashes -r requirements.lock" in text
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")}
    assert copied == allowed
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
