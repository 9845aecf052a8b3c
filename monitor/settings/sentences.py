"""What msgspec says of a value → what an operator can act on."""

import difflib
import re
from collections.abc import Iterable
from datetime import date, time

from monitor.watched import Duration, Lifetime

_NAMES = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": 'a list, as in ["one", "two"]',
    "object": "a table of settings",
    "datetime": "a time with its zone, as in 2021-09-03T00:00:00Z",
    "date": "a day without a time",
    "time": "a time without a day",
}
_SHOWN = 60
_SECRETS = frozenset({"secret", "token", "password", "api_key", "key", "author_key"})


def plain(message: str, value: object, expected: str | None) -> str:
    """One sentence for msgspec's `message` about `value`; `expected` describes a good value where the type does."""
    what = message.partition(" - at `")[0]
    if found := re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", what):
        return _wrong_kind(value, found[1].removesuffix(" | null"), found[2])
    if found := re.fullmatch(r"Expected `\w+` (>=|<=|>|<) (\S+)", what):
        side = {">=": "at least", "<=": "at most", ">": "a number above", "<": "a number below"}[found[1]]
        return f"{shown(value)} is out of range; write {side} {found[2]}"
    if found := re.fullmatch(r"Expected `(\w+)` of length (>=|<=) (\d+)", what):
        return _length(value, found[1], found[2], found[3])
    if found := re.fullmatch(r"Expected `str` matching regex (.+)", what):
        return f"{shown(value)} does not fit; write {expected or f'text that matches {found[1]}'}"
    return f"{shown(value)} is no time; write {_NAMES['datetime']}" if what.startswith("Invalid RFC3339") else what


def _wrong_kind(value: object, wanted: str, got: str) -> str:
    if wanted == "array" and got == "object":
        return "is one table; write its heading in double brackets, one such table for each"
    return f"{shown(value)} is {_name(got)}; write {_name(wanted)}"


def _length(value: object, kind: str, side: str, bound: str) -> str:
    unit = "characters" if kind == "str" else "entries"
    count = "one" if bound == "1" else f"{bound} {unit}"
    if value in ("", []):
        return f"is empty; write at least {count}"
    short = side == ">="
    said = f"is {'shorter' if short else 'longer'} than allowed; write at {'least' if short else 'most'} {count}"
    return f"{shown(value)} {said}"


def unknown(name: str, known: Iterable[str]) -> str:
    """What to say of the setting `name` where only `known` ones exist; a literal secret gets its own answer."""
    names = sorted(known)
    if name in _SECRETS or (name == "url" and "url_env" in names):
        prefix = next((word for word in (name, "token", "password", "url", "key") if f"{word}_env" in names), "secret")
        where = (
            f"put it into an environment variable and name that with {prefix}_env, or into a file with {prefix}_file"
        )
        return f"a secret does not stand among the settings; {where}"
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"no such setting; did you mean {near[0]!r}?" if near else f"no such setting; here are: {', '.join(names)}"


def choice(value: object, known: Iterable[str]) -> str:
    """What to say of `value` where only the words `known` are allowed."""
    names = list(known)
    near = difflib.get_close_matches(value, names, n=1) if isinstance(value, str) else []
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{shown(value)} is none of {', '.join(repr(name) for name in names)}{hint}"


def shown(value: object) -> str:
    """`value` as it may stand in a message: short, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value) if isinstance(value, date | time) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def written(duration: Duration) -> str:
    """`duration` as an operator writes it, in the largest unit that divides it."""
    if isinstance(duration, Lifetime) and duration.endless:
        return duration.FOREVER
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    milliseconds = round(duration.total_seconds() * 1000)
    unit = next(name for name, size in units.items() if milliseconds % size == 0)
    return f"{milliseconds // units[unit]}{unit}"


def _name(kind: str) -> str:
    return _NAMES.get(kind, kind)
