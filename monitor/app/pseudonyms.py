"""Authors → pseudonyms, before anything is done with a post.

A pseudonym is BLAKE2b of platform and author under the operator's key, 64 bits as 16 digits: the same author keeps
theirs, and whoever has the store but not the key can neither read an author off it nor try out names. The accounts of
registered voices stay as they are: the configuration names them, and their word counts.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from monitor.errors import SettingsError
from monitor.settings import AuthorNames, Settings
from monitor.store.durable import sync_folder
from monitor.watched import Event

KEY_FILE = "author-key"
"""Beside the folder of `[pipeline] in_hand`, where the configuration names no key."""


class Pseudonyms:
    """Hides authors under one key; the accounts of voices are those of the events watched last."""

    def __init__(self, key: str | None, *, plain: bool = False) -> None:
        """Without a key, or `plain`, authors are kept as they come."""
        self._plain = plain
        self._keyed = None if key is None else hashlib.blake2b(digest_size=8, key=hashlib.sha256(key.encode()).digest())
        """The hash with the key in it and nothing else: a copy of it costs half of what keying anew does."""
        self._voices: frozenset[tuple[str, str]] = frozenset()

    def watch(self, events: Iterable[Event]) -> None:
        """From now on these events' voices are the ones whose accounts stay."""
        accounts = (account.split(":", 1) for event in events for voice in event.voices for account in voice.accounts)
        self._voices = frozenset((platform, author) for platform, author in accounts)

    def hide(self, posts: pl.DataFrame) -> pl.DataFrame:
        """POSTS with pseudonyms in place of authors."""
        if self._keyed is None or self._plain or posts.is_empty():
            return posts
        copied, voices, hidden = self._keyed.copy, self._voices, list[str | None]()
        for one in zip(posts["platform"].to_list(), posts["author"].to_list(), strict=True):
            platform, author = one
            if author is None or one in voices:
                hidden.append(author)
                continue
            hashed = copied()
            hashed.update(f"{platform}\0{author}".encode())
            hidden.append(hashed.hexdigest())
        return posts.with_columns(pl.Series("author", hidden, pl.String))

    def names(self, platform: str, author: str) -> tuple[str, ...]:
        """Every name under which posts of an author may be kept.

        They may have become a voice, or ceased to be one; names that are plain now may have been hidden.
        """
        if self._keyed is None:
            return (author,)
        hashed = self._keyed.copy()
        hashed.update(f"{platform}\0{author}".encode())
        return author, hashed.hexdigest()


def pseudonyms(configured: Settings, folder: Path) -> Pseudonyms:
    """Those of a configuration; where it names no key it is in `folder`, and made at first. Raises SettingsError.

    Where names are plain none is made, but one that is there finds what was hidden before.
    """
    plain = configured.monitor.store.authors is AuthorNames.PLAIN
    if configured.author_key is not None:
        return Pseudonyms(configured.author_key.reveal(), plain=plain)
    return Pseudonyms(_kept(folder / KEY_FILE, makes=not plain), plain=plain)


def _kept(file: Path, *, makes: bool) -> str | None:
    try:
        if not file.exists():
            if not makes:
                return None
            _make(file)
        key = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        said = f"{file}: the key that hashes authors cannot be kept there ({why}); name one with author_key_file"
        raise SettingsError([f"$.store: {said}"]) from error
    if not key:
        raise SettingsError([f"$.store: {file}: is empty; restore the key that hashed authors, or remove the file"])
    return key


def _make(file: Path) -> None:
    """Whole or not there, for its owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}-{os.getpid()}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(f"{secrets.token_hex(32)}\n")
        out.flush()
        os.fsync(out.fileno())
    new.rename(file)
    sync_folder(file.parent)
