"""What the office works with, behind all that it answers."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from monitor import settings
from monitor.app.desk import Desk
from monitor.app.event_files import Reload
from monitor.clock import Clock
from monitor.metrics import Metrics
from monitor.pipeline import Intake
from monitor.store.reader import Reader
from monitor.store.worker import StoreWorker
from monitor.web.pages import SourceHealth


class Hands(NamedTuple):
    """What the office works with."""

    configured: Callable[[], settings.Settings]
    health: Callable[[], Sequence[SourceHealth]]
    intake: Intake
    worker: StoreWorker
    desk: Desk
    reader: Reader
    clock: Clock
    reload: Reload
    metrics: Metrics
    wake: Callable[[], None]
    """Says that the outbox has new rows."""
