"""What differs between two configurations, and what of it can change while the monitor runs."""

import hmac
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from monitor.settings import Secret, Settings

FIXED = ("store", "web", "actions", "tagger", "pipeline", "log")
"""Tables of monitor.toml that a running monitor cannot change."""


class Difference(NamedTuple):
    """Names of what is new, gone, and otherwise than it was."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    settings: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Of what is otherwise: the settings that differ; never what they say, which may be a secret."""

    def __str__(self) -> str:
        """For the log: `+new -gone ~changed(any, rules.volume)`."""
        said = [f"{sign}{name}" for sign, names in zip("+-", (self.added, self.removed), strict=True) for name in names]
        return " ".join([*said, *(f"~{name}({', '.join(self.settings.get(name, ()))})" for name in self.changed)])


class _One(NamedTuple):
    """Something configured, and its secret, "" for none."""

    set: object
    secret: str


class Changes(NamedTuple):
    """From one configuration to the next."""

    events: Difference
    sources: Difference
    receivers: Difference
    restart: tuple[str, ...]
    """Tables that differ and wait for a restart."""

    def __str__(self) -> str:
        """For the log, as in `events +dam ~coup(any); after a restart [web]`."""
        parts = {"events": self.events, "sources": self.sources, "receivers": self.receivers}
        said = [f"{name} {difference}" for name, difference in parts.items() if any(difference)]
        said += [f"after a restart {' '.join(f'[{name}]' for name in self.restart)}"] if self.restart else []
        return "; ".join(said) or "nothing differs"


def changes(old: Settings, new: Settings) -> Changes:
    """What differs; a source or receiver differs also where its secret does."""
    return Changes(
        _difference(*(_with_secret(one.events, {}) for one in (old, new))),
        _difference(*(_with_secret(one.monitor.sources, one.source_secrets) for one in (old, new))),
        _difference(*(_with_secret(one.monitor.receivers, _words(one)) for one in (old, new))),
        tuple(name for name in FIXED if _fixed(old, name) != _fixed(new, name)),
    )


def applicable(old: Settings, new: Settings) -> Settings:
    """The new configuration with the old one's fixed tables."""
    monitor = msgspec.structs.replace(new.monitor, **{name: getattr(old.monitor, name) for name in FIXED})
    kept = {name: getattr(old, name) for name in ("store_url", "web_token", "actions_key", "author_key", "model")}
    return new._replace(monitor=monitor, **kept)


def _fixed(settings: Settings, name: str) -> object:
    """A table with the secret it names."""
    secrets = {
        "store": (settings.store_url, settings.author_key),
        "web": (settings.web_token,),
        "actions": (settings.actions_key,),
    }
    return getattr(settings.monitor, name), [secret.reveal() for secret in secrets.get(name, ()) if secret]


def _words(settings: Settings) -> dict[str, Secret]:
    """Receiver → its secret and its address, as far as that is one."""
    both = (settings.receiver_secrets, settings.receiver_addresses)
    named = {name for secrets in both for name in secrets}
    return {
        name: Secret("\0".join(secrets[name].reveal() if name in secrets else "" for secrets in both)) for name in named
    }


def _with_secret(configured: Iterable[object], secrets: Mapping[str, Secret]) -> dict[str, _One]:
    named = {str(getattr(one, "name", "")): one for one in configured}
    return {name: _One(one, secrets[name].reveal() if name in secrets else "") for name, one in named.items()}


def _difference(old: Mapping[str, _One], new: Mapping[str, _One]) -> Difference:
    changed = tuple(name for name in new if name in old and new[name] != old[name])
    return Difference(
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        changed,
        {name: (*_differing(old[name].set, new[name].set), *_renewed(old[name], new[name])) for name in changed},
    )


def _renewed(old: _One, new: _One) -> tuple[str, ...]:
    return () if hmac.compare_digest(old.secret.encode(), new.secret.encode()) else ("secret",)


def _differing(old: object, new: object, path: str = "") -> Iterator[str]:
    """The settings that differ, those of tables in tables by their whole path."""
    if isinstance(old, msgspec.Struct) and type(old) is type(new):
        for field in msgspec.structs.fields(old):
            inside = f"{path}.{field.encode_name}" if path else field.encode_name
            yield from _differing(getattr(old, field.name), getattr(new, field.name), inside)
    elif old != new:
        yield path or "kind"
