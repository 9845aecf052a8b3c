"""What posts, authors and colleagues write acts on no terminal and forges no line, whichever command prints it."""

import asyncio
import json
import random
import unicodedata
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

import monitor.__main__ as command_line
from monitor.cli import backtest
from monitor.records import AlertState, Answer
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, an_alert
from tests.fakes.live import configuration, live, mention
from tests.fakes.mentions import clustered, none
from tests.fakes.senders import a_post
from tests.fakes.stream import BEGIN
from tests.fakes.tagger import WordTagger
from tests.pipeline.test_daemon import free_port

HOSTILE = "\x1b[2J\x1b]0;mine\x07 \u202egnp.exe\u2066 \x9b31m\u200b\r\nFORGED\u2028FORGED\x85FORGED [red]r[/red] @all"
NEVER = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Categories of what acts: control characters, bidi marks and other unseen ones, breaks of lines."""
EVERYTHING = 'name = "fall"\nproposition = "Bazarak has fallen"\nany = ["*"]\n[rules]\nfor = "1s"\n'

Typed = Callable[..., Awaitable[str]]


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types a command against the daemon of the folder; gives all that was printed."""

    async def type_in(*words: str) -> str:
        await asyncio.to_thread(command_line.main, [*words, "--config", str(tmp_path)])
        printed = capsys.readouterr()
        return printed.out + printed.err

    return type_in


def acts(printed: str) -> set[str]:
    """What of a text acts on a terminal or forges a line."""
    found = {char for char in printed if char != "\n" and unicodedata.category(char) in NEVER}
    return found | {line for line in printed.splitlines() if line.startswith("FORGED")}


async def test_narratives_and_alerts_are_listed_and_shown_harmlessly(tmp_path: Path, typed: Typed) -> None:
    configuration(tmp_path, free_port())
    alert = an_alert(id="a1", label=HOSTILE, proposition=HOSTILE, subject=HOSTILE)
    with Store(f"sqlite:///{tmp_path}/m.sqlite") as store:
        store.commit(Commit(none(), alerts=[alert]))
    async with live(tmp_path) as daemon:
        await daemon.post(*(mention(number, f"{number}0 killed in Bazarak says {HOSTILE}") for number in range(10, 14)))
        rows = json.loads(await typed("narrative", "list", "fall", "--json"))["narratives"]
        assert rows
        await typed("alerts", "useful", "a1", "no", "--by", HOSTILE, "--comment", HOSTILE)
        name = rows[0]["id"]
        status = ("narrative", "status", "fall", name, "denied", "--by", HOSTILE, "--evidence", HOSTILE)
        for words in (
            ("narrative", "list", "fall"),
            status,
            ("narrative", "show", "fall", name),
            ("narrative", "suggestions", "fall"),
            ("narrative", "split", "fall", name, "--by", "d", "--post", "x", HOSTILE),
            ("narrative", "show", "fall", HOSTILE),
            ("alerts", "list"),
            ("alerts", "useful", "a1", "yes", "--by", "d\u202e"),
            ("alerts", "useful", HOSTILE, "yes"),
        ):
            printed = await typed(*words)
            assert printed.strip(), words
            assert not acts(printed), words
            assert "@all" not in printed or HOSTILE in words, words


def test_a_backtest_prints_and_draws_harmlessly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "load_tagger", lambda _: WordTagger())
    recording, event = tmp_path / "posts.ndjson", tmp_path / "fall.toml"
    event.write_text(EVERYTHING, "utf-8")
    text = f"the dam of the northern valley has fallen tonight {HOSTILE}"
    chance = random.Random(1)
    documents = [
        a_post(
            at,
            text=f"{text} {' '.join(''.join(chance.choices('bcdfgk', k=7)) for _ in range(5))}",
            author=f"{HOSTILE}{at}",
            created_at=(BEGIN + timedelta(seconds=20 * at)).isoformat(),
        )
        for at in range(60)
    ]
    recording.write_text("\n".join(map(json.dumps, documents)), "utf-8")
    outputs = [tmp_path / "out.json", tmp_path / "out.csv"]
    for output in outputs:
        words = ["backtest", str(recording), "--event", str(event), "--jobs", "1", "--output", str(output)]
        assert command_line.main([*words, "--picture", str(tmp_path / "out.svg")]) == 0
        printed = capsys.readouterr().out
        assert "preset=balanced" in printed
        assert not acts(printed)
    found = json.loads(outputs[0].read_text("utf-8"))
    labels = [alert["label"] for point in found["points"] for alert in point["alerts"]]
    assert any("northern valley" in label for label in labels)
    assert not {char for label in labels for char in acts(label)}
    assert not acts(outputs[1].read_text("utf-8"))
    assert not acts((tmp_path / "out.svg").read_text("utf-8"))


def test_a_backtest_of_an_archive_with_answers_prints_harmlessly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "load_tagger", lambda _: WordTagger())
    event = tmp_path / "fall.toml"
    event.write_text(EVERYTHING, "utf-8")
    told = clustered(*({"narrative": HOSTILE, "text": HOSTILE, "author": HOSTILE} for _ in range(30)))
    with Store(f"sqlite:///{tmp_path}/m.sqlite") as store:
        store.commit(Commit(told, alerts=[an_alert(id="a1", label=HOSTILE, state=AlertState.FIRING)]))
        store.answer(Answer(at=AT + timedelta(hours=1), alert="a1", useful=True, by=HOSTILE, comment=HOSTILE))
    assert (
        command_line.main(["backtest", "--archive", f"{tmp_path}/m.sqlite", "--event", str(event), "--jobs", "1"]) == 0
    )
    printed = capsys.readouterr().out
    assert "alerts that were answered: 1, of them useful: 1" in printed
    assert not acts(printed)


@pytest.mark.parametrize("sweep", [f"alert_on={HOSTILE}", f"{HOSTILE}=1", f"for={HOSTILE},1m"])
def test_a_mistaken_sweep_is_refused_harmlessly(tmp_path: Path, sweep: str, capsys: pytest.CaptureFixture[str]) -> None:
    event = tmp_path / "fall.toml"
    event.write_text(EVERYTHING, "utf-8")
    assert command_line.main(["backtest", "x.ndjson", "--event", str(event), "--sweep", sweep]) == 2
    assert not acts(capsys.readouterr().err)
