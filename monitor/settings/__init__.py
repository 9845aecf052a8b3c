"""TOML files → frozen settings: the only reader of configuration and environment."""

from monitor.settings.files import load, load_event, load_retention, load_store, load_web, packaged_model, parse_event
from monitor.settings.monitor import (
    ActionsSettings,
    AuthorNames,
    LogFormat,
    LogLevel,
    LogSettings,
    Monitor,
    PipelineSettings,
    Receiver,
    RetentionSettings,
    Secret,
    ServiceSettings,
    Settings,
    Source,
    StoreSettings,
    TaggerSettings,
    WebSettings,
)
from monitor.settings.schema import schema

__all__ = [
    "ActionsSettings",
    "AuthorNames",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "Monitor",
    "PipelineSettings",
    "Receiver",
    "RetentionSettings",
    "Secret",
    "ServiceSettings",
    "Settings",
    "Source",
    "StoreSettings",
    "TaggerSettings",
    "WebSettings",
    "load",
    "load_event",
    "load_retention",
    "load_store",
    "load_web",
    "packaged_model",
    "parse_event",
    "schema",
]
