"""Reads a followed file as the collector does, and with another Tail after a restart."""

from pathlib import Path

from monitor.collect.rotated import Place
from monitor.collect.tail import Lost, Piece, Tail


class TailReader:
    """Reads with a Tail, and with another one after a restart."""

    def __init__(self, path: Path, place: Place | None = None) -> None:
        self.path = path
        self.lines: list[bytes] = []
        self.lost: list[Lost] = []
        self.place = place
        self.tail = Tail(path, place, follow=True)

    def look(self) -> bool:
        """One look; says whether it found anything."""
        found = self.tail.look()
        if isinstance(found, Piece):
            self.lines += found.lines.split(b"\n")[: found.posts]
            self.place = found.place
        elif isinstance(found, Lost):
            self.lost.append(found)
        return found is not None

    def read_all(self) -> list[bytes]:
        """Everything there is, beyond what was read before."""
        begin = len(self.lines)
        while self.look():
            pass
        return self.lines[begin:]

    def restart(self) -> None:
        self.tail.close()
        self.tail = Tail(self.path, Place.read(self.place.text()) if self.place else None, follow=True)
