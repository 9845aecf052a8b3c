"""Whether files that settings name can be read."""

import errno
import os
import stat


def unreadable(name: str) -> str | None:
    """Why a file cannot be read, None if it can; waits for nothing, as opening a pipe would."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    try:
        kind = os.fstat(handle).st_mode
    finally:
        os.close(handle)
    if stat.S_ISDIR(kind):
        return os.strerror(errno.EISDIR)
    return None if stat.S_ISREG(kind) else "Not a regular file"
