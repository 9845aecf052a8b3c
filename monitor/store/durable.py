"""Names of files that last: one that was made or renamed survives a power cut only once its folder is synced."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Has the disk keep the names in a folder; raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
