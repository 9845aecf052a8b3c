"""What the types cannot say of sources that ask platforms over HTTP."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from monitor.collect.bluesky_connect import BlueskyWire
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.http_settings import HttpSource
from monitor.collect.mastodon_settings import MastodonSource
from monitor.settings.readable import unreadable
from monitor.settings.sentences import shown
from monitor.web.access import is_loopback


def of_source(source: HttpSource, path: str) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in a source that speaks HTTP."""
    if not source.timeout:
        yield f'{path}.timeout: no time at all, nothing could be answered; write a length of time, as in "30s"'
    yield from _of_addresses(source, path)
    if isinstance(source, BlueskySource):
        yield from _of_bluesky(source, path)
    if isinstance(source, MastodonSource):
        yield from _of_mastodon(source, path)


def _of_addresses(source: HttpSource, path: str) -> Iterator[str]:
    """A token must not travel in the clear."""
    has_token = any(getattr(source, name, None) for name in ("token_env", "token_file", "secret_env", "secret_file"))
    for field in msgspec.structs.fields(source):
        address = getattr(source, field.name)
        if not has_token or not isinstance(address, str) or not address.startswith("http://"):
            continue
        if not is_loopback(urlsplit(address).hostname or ""):
            where = f"{path}.{field.encode_name}"
            yield f"{where}: {shown(address)} would get the token in the clear; write https://"


def _of_bluesky(source: BlueskySource, path: str) -> Iterator[str]:
    if not source.stale:
        yield f'{path}.stale: no time at all, no connection would last; write a length of time, as in "1m"'
    if source.packed and source.wire is BlueskyWire.V1 and source.dictionary is None:
        yield f"{path}.dictionary: is missing; version 1 packs with a dictionary that it does not hand out"
    if source.dictionary is not None and (why := unreadable(source.dictionary)):
        where = f"{path}.dictionary: cannot read {shown(source.dictionary)} ({why})"
        yield f"{where}; write the path of a file, or leave it out"
    password = source.password_env is not None or source.password_file is not None
    if source.login is not None and not password:
        yield f"{path}.login: has no password; name where an app password is with password_env or password_file"
    if source.login is None and password:
        yield f"{path}.login: is missing; name the account that the password is of"
    address = urlsplit(source.service)
    if password and address.scheme == "http" and not is_loopback(address.hostname or ""):
        yield f"{path}.service: {shown(source.service)} would get the password in the clear; write https://"


def _of_mastodon(source: MastodonSource, path: str) -> Iterator[str]:
    if not source.tags and not source.public:
        yield f'{path}.tags: is empty, nothing would be read; write hashtags, as in ["flood"], or public = true'
    if source.token_env is None and source.token_file is None:
        yield f"{path}: no token, and streams ask for one; name where it is with token_env or token_file"
