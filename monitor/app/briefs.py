"""The brief of an alert from what the archive keeps of it."""

from datetime import datetime

from monitor.alert.export import Brief, brief
from monitor.store.reader import Reader
from monitor.web.refused import refuse


def brief_of(reader: Reader, alert: str, made_at: datetime, *, authors: bool) -> Brief:
    """The brief of the alert of an id; refused where there is none."""
    known = reader.fired(alert)
    if known is None:
        raise refuse(404, "unknown_alert", "there is no alert of this id; list the alerts for theirs")
    return brief(*known, made_at, authors=authors)
