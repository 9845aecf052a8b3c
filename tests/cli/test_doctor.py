"""`monitor doctor` finds what is wrong, says what to do, and shows no secret."""

import asyncio
import socket
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from monitor.__main__ import main
from monitor.app.doctor import Check, Verdict, examined
from monitor.clock import SystemClock
from monitor.settings import load
from monitor.store.store import Store
from tests.pipeline.test_daemon import EVENT, free_port

TOKEN = "123:between-us"


def configured(folder: Path, more: str = "", port: int | None = None) -> Path:
    config = folder / "config"
    (config / "events").mkdir(parents=True)
    (config / "events" / "fall.toml").write_text(EVENT, "utf-8")
    (config / "monitor.toml").write_text(
        f'[store]\nurl = "sqlite:///{folder}/m.sqlite"\n[web]\nport = {port or free_port()}\n'
        f'[pipeline]\nin_hand = "{folder}/in-hand"\n{more}',
        "utf-8",
    )
    return config


async def found(config: Path, environ: dict[str, str] | None = None) -> dict[str, Check]:
    return {check.what: check async for check in examined(load(config, environ or {}), SystemClock())}


def test_a_good_place_is_good_and_exit_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path)
    assert main(["doctor", "--config", str(config)]) == 0
    table = capsys.readouterr().out
    assert "the first start makes it" in table
    with Store(f"sqlite:///{tmp_path}/m.sqlite"):
        pass
    assert main(["doctor", "--json", "--config", str(config)]) == 0
    checks = {one["what"]: one for one in msgspec.json.decode(capsys.readouterr().out)["checks"]}
    assert checks["store"]["found"].startswith("opens, schema")
    assert {one["verdict"] for one in checks.values()} <= {"ok", "doubt"}
    assert {"clock", "disk: store", "model", "authors", "port"} <= checks.keys()


def test_what_is_bad_is_said_with_what_to_do_and_exit_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.sqlite").write_text("this is no database, it is a letter to the editor " * 99, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as held:
        config = configured(tmp_path, port=held.getsockname()[1])
        held.close()
        assert main(["doctor", "--json", "--config", str(config)]) == 1
    checks = {one["what"]: one for one in msgspec.json.decode(capsys.readouterr().out)["checks"]}
    assert (checks["store"]["verdict"], checks["port"]["verdict"]) == ("bad", "ok")
    assert "no SQLite database" in checks["store"]["found"]


async def test_a_port_that_another_program_answers_at_is_bad(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        config = configured(tmp_path, port=server.sockets[0].getsockname()[1])
        assert (await found(config))["port"].verdict is Verdict.BAD


RECEIVERS = (
    '[[receiver]]\nkind = "telegram"\nname = "desk"\nchat = "@desk"\ntoken_env = "TOKEN"\napi = "{api}"\n'
    '[[receiver]]\nkind = "webhook"\nname = "gone"\nurl = "http://127.0.0.1:{closed}/hook"\nsecret_env = "TOKEN"\n'
    '[[source]]\nkind = "x"\nname = "bird"\nbudget = 1.0\ntoken_env = "TOKEN"\napi = "{api}"\n'
    '[[source]]\nkind = "mqtt"\nname = "bus"\nhost = "127.0.0.1"\nport = {closed}\ntopics = ["a"]\n'
)


@pytest.mark.parametrize("knows", [True, False])
async def test_credentials_are_tried_without_a_trace_and_never_shown(
    tmp_path: Path,
    knows: bool,  # noqa: FBT001
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        return web.json_response({"ok": knows}, status=200 if knows else 401)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    config = configured(tmp_path, RECEIVERS.format(api=f"http://127.0.0.1:{port}", closed=free_port()))
    checks = await found(config, {"TOKEN": TOKEN})
    await runner.cleanup()
    for name in ("receiver desk", "source bird"):
        assert checks[name].verdict is (Verdict.OK if knows else Verdict.BAD)
    assert [checks[name].verdict for name in ("receiver gone", "source bus")] == [Verdict.BAD, Verdict.BAD]
    assert asked == ["GET /2/tweets/search/stream/rules", f"GET /bot{TOKEN}/getMe"]
    assert TOKEN not in repr(checks)
