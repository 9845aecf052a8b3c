"""What the types of a configuration cannot say: how its settings fit together."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from monitor.alert.receivers.alertmanager import AlertmanagerSettings
from monitor.alert.receivers.chat import Chat
from monitor.alert.receivers.file import FileSettings
from monitor.alert.receivers.mqtt import MqttSettings
from monitor.alert.receivers.webhook import WebhookSettings
from monitor.collect.file import FileSource
from monitor.collect.http_settings import HttpSource
from monitor.collect.ingest import IngestSource
from monitor.collect.mqtt import MqttSource
from monitor.settings import checks_chats, checks_mqtt, checks_polls, checks_sources, checks_voices
from monitor.settings.monitor import ActionsSettings, Monitor, Receiver, RetentionSettings, StoreSettings
from monitor.settings.readable import unreadable
from monitor.settings.sentences import choice, shown, written
from monitor.watched import Event, Lifetime
from monitor.web.access import is_loopback

EVERY_POST = "*"
SHORTEST_KEY = 32
SHORTEST_LIFE = timedelta(days=1)
ALERTING = checks_chats.RULES
"""The findings that can become alerts."""

_DATABASES = re.compile(r"^(sqlite|postgresql)(\+[a-z0-9]+)?://")


def of_event(event: Event) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in an event whose types are right."""
    if EVERY_POST in event.any and event.any != (EVERY_POST,):
        yield '$.any: "*" already takes every post; write any = ["*"] alone, or leave it out'
    for name in ("all", "none"):
        yield from _of_terms(getattr(event, name), f"$.{name}")
    if event.any != (EVERY_POST,):
        yield from _of_terms([term for term in event.any if term != EVERY_POST], "$.any")
    for name in ("people", "places"):
        for key, spellings in getattr(event, name).items():
            yield from _of_terms((key, *spellings), f'$.{name}."{key}"')
    yield from _of_times(event)
    yield from checks_voices.of_voices(event.voices)
    for i, finding in enumerate(event.rules.alert_on):
        if finding not in ALERTING:
            yield f"$.rules.alert_on[{i}]: {choice(finding, ALERTING)}"


def of_monitor(monitor: Monitor) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in a `monitor.toml` whose types are right."""
    yield from of_database(monitor.store.url, "$.store.url")
    yield from _of_retention(monitor.store.retention)
    if _has_password(monitor.store.url):
        yield "$.store.url: carries a password; put the URL elsewhere and name where it is with url_env or url_file"
    if not is_loopback(monitor.web.host) and monitor.web.token_env is None and monitor.web.token_file is None:
        where = f"{monitor.web.host!r} is open to other machines"
        yield f'$.web.host: {where}; name a token with token_env or token_file, or listen on "127.0.0.1"'
    yield from _of_actions(monitor.actions)
    if monitor.tagger.model:
        yield from _of_file(monitor.tagger.model, "$.tagger.model", "leave the setting out for the model that ships")
    yield from _of_names([source.name for source in monitor.sources], "$.source")
    yield from _of_names([receiver.name for receiver in monitor.receivers], "$.receiver")
    if not monitor.pipeline.batch_interval:
        yield '$.pipeline.batch_interval: no time at all; write how long a batch may stay open, as in "250ms"'
    for i, receiver in enumerate(monitor.receivers):
        yield from _of_receiver(receiver, f"$.receiver[{i}]")
    yield from checks_mqtt.of_client_ids(monitor.sources, monitor.receivers)
    yield from _of_sources(monitor)


def _of_actions(actions: ActionsSettings) -> Iterator[str]:
    keyed = actions.key_env is not None or actions.key_file is not None
    if actions.url is not None and not keyed:
        yield "$.actions: links are signed, and there is no key; name where it is with key_env or key_file"
    if keyed and actions.url is None:
        yield "$.actions: a key without a url makes no links; write where people reach the monitor, as url"
    if not actions.lasts:
        yield '$.actions.lasts: no time at all, every link would lead nowhere; write a length of time, as in "2d"'


def of_key(key: str, actions: ActionsSettings) -> Iterator[str]:
    """Yields `path: sentence` if `key`, which is a secret and is not shown, could be guessed."""
    if len(key) < SHORTEST_KEY:
        where = "key_env" if actions.key_env is not None else "key_file"
        advice = "make one with `openssl rand -hex 32`"
        yield f"$.actions.{where}: the key is shorter than {SHORTEST_KEY} characters; {advice}"


def of_author_key(key: str, store: StoreSettings) -> Iterator[str]:
    """Yields `path: sentence` if the key that hashes authors, which is a secret and is not shown, could be guessed."""
    if len(key) < SHORTEST_KEY:
        where = "author_key_env" if store.author_key_env is not None else "author_key_file"
        advice = "make one with `openssl rand -hex 32`"
        yield f"$.store.{where}: the key is shorter than {SHORTEST_KEY} characters; {advice}"


def _of_retention(retention: RetentionSettings) -> Iterator[str]:
    for field in msgspec.structs.fields(retention):
        lasts: Lifetime = getattr(retention, field.name)
        if lasts < SHORTEST_LIFE:
            short = f"{written(lasts)!r} is less than a day"
            yield f'$.store.retention.{field.name}: {short}; write 1d or more, or "forever"'


def of_database(url: str, path: str) -> Iterator[str]:
    """Yields `path: sentence` if `url`, which may hold a password and is not shown, names no database."""
    if not _DATABASES.match(url):
        yield f'{path}: no database URL; write "sqlite:///FILE" or "postgresql://HOST/NAME"'


def of_receivers(event: Event, known: Sequence[str]) -> Iterator[str]:
    """Yields `path: sentence` for each receiver `event` names that is none of `known`."""
    for i, name in enumerate(event.receivers):
        if name not in known:
            said = choice(name, known) if known else f"{name!r} does not exist; monitor.toml has no [[receiver]]"
            yield f"$.receivers[{i}]: {said}"


def _of_sources(monitor: Monitor) -> Iterator[str]:
    for i, source in enumerate(monitor.sources):
        if isinstance(source, FileSource) and not source.follow:
            yield from _of_file(source.path, f"$.source[{i}].path", "follow = true waits for it to appear")
        if isinstance(source, MqttSource):
            yield from checks_mqtt.of_source(source, f"$.source[{i}]")
        if isinstance(source, HttpSource):
            yield from checks_sources.of_source(source, f"$.source[{i}]")
            yield from checks_polls.of_source(source, f"$.source[{i}]")
        if isinstance(source, IngestSource):
            yield from _of_ingest(source, f"$.source[{i}]", is_loopback(monitor.web.host))


def _of_receiver(receiver: Receiver, path: str) -> Iterator[str]:
    if isinstance(receiver, MqttSettings):
        yield from checks_mqtt.of_receiver(receiver, path)
    if isinstance(receiver, Chat):
        yield from checks_chats.of_chat(receiver, path)
    if isinstance(receiver, WebhookSettings):
        yield from checks_chats.of_webhook(receiver, path)
    for name in ("timeout", "deadline", *(("again",) if isinstance(receiver, AlertmanagerSettings) else ())):
        if not getattr(receiver, name):
            yield f'{path}.{name}: no time at all, nothing could be delivered; write a length of time, as in "10s"'
    if isinstance(receiver, FileSettings) and not Path(receiver.path).parent.is_dir():
        folder = Path(receiver.path).parent
        yield f"{path}.path: the folder {str(folder)!r} does not exist; create it, or write another path"


def _of_ingest(source: IngestSource, path: str, local: bool) -> Iterator[str]:  # noqa: FBT001 -- said by name at the call
    if not local and source.secret_env is None and source.secret_file is None:
        where = "other machines may send posts"
        yield f'{path}: {where}; name a secret with secret_env or secret_file, or let [web] listen on "127.0.0.1"'
    for name in ("window", "read_timeout", "answer_timeout"):
        if not getattr(source, name):
            yield f'{path}.{name}: no time at all, every request would be refused; write a length of time, as in "30s"'


def _of_terms(terms: Sequence[str], path: str) -> Iterator[str]:
    for term in terms:
        letters = [letter for letter in unicodedata.normalize("NFKC", term) if _counts(letter)]
        if term == EVERY_POST:
            yield f'{path}: "*" stands alone in any, and nowhere else; write a word'
        elif not letters:
            yield f"{path}: {shown(term)} has no letter or digit and would match nothing; write a word or leave it out"
        elif len(letters) == 1 and unicodedata.category(letters[0]) != "So" and not _is_word(letters[0]):
            yield f"{path}: {shown(term)} is a single letter and would match far too much; write a whole word"


def _counts(letter: str) -> bool:
    """Whether `letter` can be looked for: no mark, no mere filler such as tatweel."""
    return unicodedata.category(letter) in {"Lu", "Ll", "Lt", "Lo", "Nd", "Nl", "No", "So"}


def _is_word(letter: str) -> bool:
    """Whether one letter of this script can be a word."""
    return unicodedata.name(letter, "").startswith("CJK")


def _of_times(event: Event) -> Iterator[str]:
    naive = False
    for name in ("starts_at", "ends_at"):
        time = getattr(event, name)
        if time is not None and time.tzinfo is None:
            naive = True
            yield f"$.{name}: {time.isoformat()} has no time zone; write {time.isoformat()}Z for UTC"
    if naive or event.starts_at is None or event.ends_at is None:
        return
    if event.starts_at >= event.ends_at:
        end = event.ends_at.isoformat()
        yield f"$.starts_at: {event.starts_at.isoformat()} is not before ends_at ({end}); exchange or correct them"


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:
        return False


def _of_file(name: str, path: str, otherwise: str) -> Iterator[str]:
    if why := unreadable(name):
        yield f"{path}: cannot read {shown(name)} ({why}); write the path of a file, or {otherwise}"


def _of_names(names: Sequence[str], path: str) -> Iterator[str]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield f"{path}[{i}].name: {name!r} is taken by {path}[{names.index(name)}]; give each a name of its own"
