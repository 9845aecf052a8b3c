"""The event files of a running monitor: written whole or not at all, and undone where the monitor refuses them."""

import asyncio
import logging
import os
import tomllib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitor import settings
from monitor.errors import SettingsError
from monitor.store.durable import sync_folder
from monitor.watched import Event
from monitor.web.bodies import EventChange, EventFile
from monitor.web.refused import Refused, RefusedError, refuse

log = logging.getLogger(__name__)

Reload = Callable[[], Awaitable[tuple[str, ...]]]
"""Goes on under the configuration as its files are now; answers every mistake, and then nothing has changed."""
Undo = Callable[[], None]
"""Makes a file what it was; raises RefusedError where the folder refuses."""
NOT_YET = "taken, but the store cannot write it yet; it takes effect when the store works again"
"""What the asker of a change is told that takes too long."""


class EventFiles:
    """`events/*.toml` of a configuration; one change at a time.

    A change that takes longer than `within` seconds goes on without its asker, who is told so.
    """

    def __init__(self, configured: Callable[[], settings.Settings], reload: Reload, within: float) -> None:
        self._configured = configured
        self._reload = reload
        self._within = within
        self._changing = asyncio.Lock()
        self._change: asyncio.Task[EventChange] | None = None

    def parse(self, toml: str) -> Event:
        """The event in a file's text; raises RefusedError (400) with every mistake."""
        try:
            return settings.parse_event(toml, [one.name for one in self._configured().monitor.receivers])
        except SettingsError as error:
            detail = "the event file has mistakes"
            body = Refused(error="bad_event", detail=detail, mistakes=error.mistakes)
            raise RefusedError(400, body) from None

    async def add(self, toml: str, *, replace: bool) -> EventChange:
        """Writes and watches an event."""
        event = self.parse(toml)
        return await self._done(lambda: self._add(event.name, toml, replace=replace))

    async def remove(self, name: str) -> EventChange:
        """Removes an event's file and watches the event no more."""
        return await self._done(lambda: self._remove(name))

    async def show(self, name: str) -> EventFile:
        """An event's file."""
        path = await asyncio.to_thread(self._find, name)
        if path is None:
            raise unknown_event()
        return EventFile(name=name, file=path.name, toml=await asyncio.to_thread(path.read_text, "utf-8-sig"))

    async def names(self) -> dict[str, str]:
        """Event → its file."""
        return await asyncio.to_thread(lambda: {name: path.name for path in self._paths() if (name := _name(path))})

    async def _done(self, change: Callable[[], Coroutine[Any, Any, EventChange]]) -> EventChange:
        """Makes a change when no other is made; raises RefusedError where that takes too long."""
        task: asyncio.Task[EventChange] | None = None
        try:
            async with asyncio.timeout(self._within) as limit:
                await self._changing.acquire()
                task = self._change = asyncio.create_task(change(), name="event file")
                task.add_done_callback(self._ended)
                return await asyncio.shield(task)
        except TimeoutError:
            if not limit.expired():
                raise
            if task is None:
                why = "another change is not done yet; nothing was changed, come again"
                raise refuse(503, "changing", why, again=5) from None
            raise refuse(503, "not_yet", NOT_YET) from None

    def _ended(self, task: "asyncio.Task[EventChange]") -> None:
        """The next change may begin."""
        self._changing.release()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, RefusedError):
            log.error("a change of an event's file failed", exc_info=error)

    async def _add(self, name: str, toml: str, *, replace: bool) -> EventChange:
        path = await asyncio.to_thread(self._find, name)
        if path is not None and not replace:
            raise refuse(409, "event_exists", f"event {name} is there already; replace it to change it (--replace)")
        new = self._folder() / f"{name}.toml"
        if path is None and await asyncio.to_thread(new.exists):
            raise refuse(409, "file_exists", f"{new.name} holds an event of another name; move it away")
        await self._taken_up(await asyncio.to_thread(_write, path or new, toml.encode()))
        return EventChange(name=name, file=(path or new).name, done="added" if path is None else "replaced")

    async def _remove(self, name: str) -> EventChange:
        path = await asyncio.to_thread(self._find, name)
        if path is None:
            raise unknown_event()
        await self._taken_up(await asyncio.to_thread(_remove, path))
        return EventChange(name=name, file=path.name, done="removed")

    async def _taken_up(self, undo: Undo) -> None:
        """Has a change taken up, or undoes it; a stop meanwhile leaves it to the next start."""
        good = False
        try:
            mistakes = await self._reload()
            good = not mistakes
        except asyncio.CancelledError:
            good = True
            raise
        finally:
            if not good:
                await asyncio.to_thread(undo)
        if mistakes:
            log.warning("an event's file was changed back: the configuration cannot take the change")
            detail = "the configuration cannot take the change, it was undone"
            raise RefusedError(409, Refused(error="reload_refused", detail=detail, mistakes=mistakes))

    def _folder(self) -> Path:
        return self._configured().directory / "events"

    def _paths(self) -> list[Path]:
        return sorted(self._folder().glob("*.toml"))

    def _find(self, name: str) -> Path | None:
        return next((path for path in self._paths() if _name(path) == name), None)


def unknown_event() -> RefusedError:
    """There is no such event."""
    return refuse(404, "unknown_event", "there is no event of this name; `monitor event list` shows those there are")


def _name(path: Path) -> str | None:
    """The name of the event in a file; None if it cannot be read."""
    try:
        name = tomllib.loads(path.read_text("utf-8-sig")).get("name")
    except (OSError, ValueError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _write(path: Path, content: bytes) -> Undo:
    """Replaces a file, or the one a link leads to, in one step; raises RefusedError where the folder refuses."""
    target = Path(os.path.realpath(path))
    with _refusing(path):
        before = target.read_bytes() if target.exists() else None
        _replace(target, content)
    return lambda: _restore(path, target, before)


def _remove(path: Path) -> Undo:
    """Removes a file, or a link; raises RefusedError where the folder refuses."""
    with _refusing(path):
        link = path.readlink() if path.is_symlink() else None
        before = path.read_bytes()
        path.unlink()
        sync_folder(path.parent)
    return lambda: _restore(path, path, before, link)


def _restore(path: Path, target: Path, before: bytes | None, link: Path | None = None) -> None:
    with _refusing(path):
        if link is not None:
            target.symlink_to(link)
        elif before is not None:
            _replace(target, before)
        else:
            target.unlink(missing_ok=True)
        sync_folder(target.parent)


def _replace(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = f"{path.name} cannot be written ({error.strerror}); give the monitor's user the right to"
        raise refuse(409, "folder_refuses", f"{why}, or do it by hand and send SIGHUP") from error
