"""Secrets come from the environment or a file of their own, never from the settings."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from monitor.settings.monitor import Secret

_SENT = frozenset({"password", "token", "url"})
"""What is sent as it is, in a header or an address; keys, that others are made with, may hold anything."""
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Lookup(NamedTuple):
    """A secret, or what is wrong with the place it should come from."""

    secret: Secret | None
    faults: tuple[str, ...] = ()


def secret(variable: str | None, file: str | None, environ: Mapping[str, str], path: str, word: str) -> Lookup:
    """The secret from environment `variable` or `file`; with neither there is no secret, and no fault.

    `path` is the table, `<word>_env` and `<word>_file` are the settings in it that gave the two names.
    """
    if variable is not None and file is not None:
        return Lookup(None, (f"{path}: {word}_env and {word}_file are both set; keep one",))
    if variable is not None:
        unset = f"{path}.{word}_env: the environment has no variable {variable!r}; set it"
        return _checked(environ.get(variable), word, unset, f"{path}.{word}_env: {variable!r}")
    if file is None:
        return Lookup(None)
    try:
        held = Path(file).read_text("utf-8")
        empty = f"{path}.{word}_file: {file} is empty; write the secret into it"
        return _checked(held, word, empty, f"{path}.{word}_file: {file}")
    except UnicodeDecodeError:
        return Lookup(None, (f"{path}.{word}_file: {file} is no UTF-8 text; write the secret as plain text",))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return Lookup(None, (f"{path}.{word}_file: cannot read {file} ({why}); create it, readable for the monitor",))


def _checked(held: str | None, word: str, none: str, place: str) -> Lookup:
    """`none` is the fault of a place that holds nothing."""
    stripped = (held or "").strip()
    if word in _SENT and _BREAKS.search(stripped):
        why = "holds a line break or another control character within; write the secret alone, on one line"
        return Lookup(None, (f"{place} {why}",))
    return Lookup(Secret(stripped)) if stripped else Lookup(None, (none,))
