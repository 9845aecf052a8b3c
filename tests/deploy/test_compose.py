"""The compose file and what it mounts, as far as that can be held without a container engine."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest
import yaml

from monitor import settings
from tests.deploy.test_prometheus import told
from tests.fakes.mosquitto import Mosquitto, mosquitto
from tests.fakes.mqtt_source import collector, post, reading, send

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_it_is_what_the_specification_of_compose_files_asks_for() -> None:
    command = (
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        DEPLOY / "compose.yaml",
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_names_only_what_is_there(name: str) -> None:
    service = SERVICES[name]
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    assert "build" in service or re.search(r":(v?\d+\.\d+\.\d+|\d{2}\.\d+-bookworm)$", service["image"]), (
        "not pinned by a whole version"
    )


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
    (tmp_path / "store-url").write_text("postgresql://monitor:word@postgres/monitor\n", "utf-8")
    (tmp_path / "monitor.toml").write_text(text.replace("/run/secrets", str(tmp_path)), "utf-8")
    (tmp_path / "events").symlink_to(DEPLOY / "compose" / "config" / "events")
    found = settings.load(tmp_path, {})  # as `docker compose exec monitor monitor doctor` finds it
    hosts = {source.host for source in found.monitor.sources if hasattr(source, "host")}
    assert {*hosts, str(urlsplit(found.store_url.reveal()).hostname)} <= set(SERVICES)
    read = {Path(word).name for word in re.findall(r"/run/secrets/[\w-]+", text)}
    assert read == set(SERVICES["monitor"]["secrets"])


def test_events_can_be_added_while_it_runs_and_nothing_else_of_the_configuration_changed() -> None:
    mounted = dict(volume.split(":", 1) for volume in SERVICES["monitor"]["volumes"])
    assert mounted["./compose/config"] == "/etc/virality-monitor:ro"
    assert mounted["./compose/config/events"] == "/etc/virality-monitor/events"


def test_the_page_gives_every_secret_to_the_user_who_reads_it() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    owners = {
        file: owner
        for owner, files in re.findall(r"^sudo chown (\S+) (.+)$", page, re.MULTILINE)
        for file in files.split()
    }
    assert set(COMPOSE["secrets"]) | {"../config/events"} == set(owners)
    monitor = re.search(r"^USER (\S+)$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert monitor is not None
    assert owners["../config/events"] == monitor[1].split(":")[0]
    for name, service in SERVICES.items():
        user, group = str(service.get("user", monitor[1] if name == "monitor" else "0:0")).split(":")
        for secret in service.get("secrets", ()):
            owner, _, theirs = owners[secret].partition(":")
            assert user in {owner, "0"} or group == theirs, f"{name} cannot read {secret}"


async def test_a_real_broker_takes_the_configuration_among_containers(tmp_path: Path) -> None:
    """With its places moved into this test's folder, and on loopback."""

    def moved(broker: Mosquitto) -> str:
        text = (DEPLOY / "compose" / "mosquitto.conf").read_text("utf-8")
        text = text.replace("listener 1883", f"listener {broker.port} 127.0.0.1")
        text = text.replace("/run/secrets/mqtt-passwords", str(broker.password_file))
        return re.sub(r"/mosquitto/(config|data)/", f"{broker.folder}/", text) + "user root\n"

    acl = (DEPLOY / "mosquitto" / "acl").read_text("utf-8")
    async with mosquitto(tmp_path, acl=acl, configure=moved) as broker:
        async with reading(collector(broker)) as arrivals:
            await arrivals.connected()
            await send(broker, post(1))
            assert (await arrivals.payload()).body == post(1)
        stranger = aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5)
        with pytest.raises(aiomqtt.MqttError, match="Not authorized"):
            await stranger.__aenter__()


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
    assert set(re.findall(r"FROM python:(\d+\.\d+)\.\d+-", text)) == {wanted.removeprefix(">=")}
    installs = re.findall(r"pip install (.+?)(?: \\)?$", text, re.MULTILINE)
    assert all("--require-hashes -r " in one for one in installs if not one.endswith(" .")), "a package without a hash"
    asked = re.search(r"^RUN awk '(.+)' requirements-dev.lock > build.lock", text, re.MULTILINE)
    assert asked
    pinned = told("awk", asked[1], "requirements-dev.lock", folder=ROOT)
    assert re.fullmatch(r"setuptools==[\d.]+ \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n)+( +#.*\n)*", pinned)
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")}
    assert copied == allowed
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
