"""The grid of a backtest: every combination of the swept settings of `[rules]`, each as the events it stands for."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, get_origin

import msgspec

from monitor.errors import SettingsError
from monitor.settings import load_event
from monitor.settings.sentences import unknown
from monitor.watched import Event, Rules

MOST_POINTS = 10_000
OF_POLICY = ("for", "keep_firing", "repeat_least", "repeat_interval", "alert_on")
"""Settings that no finding depends on: they say what becomes of one."""
_PRESET = "preset"
_PRESETS = ("fewer", "balanced", "more")
_AS_WRITTEN = "as in the file"


class Point(NamedTuple):
    """One set of rules to judge by."""

    name: str
    """As in `alpha=0.01 minimum_originals=5`."""
    settings: Mapping[str, str]
    """What was swept, as it was written."""
    events: tuple[Event, ...]
    """The watched events under these rules."""


class Sweep(NamedTuple):
    """The values of one setting."""

    setting: str
    values: tuple[str, ...]


def grid(files: Sequence[Path], sweeps: Sequence[str]) -> list[Point]:
    """The points of the grid in the order of the sweeps, the first one slowest.

    Without sweeps: the presets, where rules have them and the files set none, else the rules of the files alone. Raises
    SettingsError with every mistake of the files and of the sweeps.
    """
    events = _loaded(files, {})
    names = [event.name for event in events]
    if len(set(names)) < len(names):
        raise SettingsError(["--event: two files have one name; give each event a name of its own"])
    read, mistakes = _sweeps(sweeps or _by_default())
    mistakes += [said for sweep in read for value in sweep.values for said in _wrong(files, sweep.setting, value)]
    if mistakes:
        raise SettingsError(list(dict.fromkeys(mistakes)))
    return [Point(_name(chosen), chosen, _loaded(files, chosen)) for chosen in _combined(read)]


def judging(event: Event) -> Event:
    """The event as far as its findings depend on it: settings of the alert policy are those of every other point."""
    plain = Rules()
    same = {name: getattr(plain, name) for name in ("for_", *OF_POLICY[1:])}
    return msgspec.structs.replace(event, rules=msgspec.structs.replace(event.rules, **same))


def _by_default() -> list[str]:
    if _PRESET not in _settings():
        return []
    return [f"{_PRESET}={','.join(_PRESETS)}"]


def _settings() -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(Rules)}


def _sweeps(texts: Sequence[str]) -> tuple[list[Sweep], list[str]]:
    """Sweeps as they were typed, and what is wrong with the others."""
    known = _settings()
    mistakes: list[str] = []
    found: dict[str, Sweep] = {}
    for text in texts:
        name, sign, values = (part.strip() for part in text.partition("="))
        chosen = tuple(value.strip() for value in values.split(","))
        if not sign or not name:
            mistakes.append(f"--sweep {text!r}: write a setting of [rules] and its values, as in alpha=0.01,0.05")
        elif name not in known:
            mistakes.append(f"--sweep {name}: {unknown(name, known)}")
        elif name in found:
            mistakes.append(f"--sweep {name}: is swept twice; write all its values after one =")
        elif "" in chosen:
            mistakes.append(f"--sweep {name}: a value is missing; write {name}=FIRST,SECOND")
        elif len(set(chosen)) < len(chosen):
            mistakes.append(f"--sweep {name}: a value stands there twice")
        else:
            found[name] = Sweep(name, chosen)
    size = 1
    for sweep in found.values():
        size *= len(sweep.values)
    if size > MOST_POINTS:
        mistakes.append(f"--sweep: {size:,} combinations; sweep fewer values at once, at most {MOST_POINTS:,}")
    return list(found.values()), mistakes


def _wrong(files: Sequence[Path], name: str, value: str) -> list[str]:
    """What is wrong with one value of a setting, by the same sentences as in a file."""
    try:
        _loaded(files[:1], {name: value})
    except SettingsError as error:
        return [
            f"--sweep {name}={value}: {said.rpartition(f'$.rules.{name}')[2].lstrip(': ')}" for said in error.mistakes
        ]
    return []


def _combined(sweeps: Sequence[Sweep]) -> Iterable[Mapping[str, str]]:
    names = [sweep.setting for sweep in sweeps]
    for values in itertools.product(*(sweep.values for sweep in sweeps)):
        yield MappingProxyType(dict(zip(names, values, strict=True)))


def _name(chosen: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in chosen.items()) or _AS_WRITTEN


def _loaded(files: Sequence[Path], chosen: Mapping[str, str]) -> tuple[Event, ...]:
    rules = {name: _value(name, value) for name, value in chosen.items()}
    events, mistakes = [], []
    for path in files:
        try:
            events.append(load_event(path, rules))
        except SettingsError as error:
            mistakes += [f"{_name(chosen)}: {said}" if chosen else said for said in error.mistakes]
    if mistakes:
        raise SettingsError(mistakes)
    return tuple(events)


def _value(name: str, text: str) -> Any:  # noqa: ANN401 -- whatever TOML would have read
    """A value as the event file would have it: a number, true or false, a list where the setting is one, else text."""
    if get_origin(_settings()[name].type) is tuple:
        return [part for part in text.split("+") if part]
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text)
    if re.fullmatch(r"[+-]?(\d+\.\d*|\.?\d+)([eE][+-]?\d+)?", text):
        return float(text)
    return {"true": True, "false": False}.get(text, text)
