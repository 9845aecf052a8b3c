"""The operator's files and the environment → settings; every mistake of every file at once."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, NamedTuple

from monitor.alert.receivers.slack_bot import SlackBotSettings
from monitor.alert.receivers.webhook import WebhookSettings
from monitor.errors import SettingsError
from monitor.settings import checks, checks_chats
from monitor.settings.faults import Wanted, faults, sound
from monitor.settings.monitor import Monitor, Receiver, RetentionSettings, Secret, Settings, Source, Web
from monitor.settings.secrets import Lookup, secret
from monitor.settings.service import of_service
from monitor.watched import Event, with_board_rate, with_preset

_STAND_INS: Mapping[str, object] = MappingProxyType({"name": "unnamed", "proposition": "unknown", "any": ["*"]})
"""What an event without these settings is checked with."""

_WORDS = ("secret", "password", "token", "url")
"""What a source or receiver may call its secret: `<word>_env`, `<word>_file`."""


class _File(NamedTuple):
    """A file as it was read: its document, or why there is none."""

    path: Path
    document: dict[str, Any] | None
    mistakes: tuple[str, ...] = ()


class _Checked(NamedTuple, Generic[Wanted]):
    """What a file says, as far as it is sound, and what is wrong with it."""

    value: Wanted | None
    """None where the file has no document at all."""
    mistakes: tuple[str, ...]


def load(directory: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Reads `monitor.toml` and `events/*.toml` under `directory`; secrets come from `environ` (the process's own).

    Raises SettingsError with every mistake of all files.
    """
    environ = _environment(environ)
    if not directory.is_dir():
        raise SettingsError([f"{directory}: no such directory; create it, or name another one with --config"])
    file = _read(directory / "monitor.toml")
    monitor, wrong = _as(file, Monitor, {})
    receivers = None if monitor is None or wrong else [receiver.name for receiver in monitor.receivers]
    mistakes = list(wrong)
    secrets: dict[str, Lookup] = {}
    if monitor is not None:
        secrets = _secrets(monitor, environ)
        found = [*checks.of_monitor(monitor), *(said for lookup in secrets.values() for said in lookup.faults)]
        mistakes += [f"{file.path}: {said}" for said in found]
    events = _events(directory / "events", receivers, mistakes)
    if mistakes or monitor is None:
        raise SettingsError(mistakes)
    return _settings(directory, monitor, events, secrets)._replace(service=of_service(environ))


def load_web(directory: Path, environ: Mapping[str, str] | None = None) -> Web:
    """Where the monitor of a configuration listens: reads `[web]` alone, so that no other secret has to be at hand.

    Raises SettingsError with every mistake in it.
    """
    monitor = _table(directory, "web")
    found = secret(monitor.web.token_env, monitor.web.token_file, _environment(environ), "$.web", "token")
    if found.faults:
        raise SettingsError([f"{directory / 'monitor.toml'}: {fault}" for fault in found.faults])
    return Web(monitor.web, found.secret)


def load_store(directory: Path, environ: Mapping[str, str] | None = None) -> Secret:
    """The URL of a configuration's store: reads `[store]` alone; raises SettingsError with every mistake in it."""
    store = _table(directory, "store").store
    found = secret(store.url_env, store.url_file, _environment(environ), "$.store", "url")
    if found.faults:
        raise SettingsError([f"{directory / 'monitor.toml'}: {fault}" for fault in found.faults])
    return found.secret or Secret(store.url)


def load_retention(directory: Path) -> RetentionSettings:
    """How long what is kept: reads `[store]` alone; raises SettingsError with every mistake in it."""
    return _table(directory, "store").store.retention


def _environment(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environ is None else environ


def _table(directory: Path, name: str) -> Monitor:
    """`monitor.toml` as far as it is sound; raises SettingsError if it cannot be read, or for mistakes in one table."""
    monitor, wrong = _as(_read(directory / "monitor.toml"), Monitor, {})
    mine = [said for said in wrong if f": $.{name}" in said]
    if monitor is None or mine:
        raise SettingsError(mine or wrong)
    return monitor


def load_event(path: Path, rules: Mapping[str, object] | None = None) -> Event:
    """Reads one event file, with other `rules` in place of its own; raises SettingsError with every mistake in it."""
    file = _read(path)
    own = None if file.document is None else file.document.get("rules", {})
    if rules and file.document is not None and isinstance(own, dict):
        file = file._replace(document={**file.document, "rules": {**own, **rules}})
    event, mistakes = _checked_event(file, None)
    if mistakes or event is None:
        raise SettingsError(mistakes)
    return event


def parse_event(text: str, receivers: Sequence[str] | None) -> Event:
    """Reads the text of an event file; raises SettingsError with every mistake in it.

    Its receivers are checked where `receivers`, all there are, is known.
    """
    event, mistakes = _checked_event(_parsed(Path("event"), text), receivers)
    if mistakes or event is None:
        raise SettingsError(mistakes)
    return event


def packaged_model() -> Path:
    """The tagger's artifact that ships with the program."""
    return Path(__file__).parents[2] / "classifiers" / "model" / "tagger.npz"


def _settings(directory: Path, monitor: Monitor, events: Sequence[Event], secrets: Mapping[str, Lookup]) -> Settings:
    return Settings(
        directory=directory,
        monitor=monitor,
        events=tuple(sorted(with_board_rate(events, monitor.board.false_alarms_per_day), key=lambda event: event.name)),
        store_url=secrets["store"].secret or Secret(monitor.store.url),
        web_token=secrets["web"].secret,
        source_secrets=_found("source", [source.name for source in monitor.sources], secrets),
        receiver_secrets=_found("receiver", [receiver.name for receiver in monitor.receivers], secrets),
        receiver_addresses=_found("address", [receiver.name for receiver in monitor.receivers], secrets),
        actions_key=secrets["actions"].secret,
        author_key=secrets["authors"].secret,
        signing_secrets=_found("signing", [one.name for one in monitor.receivers], secrets),
        model=Path(monitor.tagger.model) if monitor.tagger.model else packaged_model(),
    )


def _found(kind: str, names: Sequence[str], secrets: Mapping[str, Lookup]) -> dict[str, Secret]:
    """Name → secret, for those that have one."""
    looked = {name: secrets[f"{kind}.{name}"].secret for name in names if f"{kind}.{name}" in secrets}
    return {name: secret for name, secret in looked.items() if secret is not None}


def _events(directory: Path, receivers: Sequence[str] | None, mistakes: list[str]) -> list[Event]:
    """The events of `directory`; adds to `mistakes` what each, and all together, get wrong."""
    paths = sorted(directory.glob("*.toml"))
    if not paths:
        mistakes.append(f"{directory}: no event file (*.toml) here; write one, there is nothing to watch without it")
    events: list[Event] = []
    named: dict[str, Path] = {}
    for path in paths:
        event, wrong = _event(path, receivers)
        mistakes += wrong
        if event is None:
            continue
        events.append(event)
        unnamed = any(said.startswith(f"{path}: $.name: ") for said in wrong)
        if not unnamed and (first := named.setdefault(event.name, path)) != path:
            mistakes.append(f"{path}: $.name: {event.name!r} is the name of {first} too; give each a name of its own")
    return events


def _event(path: Path, receivers: Sequence[str] | None) -> _Checked[Event]:
    """The event in `path`; its receivers are checked where `receivers`, all there are, is known."""
    return _checked_event(_read(path), receivers)


def _checked_event(file: _File, receivers: Sequence[str] | None) -> _Checked[Event]:
    document = None if file.document is None else dict(with_preset(file.document))
    event, wrong = _as(file._replace(document=document), Event, _STAND_INS)
    found = [*checks.of_event(event)] if event else []
    if event and receivers is not None:
        found += checks.of_receivers(event, receivers)
    return _Checked(event, (*wrong, *(f"{file.path}: {said}" for said in found)))


def _secrets(monitor: Monitor, environ: Mapping[str, str]) -> dict[str, Lookup]:
    """Whose secret → what was found.

    `store`, `web`, `actions`, `authors`, `source.<name>`, `receiver.<name>`, `address.<name>` and `signing.<name>`.
    """
    web = monitor.web
    found = {
        "store": secret(monitor.store.url_env, monitor.store.url_file, environ, "$.store", "url"),
        "web": secret(web.token_env, web.token_file, environ, "$.web", "token"),
        "actions": secret(monitor.actions.key_env, monitor.actions.key_file, environ, "$.actions", "key"),
        "authors": secret(
            monitor.store.author_key_env, monitor.store.author_key_file, environ, "$.store", "author_key"
        ),
    }
    if (url := found["store"].secret) is not None:
        place = "$.store.url_env" if monitor.store.url_env is not None else "$.store.url_file"
        found["store"] = Lookup(url, tuple(checks.of_database(url.reveal(), place)))
    if (key := found["actions"].secret) is not None:
        found["actions"] = Lookup(key, tuple(checks.of_key(key.reveal(), monitor.actions)))
    if (key := found["authors"].secret) is not None:
        found["authors"] = Lookup(key, tuple(checks.of_author_key(key.reveal(), monitor.store)))
    for kind, configured in (("source", monitor.sources), ("receiver", monitor.receivers)):
        for i, one in enumerate(configured):
            word = next((word for word in _WORDS if hasattr(one, f"{word}_env")), "secret")
            variable, file = getattr(one, f"{word}_env", None), getattr(one, f"{word}_file", None)
            path = f"$.{kind}[{i}]"
            looked = secret(variable, file, environ, path, word)
            found[f"{kind}.{one.name}"] = looked if word != "url" else _address(one, environ, path)
            if isinstance(one, WebhookSettings):
                found[f"address.{one.name}"] = _address(one, environ, path)
            if isinstance(one, SlackBotSettings):
                named = (one.signing_secret_env, one.signing_secret_file)
                found[f"signing.{one.name}"] = secret(*named, environ, path, "signing_secret")
    return found


def _address(one: Source | Receiver, environ: Mapping[str, str], path: str) -> Lookup:
    """The address of one that is a secret."""
    variable, file = getattr(one, "url_env", None), getattr(one, "url_file", None)
    looked = secret(variable, file, environ, path, "url")
    if looked.secret is None:
        return looked
    place = f"{path}.url_env" if variable is not None else f"{path}.url_file"
    return Lookup(looked.secret, tuple(checks_chats.of_address(one, looked.secret.reveal(), place)))


def _as(file: _File, wanted: type[Wanted], stand_ins: Mapping[str, object]) -> _Checked[Wanted]:
    if file.document is None:
        return _Checked(None, file.mistakes)
    mistakes = tuple(f"{file.path}: {said}" for said in faults(file.document, wanted))
    return _Checked(sound(file.document, wanted, stand_ins), mistakes)


def _read(path: Path) -> _File:
    try:
        return _parsed(path, path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return _without(path, "no such file; create it")
    except OSError as error:
        return _without(path, f"cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        return _without(path, f"is no UTF-8 text (byte {error.start}); save it as UTF-8")


def _parsed(path: Path, text: str) -> _File:
    try:
        return _File(path, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        what, at = _located(str(error))
        return _without(path, f"{at}: is no TOML: {what}")
    except RecursionError:
        return _without(path, "is nested too deeply; settings need two or three levels")


def _without(path: Path, why: str) -> _File:
    return _File(path, None, (f"{path}: {why}",))


def _located(message: str) -> tuple[str, str]:
    """`Expected '=' (at line 3, column 5)` → what, where."""
    found = re.fullmatch(r"(.*) \(at (line \d+, column \d+|end of document)\)", message, re.DOTALL)
    return (found[1].lower(), found[2]) if found else (message, "somewhere")
