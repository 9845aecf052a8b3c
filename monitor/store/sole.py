"""Only one monitor works on a store: a second one on the same SQLite file is refused at its start.

The lock is the operating system's, on a file beside the store, and ends with the process, however that ends. A server's
store is not guarded so.
"""

import fcntl
import os
from pathlib import Path
from typing import IO

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from monitor.errors import StoreError


class Sole:
    """The lock; open as long as the monitor works."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file

    def close(self) -> None:
        """Lets the next one in."""
        if self._file is not None:
            self._file.close()


def sole(url: str) -> Sole:
    """Takes the store at `url` for this process; raises StoreError if another one has it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return Sole(None)  # whoever opens the store says what is wrong
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database.startswith((":", "file:")):
        return Sole(None)
    path = Path(f"{os.path.realpath(parsed.database)}.lock")  # the same store by any other name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        why = f"{path}: cannot be written ({error.strerror}); give the monitor's user the right, or name another store"
        raise StoreError(why) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        pid = path.read_text("ascii", "replace").strip() or "unknown"
        why = f"store {parsed.database}: another monitor (process {pid}) works on it; stop it, or name another store"
        raise StoreError(why) from error
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    file.flush()
    return Sole(file)
