"""The event files of a running monitor: written whole or not at all, and undone where the monitor refuses them."""

import asyncio
import os
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path

from monitor import settings
from monitor.errors import SettingsError
from monitor.records import Event
from monitor.web.bodies import EventChange, EventFile
from monitor.web.refused import Refused, RefusedError, refuse

Reload = Callable[[], Awaitable[tuple[str, ...]]]
"""Goes on under the configuration as its files are now; answers every mistake, and then nothing has changed."""


class EventFiles:
    """`events/*.toml` of a configuration; one change at a time."""

    def __init__(self, configured: Callable[[], settings.Settings], reload: Reload) -> None:
        self._configured = configured
        self._reload = reload
        self._changing = asyncio.Lock()

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
        async with self._changing:
            path = await asyncio.to_thread(self._find, event.name)
            if path is not None and not replace:
                raise refuse(409, "event_exists", f"event {event.name} is there already; ask for replace to change it")
            new = self._folder() / f"{event.name}.toml"
            if path is None and await asyncio.to_thread(new.exists):
                raise refuse(409, "file_exists", f"{new.name} holds an event of another name; move it away")
            await self._change(path or new, toml.encode())
            return EventChange(name=event.name, file=(path or new).name, done="added" if path is None else "replaced")

    async def remove(self, name: str) -> EventChange:
        """Removes an event's file and watches the event no more."""
        async with self._changing:
            path = await asyncio.to_thread(self._find, name)
            if path is None:
                raise unknown_event()
            await self._change(path, None)
            return EventChange(name=name, file=path.name, done="removed")

    async def show(self, name: str) -> EventFile:
        """An event's file."""
        path = await asyncio.to_thread(self._find, name)
        if path is None:
            raise unknown_event()
        return EventFile(name=name, file=path.name, toml=await asyncio.to_thread(path.read_text, "utf-8-sig"))

    async def names(self) -> dict[str, str]:
        """Event → its file."""
        return await asyncio.to_thread(lambda: {name: path.name for path in self._paths() if (name := _name(path))})

    async def _change(self, path: Path, content: bytes | None) -> None:
        """Makes the change and has it taken up, or undoes it."""
        before = await asyncio.to_thread(_put, path, content)
        mistakes = await self._reload()
        if mistakes:
            await asyncio.to_thread(_put, path, before)
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
    return refuse(404, "unknown_event", "there is no event of this name; the list of events has those there are")


def _name(path: Path) -> str | None:
    """The name of the event in a file; None if it cannot be read."""
    try:
        name = tomllib.loads(path.read_text("utf-8-sig")).get("name")
    except (OSError, ValueError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _put(path: Path, content: bytes | None) -> bytes | None:
    """Replaces or removes a file in one step; answers what it held. Raises RefusedError where the folder refuses."""
    draft = path.with_name(f".{path.name}.new")
    try:
        before = path.read_bytes() if path.exists() else None
        if content is None:
            path.unlink(missing_ok=True)
            return before
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        why = (
            f"{path.name} cannot be written ({error.strerror}); give the monitor's user the right to, or do it by hand"
        )
        raise refuse(409, "folder_refuses", f"{why} and send SIGHUP") from error
    return before
