"""What a service manager says in the environment of a service that it starts (sd_notify, sd_watchdog_enabled)."""

import os
from collections.abc import Mapping
from datetime import timedelta

from monitor.settings.monitor import ServiceSettings


def of_service(environ: Mapping[str, str]) -> ServiceSettings:
    """Where it wants to be told, and how often; what is not meant for this process or not understood is left out."""
    socket = environ.get("NOTIFY_SOCKET", "")
    if not socket.startswith(("/", "@")):
        return ServiceSettings()
    time = environ.get("WATCHDOG_USEC", "")
    meant = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    watched = meant and time.isascii() and time.isdecimal() and 0 < len(time) <= len("31536000000000")
    return ServiceSettings(socket, timedelta(microseconds=int(time)) if watched and int(time) else None)
