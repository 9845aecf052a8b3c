"""How the settings of chats fit together."""

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from monitor.alert.receivers.chat import Bot, Chat, Hook
from monitor.settings.sentences import shown

_ADDRESS = re.compile(r"https?://[^\s/@]+/\S*", re.ASCII)


def of_chat(receiver: Chat, path: str) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in a chat whose types are right."""
    if isinstance(receiver, Hook) and receiver.url_env is None and receiver.url_file is None:
        yield f"{path}: no address, and it is a secret; name where it is with url_env or url_file"
    if isinstance(receiver, Bot) and receiver.token_env is None and receiver.token_file is None:
        yield f"{path}: no token; name where it is with token_env or token_file"
    try:
        ZoneInfo(receiver.zone)
    except (KeyError, ValueError, OSError):
        yield f'{path}.zone: {shown(receiver.zone)} is no time zone; write one such as "UTC" or "Asia/Kabul"'


def of_address(url: str, path: str) -> Iterator[str]:
    """Yields `path: sentence` if `url`, which is a secret and is not shown, is no address to post to."""
    if not _ADDRESS.fullmatch(url):
        yield f"{path}: it holds no web address; put https://… there, as the chat shows it"
