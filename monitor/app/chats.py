"""Settings of chats → the receivers they configure: one `match` arm per kind."""

from typing import assert_never

from aiohttp import ClientSession

from monitor.alert.receivers import mattermost, slack_hook, teams
from monitor.alert.receivers.apprise import Apprise, AppriseSettings
from monitor.alert.receivers.discord import Discord, DiscordSettings
from monitor.alert.receivers.incoming import Incoming
from monitor.alert.receivers.mail import Mail, MailSettings
from monitor.alert.receivers.matrix import Matrix, MatrixSettings
from monitor.alert.receivers.mattermost import MattermostSettings
from monitor.alert.receivers.receiver import Receiver
from monitor.alert.receivers.slack_bot import SlackBot, SlackBotSettings
from monitor.alert.receivers.slack_hook import SlackHookSettings
from monitor.alert.receivers.teams import TeamsSettings
from monitor.alert.receivers.telegram import Telegram, TelegramSettings
from monitor.clock import Clock

Hooks = SlackHookSettings | DiscordSettings | MattermostSettings | TeamsSettings | AppriseSettings
Bots = SlackBotSettings | MatrixSettings | TelegramSettings


def chat(configured: Hooks | Bots | MailSettings, word: str, session: ClientSession, clock: Clock) -> Receiver:
    """The chat of a configured one; `word` is its address, token or password, as settings found it, or "" for none."""
    if isinstance(configured, MailSettings):
        return Mail(configured, word or None, clock)
    if isinstance(configured, Bots):
        return _bot(configured, word, session, clock)
    return _hook(configured, word, session, clock)


def _hook(configured: Hooks, url: str, session: ClientSession, clock: Clock) -> Receiver:
    match configured:
        case SlackHookSettings():
            return Incoming(configured, url, slack_hook.encoded, session, clock)
        case DiscordSettings():
            return Discord(configured, url, session, clock)
        case MattermostSettings():
            return Incoming(configured, url, mattermost.encoded, session, clock)
        case AppriseSettings():
            return Apprise(configured, url)
        case TeamsSettings():
            return Incoming(configured, url, teams.encoded, session, clock)
        case _:
            assert_never(configured)


def _bot(configured: Bots, token: str, session: ClientSession, clock: Clock) -> Receiver:
    match configured:
        case MatrixSettings():
            return Matrix(configured, token, session, clock)
        case SlackBotSettings():
            return SlackBot(configured, token, session, clock)
        case TelegramSettings():
            return Telegram(configured, token, session, clock)
        case _:
            assert_never(configured)
