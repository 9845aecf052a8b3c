"""`monitor source`: what is configured, a dry run without consequences, the page of every kind, recordings played."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from monitor.__main__ import main
from monitor.arrivals import Contact, Payload
from monitor.cli import source
from monitor.cli.catalogue import catalogue, kinds
from monitor.collect import post1
from monitor.collect.mqtt import MqttSource
from monitor.collect.parsed import Parsed
from monitor.settings import Source

REPOSITORY = Path(__file__).parents[2]
EVENT = 'name = "bridge"\nproposition = "The bridge has collapsed"\nany = ["bridge"]\n'
HOSTILE = {"id": "1", "platform": "x", "text": "a\x1b[2J\u202eb", "created_at": "2021-09-03T13:30:00Z", "author": "ann"}


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "bridge.toml").write_text(EVENT, "utf-8")
    lines = [json.dumps(HOSTILE | {"id": str(number)}) for number in range(30)]
    (tmp_path / "posts.ndjson").write_text("\n".join([*lines[:3], "{broken", *lines[3:]]) + "\n", "utf-8")
    (tmp_path / "empty.ndjson").touch()
    (tmp_path / "monitor.toml").write_text(
        "[web]\nport = 1\n"
        '[[source]]\nkind = "file"\nname = "posts"\npath = "posts.ndjson"\n'
        '[[source]]\nkind = "file"\nname = "nothing"\npath = "empty.ndjson"\n'
        '[[source]]\nkind = "ingest"\nname = "pushed"\n'
        '[[source]]\nkind = "bluesky"\nname = "sky"\nhost = "http://127.0.0.1:1"\n',
        "utf-8",
    )
    return tmp_path


def asked(capsys: pytest.CaptureFixture[str], *arguments: str, folder: Path) -> tuple[int, str, str]:
    status = main(["source", *arguments, "--config", str(folder)])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_page_of_sources_is_what_they_declare() -> None:
    assert (REPOSITORY / "docs" / "sources.md").read_text("utf-8") == catalogue()


def test_every_kind_declares_all_of_itself() -> None:
    declared = dict(kinds())
    assert len(declared) == len(get_args(Source))
    for about in declared.values():
        assert all(about)
        assert not any("|" in said or "\n" in said for said in about)


def test_what_is_configured_is_listed_though_no_daemon_runs(
    configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = asked(capsys, "list", folder=configured)
    assert status == 0
    assert [line.split()[:3] for line in out.splitlines()[2:] if line.strip()] == [
        ["posts", "file", "–"],
        ["nothing", "file", "–"],
        ["pushed", "ingest", "–"],
        ["sky", "bluesky", "–"],
    ]
    assert "no daemon answers" in err


def test_a_dry_run_shows_ten_posts_in_which_nothing_acts(configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = asked(capsys, "test", "posts", folder=configured)
    assert status == 0
    assert out.count("create x 2021-09-03 13:30:00 UTC ann") == 10
    assert "rejected: 1 not_json" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert sorted(path.name for path in configured.iterdir()) == [
        "empty.ndjson",
        "events",
        "monitor.toml",
        "posts.ndjson",
    ]


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("nothing", 1, ""),
        ("pushed", 2, "others push to it"),
        ("none", 2, "there is no source 'none'; there is posts, nothing, pushed, sky"),
        ("sky", 1, "source sky: 127.0.0.1"),
    ],
)
def test_a_source_that_brings_nothing_says_why(
    name: str, status: int, said: str, configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _, err = asked(capsys, "test", name, folder=configured)
    assert found == status
    assert said in err


class Resting:
    """Implements Collector: three posts, then nothing for now, for ever."""

    name = "posts"
    stale_after = None

    async def payloads(self, since: str | None) -> AsyncIterator[Payload | Contact]:  # noqa: ARG002 -- a Collector
        yield Payload(
            "posts", b"\n".join(json.dumps(HOSTILE | {"id": str(number)}).encode() for number in range(3)), None
        )
        yield Contact(rests=True)
        await asyncio.Future()

    def parse(self, bodies: Sequence[bytes], seen_at: datetime) -> Parsed:
        return post1.parse(bodies, "posts", seen_at)


def test_a_dry_run_ends_when_a_source_has_no_more_for_now(capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(source._test(Resting(), timedelta(days=1))) == 0  # noqa: SLF001
    assert capsys.readouterr().out.endswith("posts: 3 posts, and no more for now\n")


def test_a_dry_run_does_not_throw_the_daemon_off_its_broker() -> None:
    apart = source._apart(MqttSource(name="bus", host="localhost", share="classify"))  # noqa: SLF001
    assert isinstance(apart, MqttSource)
    assert (apart.client_id_used, apart.share, apart.session_expiry.total_seconds()) == (
        "virality-monitor-bus-test",
        None,
        0,
    )


def test_a_recording_is_played_as_posts_with_the_time_at_which_they_came(
    configured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    media = [{"url": "https://a.example/1.png", "kind": "image", "sha256": None}]
    body = json.dumps(HOSTILE | {"media": media}) + "\n" + json.dumps({"id": "1", "platform": "x", "op": "delete"})
    line = json.dumps({"at": "2021-09-03T14:00:00Z", "text": body})
    (configured / "recorded.ndjson").write_text(line + "\n", "utf-8")
    status, out, _ = asked(capsys, "replay", "posts", str(configured / "recorded.ndjson"), folder=configured)
    created, deleted = map(json.loads, out.splitlines())
    assert status == 0
    assert (created["text"], created["seen_at"][:19], created["media"]) == (
        HOSTILE["text"],
        "2021-09-03T14:00:00",
        media,
    )
    assert (deleted["op"], deleted["id"]) == ("delete", "1")
