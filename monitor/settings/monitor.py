"""What `monitor.toml` may say, and what comes of it together with the event files and the environment."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct, field

from monitor.alert.receivers.alertmanager import AlertmanagerSettings
from monitor.alert.receivers.apprise import AppriseSettings
from monitor.alert.receivers.discord import DiscordSettings
from monitor.alert.receivers.file import FileSettings
from monitor.alert.receivers.mail import MailSettings
from monitor.alert.receivers.matrix import MatrixSettings
from monitor.alert.receivers.mattermost import MattermostSettings
from monitor.alert.receivers.mqtt import MqttSettings
from monitor.alert.receivers.slack_bot import SlackBotSettings
from monitor.alert.receivers.slack_hook import SlackHookSettings
from monitor.alert.receivers.teams import TeamsSettings
from monitor.alert.receivers.telegram import TelegramSettings
from monitor.alert.receivers.terminal import TerminalSettings
from monitor.alert.receivers.webhook import WebhookSettings
from monitor.collect.bluesky_settings import BlueskySource
from monitor.collect.factcheck import FactcheckSource
from monitor.collect.file import FileSource
from monitor.collect.gdelt import GdeltSource
from monitor.collect.ingest import IngestSource
from monitor.collect.mastodon_settings import MastodonSource
from monitor.collect.mqtt import MqttSource
from monitor.collect.reddit import RedditSource
from monitor.collect.rss import RssSource
from monitor.collect.telegram_settings import TelegramSource
from monitor.collect.x_settings import XSource
from monitor.collect.youtube import YoutubeSource
from monitor.watched import Duration, Event, Lifetime

Polled = RssSource | TelegramSource | FactcheckSource | XSource | RedditSource | YoutubeSource | GdeltSource
"""Sources that ask platforms for what the events need."""

Source = FileSource | MqttSource | IngestSource | BlueskySource | MastodonSource | Polled
"""Every kind of source, told apart by `kind`."""

Receiver = (
    WebhookSettings
    | TerminalSettings
    | FileSettings
    | MqttSettings
    | AlertmanagerSettings
    | SlackHookSettings
    | SlackBotSettings
    | DiscordSettings
    | MatrixSettings
    | MattermostSettings
    | TelegramSettings
    | TeamsSettings
    | MailSettings
    | AppriseSettings
)
"""Every kind of receiver, told apart by `kind`."""


class AuthorNames(StrEnum):
    """How authors are kept."""

    HASHED = "hashed"
    PLAIN = "plain"


class RetentionSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[store.retention]`: how long what is kept; `forever`, or a day and more."""

    texts: Lifetime = Lifetime(days=180)
    """Text, author and links of a mention, from when it was seen; alerts and cards that wait lose them too."""
    mentions: Lifetime = Lifetime(days=730)
    """What is left of a mention then: tag, narrative, times, numbers; never shorter than `texts` in effect."""
    alerts: Lifetime = Lifetime(days=730)
    """A resolved alert with its evidence, acknowledgements and answers, from when it was resolved."""
    deliveries: Lifetime = Lifetime(days=90)
    """A notification that was sent or given up; what waits, and what is the last of an open alert, stays."""
    decisions: Lifetime = Lifetime(days=730)
    """What people decided: statuses but a narrative's last, silences, merges, reviews, and who corrected a tag."""


class StoreSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[store]`: where everything that must survive is kept."""

    url: str = "sqlite:///var/monitor.sqlite"
    """The database: `sqlite:///FILE`, or `postgresql://HOST/NAME` without a password."""
    url_env: str | None = None
    """Environment variable that holds the URL instead, password and all."""
    url_file: str | None = None
    """File that holds it, as an alternative to `url_env`."""
    archive: bool = True
    """Keeps every mention; false keeps only state, alerts and resume points."""
    authors: AuthorNames = AuthorNames.HASHED
    """`hashed` replaces every author but registered voices by a keyed hash before anything is done with a post."""
    author_key_env: str | None = None
    """Environment variable with the key of that hash: 32 characters or more that nobody can guess."""
    author_key_file: str | None = None
    """File with that key; with neither, one is made at the first start, beside the folder of `[pipeline] in_hand`."""
    retention: RetentionSettings = RetentionSettings()
    """How long what is kept."""


class WebSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[web]`: health, metrics, ingest and the JSON API over HTTP."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    """Address to listen on; any other than this machine's own (loopback) needs a token."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 9464
    """Port to listen on."""
    token_env: str | None = None
    """Environment variable with the token that requests must carry (`Authorization: Bearer …`)."""
    token_file: str | None = None
    """File with that token, as an alternative to `token_env`."""
    most_series: Annotated[int, Meta(ge=0, le=100_000)] = 1000
    """Series of readings for dashboards on /metrics – races, spikes, fast narratives – at most; the rest is counted."""


class ActionsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[actions]`: links on cards by which people act; there are none without a `url`."""

    url: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*[^\s?#/])?$(?!\n)",
                max_length=100,
                description="an address such as https://monitor.example.org, without a slash at its end",
            ),
        ]
        | None
    ) = None
    """Where the people who read cards reach this monitor: a proxy that hands on `/actions/`, or this machine's own."""
    key_env: str | None = None
    """Environment variable with the key that signs links: 32 characters or more that nobody can guess."""
    key_file: str | None = None
    """File with that key, as an alternative to `key_env`; one of the two is needed with a `url`."""
    lasts: Duration = Duration(days=2)
    """A link leads nowhere once its alert's step is this old."""


class TaggerSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[tagger]`: what tells claims from denials."""

    model: str = ""
    """The model artifact, a file `.npz`; empty means the one that ships."""


class PipelineSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[pipeline]`: how posts are gathered into batches."""

    batch_posts: Annotated[int, Meta(ge=1, le=100_000)] = 4096
    """A batch closes at this many posts,"""
    batch_interval: Duration = Duration(milliseconds=250)
    """… or when it has been open this long."""
    queue_posts: Annotated[int, Meta(ge=1, le=1_000_000)] = 16_384
    """Posts that may wait for the next batch; when so many wait, the sources wait too."""
    in_hand: str = "var/in-hand"
    """Folder of the note of what is being worked on, and of payloads set aside because the monitor crashed on them."""


class BoardSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[board]`: all watched events together."""

    false_alarms_per_day: Annotated[float, Meta(gt=0, le=1000)] | None = None
    """At most so many false alarms a day by spikes of all events: each count that alerts has an equal share of it."""


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a line of the log looks."""

    TEXT = "text"
    JSON = "json"


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[log]`: the process's log on standard error."""

    level: LogLevel = LogLevel.INFO
    """The least important lines that are written: `debug`, `info`, `warning` or `error`."""
    format: LogFormat = LogFormat.TEXT
    """`text` for people, `json` for log collectors."""


class Monitor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`monitor.toml`, the operator's file beside the event files."""

    store: StoreSettings = StoreSettings()
    """Where everything that must survive is kept."""
    web: WebSettings = WebSettings()
    """Health, metrics, ingest and the JSON API over HTTP."""
    actions: ActionsSettings = ActionsSettings()
    """Links on cards by which people act."""
    tagger: TaggerSettings = TaggerSettings()
    """What tells claims from denials."""
    pipeline: PipelineSettings = PipelineSettings()
    """How posts are gathered into batches."""
    board: BoardSettings = BoardSettings()
    """All watched events together."""
    log: LogSettings = LogSettings()
    """The process's log on standard error."""
    sources: tuple[Source, ...] = field(name="source", default=())
    """Where posts come from, one `[[source]]` each."""
    receivers: tuple[Receiver, ...] = field(name="receiver", default=())
    """Who is told of alerts, one `[[receiver]]` each."""


class Secret:
    """A word that must not reach a log: only `reveal` shows it."""

    __slots__ = ("_word",)

    def __init__(self, word: str) -> None:
        self._word = word

    def reveal(self) -> str:
        """The word itself."""
        return self._word

    def __repr__(self) -> str:
        """Does not show it."""
        return "Secret(…)"


class Web(NamedTuple):
    """`[web]`, and its token where it has one."""

    web: WebSettings
    token: Secret | None


class ServiceSettings(NamedTuple):
    """What a service manager asked for, through the environment it started the monitor with."""

    socket: str = ""
    """Where it wants to be told; "" for nowhere."""
    watchdog: timedelta | None = None
    """It restarts a monitor that gives no sign of life for so long."""


class Settings(NamedTuple):
    """A whole configuration, read and checked."""

    directory: Path
    """Where its files are."""
    monitor: Monitor
    events: tuple[Event, ...]
    """In order of name."""
    store_url: Secret
    """The database, password and all."""
    web_token: Secret | None
    """What requests must carry, or None on loopback."""
    source_secrets: Mapping[str, Secret]
    """Source → its secret, for those that have one."""
    receiver_secrets: Mapping[str, Secret]
    """Receiver → its secret, for those that have one."""
    receiver_addresses: Mapping[str, Secret]
    """Receiver → its address, where that is a secret beside another one."""
    model: Path
    """The tagger's artifact."""
    actions_key: Secret | None = None
    """What signs links, or None without any."""
    signing_secrets: Mapping[str, Secret] = MappingProxyType({})
    """Receiver → what its chat signs with, for those whose buttons come back to us."""
    author_key: Secret | None = None
    """The key by which authors are hashed, where the configuration names one."""
    service: ServiceSettings = ServiceSettings()
    """The service manager that started the monitor."""
