"""Alerts as they stood when they fired first: the frozen evidence. A deletion takes text out of it as everywhere."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, bindparam, select, update

from monitor.records import Alert, AlertState
from monitor.store.alerts import alert_from_json, alert_to_json, portions, without
from monitor.store.dialect import insert_new
from monitor.store.schema import alerts, fired

_REWRITE = update(fired).where(fired.c.alert_id == bindparam("of")).values(json=bindparam("json"))


def put(connection: Connection, steps: Sequence[Alert]) -> None:
    """Keeps the first firing step of each alert."""
    rows = [{"alert_id": one.id, "json": alert_to_json(one)} for one in steps if one.state is AlertState.FIRING]
    if rows:
        connection.execute(insert_new(connection.dialect, fired, ["alert_id"]), rows)


def read(connection: Connection, alert: str) -> tuple[Alert, Alert | None] | None:
    """The last step of an alert, and the step at which it fired first; None if there is no alert of this id."""
    found = select(alerts.c.json, fired.c.json.label("then")).outerjoin(fired, fired.c.alert_id == alerts.c.id)
    row = connection.execute(found.where(alerts.c.id == alert)).first()
    return None if row is None else (alert_from_json(row.json), alert_from_json(row.then) if row.then else None)


def erase(connection: Connection, touched: Sequence[str], gone: AbstractSet[int]) -> None:
    """Takes deleted mentions out of these alerts."""
    for some in portions(touched):
        found = connection.execute(select(fired.c.alert_id, fired.c.json).where(fired.c.alert_id.in_(some))).all()
        if found:
            connection.execute(_REWRITE, [{"of": of, "json": without(text, gone)} for of, text in found])
