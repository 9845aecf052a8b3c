"""The commands that ask the daemon: against one that runs, against none, and against something else."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import monitor.__main__ as command_line
from classifiers.labels import corrections
from tests.fakes.live import Live, configuration, live, mention
from tests.pipeline.test_daemon import free_port

DAM = 'name = "dam"\nproposition = "The dam has burst"\nany = ["dam"]\n'


class Typed:
    """Types commands as an operator would, while the daemon runs in the same process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    async def __call__(self, *words: str) -> tuple[int, str, str]:
        status = await asyncio.to_thread(command_line.main, [*words, "--config", str(self._folder)])
        printed = self._capsys.readouterr()
        return status, printed.out, printed.err

    async def good(self, *words: str) -> str:
        status, out, err = await self(*words)
        assert (status, err) == (0, "")
        return out


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed(tmp_path, capsys)


async def narrative(daemon: Live, typed: Typed) -> str:
    await daemon.post(
        *(mention(number, f"Bazarak has fallen, says source {number} @all \x1b[31m") for number in range(4))
    )
    found = json.loads(await typed.good("narrative", "list", "fall", "--json"))
    return str(found["narratives"][0]["id"])


async def test_an_event_is_added_changed_listed_and_removed(tmp_path: Path, typed: Typed) -> None:
    file = tmp_path / "dam.toml"
    file.write_text(DAM, "utf-8")
    async with live(tmp_path):
        said = "dam: added (dam.toml), watched from the next post on; it alarms once its baseline is warm\n"
        assert await typed.good("event", "add", str(file)) == said
        status, _, err = await typed("event", "add", str(file))
        assert (status, err) == (2, "monitor: event dam is there already; replace it to change it (--replace)\n")
        assert "replaced" in await typed.good("event", "add", str(file), "--replace")
        listed = await typed.good("event", "list")
        assert "The dam has burst" in listed
        assert "fall.toml" in listed
        assert await typed.good("event", "remove", "dam") == "dam: removed (dam.toml), watched no more\n"
        assert (await typed("event", "remove", "dam"))[0] == 2


async def test_an_event_with_mistakes_is_not_even_sent(tmp_path: Path, typed: Typed) -> None:
    file = tmp_path / "dam.toml"
    file.write_text("name = 1\n", "utf-8")
    configuration(tmp_path, free_port())
    status, _, err = await typed("event", "add", str(file))
    assert status == 2
    assert f"monitor: {file}: $.name: 1 is a whole number; write text in quotes" in err.splitlines()


async def test_a_narrative_is_listed_harmlessly_and_gets_a_status(tmp_path: Path, typed: Typed) -> None:
    async with live(tmp_path) as daemon:
        name = await narrative(daemon, typed)
        listed = await typed.good("narrative", "list", "fall")
        assert name in listed
        assert "Bazarak has fallen" in listed
        assert "\x1b" not in listed
        assert "@all" not in listed
        words = ("denied", "--by", "desk", "--evidence", "a call")
        assert await typed.good("narrative", "status", "fall", name, *words) == f"fall {name}: denied, by desk\n"
        assert "denied" in await typed.good("narrative", "list", "fall")
        status, _, err = await typed("narrative", "status", "fall", "nothing", *words)
        assert (status, err.startswith("monitor: the event has no such narrative")) == (2, True)


async def test_narratives_are_shown_merged_and_split(tmp_path: Path, typed: Typed) -> None:
    async with live(tmp_path) as daemon:
        main = await narrative(daemon, typed)
        killed = "17 killed by gunfire over the old town of bazarak tonight"
        await daemon.post(mention(70, killed), mention(71, f"{killed} \x1b[1m@all"))
        rows = json.loads(await typed.good("narrative", "list", "fall", "--json"))["narratives"]
        other = next(row["id"] for row in rows if row["label"].startswith("17 killed"))
        told = await typed.good("narrative", "show", "fall", other)
        assert told.startswith(f"{other}: 17 killed")
        assert "first post" in told
        assert await typed.good("narrative", "suggestions", "fall") == "no two narratives are alike\n"
        done = await typed.good("narrative", "merge", "fall", other, main, "--by", "desk")
        assert done == f"fall: {other} belongs to {main}, by desk\n"
        assert other not in await typed.good("narrative", "list", "fall")
        assert (await typed("narrative", "merge", "fall", "nothing", main, "--by", "desk"))[0] == 2
        done = await typed.good("narrative", "split", "fall", other, "--by", "desk")
        assert done == f"fall: {other} is its own again, by desk\n"
        post = mention(71)
        words = ("--by", "desk", "--post", post["platform"], post["id"])
        assert f"left {other}" in await typed.good("narrative", "split", "fall", other, *words)


async def test_a_silence_is_added_listed_and_ended(tmp_path: Path, typed: Typed) -> None:
    async with live(tmp_path):
        assert await typed.good("silence", "list") == "nothing is silenced\n"
        made = await typed.good(
            "silence", "add", "--event", "fall", "--for", "2h", "--by", "desk", "--comment", "on air"
        )
        name = made.partition(":")[0]
        assert made.startswith(f"{name}: event fall silenced until ")
        assert "on air" in await typed.good("silence", "list")
        assert name in await typed.good("silence", "expire", name)
        assert (await typed("silence", "expire", name))[0] == 2
        status, _, err = await typed("silence", "add", "--for", "2h", "--by", "desk", "--comment", "x")
        assert (status, err) == (2, "monitor: name an event, a narrative or a rule; everything cannot be silenced\n")
        status, _, err = await typed("silence", "add", "--narrative", "n", "--for", "2h", "--by", "d", "--comment", "x")
        assert (status, err) == (2, "monitor: name the event that the narrative is about, too\n")
        typical = ("silence", "add", "--event", "fall", "--by", "desk", "--comment", "x")
        for what, why in (
            (("--rule", "rase", "--for", "2h"), "rule is one of race, spike"),
            (("--narrative", "0" * 16, "--for", "2h"), "the event has no such narrative"),
            (("--for", "900000000d"), "longer than time goes"),
        ):
            status, _, err = await typed(*typical, *what)
            assert status == 2
            assert why in err


async def test_a_mention_gets_a_label(tmp_path: Path, typed: Typed) -> None:
    async with live(tmp_path) as daemon:
        await daemon.post(mention(1))
        said = await typed.good("label", "fall", "x", "1", "denial", "--by", "desk")
        assert said == "fall: x 1 is denial, and its copies from here on\n"
        status, _, err = await typed("label", "fall", "x", "2", "denial", "--by", "desk")
        assert (status, err.startswith("monitor: the archive has no such mention")) == (2, True)


async def test_corrections_are_written_as_the_training_reads_them(tmp_path: Path, typed: Typed) -> None:
    written = tmp_path / "corrections.ndjson"
    async with live(tmp_path) as daemon:
        await daemon.post(mention(1))
        await typed.good("label", "fall", "x", "1", "claim", "--by", "desk")
        await typed.good("label", "fall", "x", "1", "denial", "--by", "desk")
        assert await typed.good("corrections", str(written)) == f"1 corrections in {written}\n"
    examples = corrections(written)
    assert examples.select("id", "group", "tag").rows() == [("1", "fall", "denial")]
    assert examples["text"].item() == mention(1)["text"]


async def test_the_token_comes_from_the_settings(tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB", "a word")
    async with live(tmp_path, 'token_env = "WEB"', {"WEB": "a word"}):
        assert "fall" in await typed.good("event", "list")
        monkeypatch.setenv("WEB", "another")
        status, _, err = await typed("event", "list")
        assert (status, "Bearer" in err) == (2, True)
        monkeypatch.delenv("WEB")
        assert (await typed("event", "list"))[0] == 2


ASKING = [
    ("event", "list"),
    ("event", "remove", "fall"),
    ("narrative", "list", "fall"),
    ("narrative", "status", "fall", "n", "denied", "--by", "a", "--evidence", "b"),
    ("narrative", "show", "fall", "n"),
    ("narrative", "suggestions", "fall"),
    ("narrative", "merge", "fall", "n", "m", "--by", "a"),
    ("narrative", "split", "fall", "n", "--by", "a"),
    ("silence", "list"),
    ("silence", "expire", "s"),
    ("silence", "add", "--event", "fall", "--for", "1h", "--by", "a", "--comment", "b"),
    ("label", "fall", "x", "1", "claim", "--by", "a"),
]


@pytest.mark.parametrize("words", ASKING, ids=" ".join)
async def test_without_a_daemon_one_line_says_what_to_do(words: tuple[str, ...], tmp_path: Path, typed: Typed) -> None:
    port = free_port()
    configuration(tmp_path, port)
    status, out, err = await typed(*words)
    advice = f"start it with `monitor run --config {tmp_path}`, or name its folder with --config"
    assert (status, out, err) == (1, "", f"monitor: no daemon answers at http://127.0.0.1:{port}; {advice}\n")


async def test_something_else_at_the_port_is_no_monitor(tmp_path: Path, typed: Typed) -> None:
    async def hello(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>hello", status=200)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", hello)
    async with TestServer(application) as server:
        configuration(tmp_path, int(server.port or 0))
        status, _, err = await typed("event", "list")
    assert (status, "is no monitor of this version" in err) == (1, True)


async def test_mistakes_elsewhere_in_the_configuration_do_not_keep_a_command_from_asking(
    tmp_path: Path, typed: Typed
) -> None:
    configuration(tmp_path, free_port())
    with (tmp_path / "monitor.toml").open("a") as file:
        file.write('[[receiver]]\nkind = "webhook"\nname = "desk"\nurl = "https://a.example"\nsecret_env = "NOWHERE"\n')
    status, _, err = await typed("event", "list")
    assert (status, "no daemon answers" in err) == (1, True)
    (tmp_path / "monitor.toml").write_text("[web]\nport = 0\n", "utf-8")
    assert (await typed("event", "list"))[0] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("silence", "add", "--event", "fall", "--for", "0s", "--by", "a", "--comment", "b"),
        ("silence", "add", "--event", "fall", "--for", "long", "--by", "a", "--comment", "b"),
        ("narrative", "status", "fall", "n", "true", "--by", "a", "--evidence", "b"),
        ("label", "fall", "x", "1", "rumour", "--by", "a"),
        ("event", "preview", "fall.toml", "--most", "0"),
        ("alerts", "replay", "deadbeef"),
        ("event",),
    ],
    ids=" ".join,
)
def test_a_wrong_word_is_refused_before_anything_is_asked(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        command_line.main(words)
    assert left.value.code == 2
