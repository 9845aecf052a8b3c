"""Event files of a running monitor: written whole, refused whole, and undone where the monitor cannot take them."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from monitor.app.event_files import EventFiles
from monitor.settings import load
from monitor.web.refused import RefusedError
from tests.fakes.door import until
from tests.fakes.live import configuration

DAM = 'name = "dam"\nproposition = "The dam has burst"\nany = ["dam"]\n'


class Reloads:
    """A monitor as far as reloading goes: refuses what it is told to, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.mistakes: tuple[str, ...] = ()
        self.unforeseen: Exception | None = None
        self.works = asyncio.Event()
        self.works.set()

    async def __call__(self) -> tuple[str, ...]:
        self.count += 1
        await self.works.wait()
        if self.unforeseen is not None:
            raise self.unforeseen
        return self.mistakes


@pytest.fixture
def reloads() -> Reloads:
    return Reloads()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return configuration(tmp_path, 9999) / "events"


@pytest.fixture
def files(folder: Path, reloads: Reloads) -> EventFiles:
    configured = load(folder.parent, {})
    return EventFiles(lambda: configured, reloads, within=0.5)


async def refused(asking: Coroutine[Any, Any, object]) -> RefusedError:
    with pytest.raises(RefusedError) as error:
        await asking
    return error.value


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_an_event_is_written_whole_and_taken_up(files: EventFiles, folder: Path, reloads: Reloads) -> None:
    change = await files.add(DAM, replace=False)
    assert (change.name, change.file, change.done) == ("dam", "dam.toml", "added")
    assert (folder / "dam.toml").read_text("utf-8") == DAM
    assert names(folder) == ["dam.toml", "fall.toml"]
    assert reloads.count == 1


@pytest.mark.parametrize(
    ("toml", "mistake"),
    [
        ("name = \n", "event: line 1, column 8: is no TOML: invalid value"),
        ('name = "../dam"\nproposition = "x y z"\nany = ["dam"]', "$.name: '../dam' does not fit"),
        ('name = "dam"\nproposition = "x y z"\nany = []', "$.any: is empty"),
        (DAM + 'receivers = ["nobody"]', "$.receivers[0]: 'nobody' does not exist"),
        (DAM + "alpha = 1\n", "$.alpha: no such setting"),
    ],
)
async def test_an_event_with_mistakes_is_refused_with_all_of_them(
    toml: str, mistake: str, files: EventFiles, folder: Path, reloads: Reloads
) -> None:
    error = await refused(files.add(toml, replace=False))
    assert (error.status, error.body.error) == (400, "bad_event")
    assert mistake in "\n".join(error.body.mistakes)
    assert (names(folder), reloads.count) == (["fall.toml"], 0)


async def test_what_the_monitor_cannot_take_is_undone(files: EventFiles, folder: Path, reloads: Reloads) -> None:
    before = (folder / "fall.toml").read_bytes()
    reloads.mistakes = ("monitor.toml: $.web: wrong",)
    changed = DAM.replace("dam", "fall", 1)
    for asking in (files.add(DAM, replace=False), files.add(changed, replace=True), files.remove("fall")):
        error = await refused(asking)
        assert (error.status, error.body.error, error.body.mistakes) == (409, "reload_refused", reloads.mistakes)
    assert names(folder) == ["fall.toml"]
    assert (folder / "fall.toml").read_bytes() == before


@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
async def test_what_fails_on_the_way_is_undone(
    link: bool,  # noqa: FBT001 -- a parameter
    files: EventFiles,
    folder: Path,
    reloads: Reloads,
    tmp_path: Path,
) -> None:
    if link:
        (folder / "fall.toml").rename(tmp_path / "elsewhere.toml")
        (folder / "fall.toml").symlink_to("../elsewhere.toml")
    before = (folder / "fall.toml").read_bytes()
    reloads.unforeseen = TimeoutError("no connection is free")
    changed = DAM.replace("dam", "fall", 1)
    for asking in (files.add(DAM, replace=False), files.add(changed, replace=True), files.remove("fall")):
        with pytest.raises(TimeoutError, match="no connection"):
            await asking
    assert names(folder) == ["fall.toml"]
    assert (folder / "fall.toml").read_bytes() == before
    assert (folder / "fall.toml").is_symlink() == link


async def test_a_linked_file_is_changed_where_it_is(files: EventFiles, folder: Path, tmp_path: Path) -> None:
    (folder / "fall.toml").rename(tmp_path / "elsewhere.toml")
    (folder / "fall.toml").symlink_to("../elsewhere.toml")
    changed = DAM.replace("dam", "fall", 1)
    await files.add(changed, replace=True)
    assert (folder / "fall.toml").is_symlink()
    assert (tmp_path / "elsewhere.toml").read_text("utf-8") == changed
    await files.remove("fall")
    assert names(folder) == []
    assert (tmp_path / "elsewhere.toml").exists()


async def test_a_change_that_takes_too_long_goes_on_without_its_asker(
    files: EventFiles, folder: Path, reloads: Reloads
) -> None:
    reloads.works.clear()
    error = await refused(files.add(DAM, replace=False))
    assert (error.status, error.body.error) == (503, "not_yet")
    error = await refused(files.remove("fall"))
    assert (error.status, error.body.error, bool(error.headers)) == (503, "changing", True)
    assert (names(folder), reloads.count) == (["dam.toml", "fall.toml"], 1)
    reloads.works.set()
    assert (await files.remove("fall")).done == "removed"
    assert names(folder) == ["dam.toml"]


async def test_a_change_that_is_refused_late_is_undone(files: EventFiles, folder: Path, reloads: Reloads) -> None:
    reloads.works.clear()
    reloads.mistakes = ("monitor.toml: $.web: wrong",)
    assert (await refused(files.add(DAM, replace=False))).status == 503
    reloads.works.set()
    await until(lambda: names(folder) == ["fall.toml"])


async def test_an_event_is_replaced_in_its_own_file_and_only_when_asked(files: EventFiles, folder: Path) -> None:
    (folder / "fall.toml").rename(folder / "autumn.toml")
    changed = DAM.replace("dam", "fall", 1)
    assert (await refused(files.add(changed, replace=False))).body.error == "event_exists"
    change = await files.add(changed, replace=True)
    assert (change.file, change.done) == ("autumn.toml", "replaced")
    assert names(folder) == ["autumn.toml"]
    assert (await files.show("fall")).toml == changed


async def test_a_file_that_holds_another_event_is_not_overwritten(files: EventFiles, folder: Path) -> None:
    (folder / "fall.toml").rename(folder / "dam.toml")
    assert (await refused(files.add(DAM, replace=True))).body.error == "file_exists"
    assert "bazarak" in (folder / "dam.toml").read_text("utf-8")


async def test_an_event_is_removed_with_its_file(files: EventFiles, folder: Path, reloads: Reloads) -> None:
    assert (await files.remove("fall")).done == "removed"
    assert (names(folder), reloads.count) == ([], 1)
    for asking in (files.remove("fall"), files.show("fall"), files.remove("../monitor")):
        assert (await refused(asking)).body.error == "unknown_event"


async def test_a_folder_that_cannot_be_written_is_one_clear_refusal(
    files: EventFiles, folder: Path, reloads: Reloads
) -> None:
    (folder / ".dam.toml.new").mkdir()  # where the draft would go; rights do not stop root
    error = await refused(files.add(DAM, replace=False))
    assert (error.status, error.body.error) == (409, "folder_refuses")
    assert error.body.detail.startswith(
        "dam.toml cannot be written (Is a directory); give the monitor's user the right"
    )
    assert reloads.count == 0


async def test_files_that_are_no_events_are_passed_over(files: EventFiles, folder: Path) -> None:
    (folder / "broken.toml").write_bytes(b"\xff = ")
    (folder / "list.toml").write_text('name = ["fall"]\n', "utf-8")
    assert await files.names() == {"fall": "fall.toml"}
