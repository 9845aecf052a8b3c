"""How the settings of chats fit together."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from zoneinfo import ZoneInfo

from monitor.alert.receivers.apprise import AppriseSettings
from monitor.alert.receivers.chat import Bot, Chat, Hook
from monitor.alert.receivers.mail import Encryption, MailSettings
from monitor.alert.receivers.webhook import WebhookSettings
from monitor.settings.readable import unreadable
from monitor.settings.sentences import choice, shown

RULES = ("race", "spike", "volume", "celebration", "quiet")
"""What can be urgent: the rules of alerts."""
_APPRISE = re.compile(r"[a-z][a-z0-9]*://\S+", re.ASCII)
_ADDRESS = re.compile(r"https?://[^\s/@]+/\S*", re.ASCII)


def of_chat(receiver: Chat, path: str) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in a chat whose types are right."""
    if isinstance(receiver, Hook) and receiver.url_env is None and receiver.url_file is None:
        yield f"{path}: no address, and it is a secret; name where it is with url_env or url_file"
    if isinstance(receiver, Bot) and receiver.token_env is None and receiver.token_file is None:
        yield f"{path}: no token; name where it is with token_env or token_file"
    if isinstance(receiver, AppriseSettings) and find_spec("apprise") is None:
        yield f"{path}.kind: Apprise is not installed; install it with: pip install virality-monitor[apprise]"
    if isinstance(receiver, MailSettings):
        yield from _of_mail(receiver, path)
    yield from _of_quiet(receiver, path)
    try:
        ZoneInfo(receiver.zone)
    except (KeyError, ValueError, OSError):
        yield f'{path}.zone: {shown(receiver.zone)} is no time zone; write one such as "UTC" or "Asia/Kabul"'


def of_webhook(receiver: WebhookSettings, path: str) -> Iterator[str]:
    """Yields `path: sentence` where it is not said once where the webhook is."""
    named = [name for name in ("url", "url_env", "url_file") if getattr(receiver, name) is not None]
    if not named:
        yield f"{path}: no address; write url, or name where it is with url_env or url_file if it is a secret"
    if len(named) > 1 and "url" in named:
        yield f"{path}: {' and '.join(named)} are both set; keep one"


def _of_quiet(receiver: Chat, path: str) -> Iterator[str]:
    for i, hours in enumerate(receiver.quiet_hours):
        begins, ends = hours.split("-")
        if begins == ends:
            yield f"{path}.quiet_hours[{i}]: begins when it ends; write two times that differ, as in 23:00-07:00"
    for i, rule in enumerate(receiver.urgent):
        if rule not in RULES:
            yield f"{path}.urgent[{i}]: {choice(rule, RULES)}"
    if receiver.urgent and not receiver.quiet_hours:
        yield f"{path}.urgent: nothing is held back without quiet_hours; set them, or leave this out"


def _of_mail(receiver: MailSettings, path: str) -> Iterator[str]:
    password = receiver.password_env is not None or receiver.password_file is not None
    if password != (receiver.username is not None):
        yield f"{path}: a username and a password belong together; set both, or none"
    if password and receiver.encryption is Encryption.NONE:
        yield f'{path}.encryption: a password would travel in the clear; write "starttls" or "tls"'
    if receiver.ca_file is not None and (why := unreadable(receiver.ca_file)):
        yield f"{path}.ca_file: cannot read {shown(receiver.ca_file)} ({why}); write the path of a file"


def of_address(receiver: object, url: str, path: str) -> Iterator[str]:
    """Yields `path: sentence` if `url`, which is a secret and is not shown, is no address that the receiver takes."""
    if isinstance(receiver, AppriseSettings):
        if not _APPRISE.fullmatch(url):
            yield f"{path}: it holds no address of Apprise; put one such as pover://user@token there, and nothing else"
    elif not _ADDRESS.fullmatch(url):
        yield f"{path}: it holds no web address; put https://… there, as the chat shows it"
