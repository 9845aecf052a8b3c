"""The command itself: against the replay command, and with mistakes."""

import json
from pathlib import Path

import pytest

import monitor.__main__ as command_line
from monitor.alert.harmless import harmless
from monitor.app.backtest.report import LONGEST_LABEL
from monitor.demo.recording import write_ndjson
from monitor.demo.scenario import generate

EVENT = Path("config/demo/events/fall-of-panjshir.toml")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backtest") / "panjshir.ndjson"
    write_ndjson(generate("panjshir", 1).head(9_000), path)
    return path


def test_the_command_fires_what_replay_fires(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, drawn = tmp_path / "out.json", tmp_path / "out.svg"
    words = ["backtest", str(recording), "--event", str(EVENT), "--jobs", "1", "--sweep", "for=1s,1m"]
    assert command_line.main([*words, "--output", str(output), "--picture", str(drawn)]) == 0
    told = capsys.readouterr().out
    assert "for=1s" in told
    assert "9,000 posts" in told
    assert drawn.read_text("utf-8").startswith("<svg")
    found = json.loads(output.read_text("utf-8"))
    changed = tmp_path / "event.toml"
    for point in found["points"]:
        text = EVENT.read_text("utf-8")
        rules = f'[rules]\nfor = "{point["settings"]["for"]}"\n'
        changed.write_text(text.replace("[rules]\n", rules) if "[rules]\n" in text else f"{text}\n{rules}", "utf-8")
        alerts = tmp_path / "alerts.ndjson"
        replay = ["replay", str(recording), "--event", str(changed), "--no-store", "--alerts", str(alerts)]
        assert command_line.main([*replay, "--summary", str(tmp_path / "s.json")]) == 0
        steps = [json.loads(line) for line in alerts.read_text("utf-8").splitlines()]
        names = ("event", "rule", "narrative", "at", "reason", "claims", "denials", "label")
        for step in steps:
            step["label"] = harmless(step["label"], LONGEST_LABEL)
        first = {
            step["id"]: step for step in reversed(steps) if step["state"] == "firing"
        }  # told again: the same alert
        firing = [{name: step[name] for name in names} for step in steps if step is first.get(step["id"], 0)]
        assert firing == [{name: alert[name] for name in names} for alert in point["alerts"]]


def test_an_empty_recording_is_told_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.ndjson"
    empty.touch()
    assert command_line.main(["backtest", str(empty), "--event", str(EVENT), "--jobs", "1"]) == 0
    assert "0 posts, 0 mentions, 0.0 days; 0 stories" in capsys.readouterr().out


def test_documents_that_are_no_posts_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = tmp_path / "bare.ndjson"
    bare.write_text('{"id": "1", "text": "Panjshir has fallen"}\n' * 3, "utf-8")
    assert command_line.main(["backtest", str(bare), "--event", str(EVENT), "--jobs", "1"]) == 0
    assert "3 documents are no post/1" in capsys.readouterr().out


def test_all_wrong_sweeps_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    sweeps = ["--sweep", "for=1x", "--sweep", "alpha=0.1,,1", "--sweep", "preset=wild"]
    assert command_line.main(["backtest", "x.ndjson", "--event", str(EVENT), *sweeps]) == 2
    told = capsys.readouterr().err
    assert all(said in told for said in ("--sweep for=1x: ", "--sweep alpha: a value is missing", "preset=wild: "))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--event", str(EVENT)], "one of the two"),
        (["x.ndjson", "--archive", "y.sqlite", "--event", str(EVENT)], "one of the two"),
        (["x.ndjson", "--event", str(EVENT)], "x.ndjson: no such file"),
        (["x.ndjson", "--event", str(EVENT), "--sweep", "alpha=2"], "--sweep alpha=2: 2 is out of range"),
        (["--archive", "none.sqlite", "--event", str(EVENT)], "no such file"),
    ],
)
def test_mistakes_are_told_in_a_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["backtest", *words]) in {1, 2}
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--output", "x.txt"],
        ["--output", "none/x.csv"],
        ["--picture", "x.png"],
        ["--jobs", "two"],
        ["--official", "soon"],
        ["--official", "2021-09-06T05:30:00"],
    ],
)
def test_options_that_make_no_sense_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["backtest", "x.ndjson", "--event", str(EVENT), *words])
    assert words[0] in capsys.readouterr().err
