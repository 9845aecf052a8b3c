"""Builds the dashboards in `dashboards/`: what they show stands here, their JSON is made. `make dashboards` runs it."""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import DataSourceRef, StackingMode
from grafana_foundation_sdk.models.dashboard import VariableRefresh
from newsroom import NEWSROOM
from operations import OPERATIONS
from panel import Panel

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
HEIGHT = 8
"""Of a panel, in the grid's units; a row is 24 wide."""


def built() -> dict[str, str]:
    """File name → JSON, of every dashboard."""
    firing = AnnotationQuery().name("Alerts").datasource(SOURCE).enable(enable=True).icon_color("red")
    begins = 'changes(monitor_alerts_total{state="firing", event=~"$event"}[1m]) > 0'
    firing = firing.target(prometheus.Dataquery().expr(begins).ref_id("Anno"))
    firing = firing.title_format("{{rule}} alert of {{event}}")
    event = (
        QueryVariable("event").label("Event").datasource(SOURCE).query("label_values(monitor_event_warming_up, event)")
    )
    event = event.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).multi(multi=True).include_all(include_all=True)
    newsroom = _dashboard("virality-newsroom", "Virality monitor: newsroom", NEWSROOM)
    operations = _dashboard("virality-operations", "Virality monitor: operations", OPERATIONS)
    return {
        "newsroom.json": _json(newsroom.with_variable(event).annotation(firing)),
        "operations.json": _json(operations),
    }


def _dashboard(uid: str, title: str, rows: dict[str, tuple[Panel, ...]]) -> Dashboard:
    source = DatasourceVariable("source").label("Prometheus").type("prometheus")
    made = Dashboard(title).uid(uid).tags(["virality-monitor"]).refresh("30s").time("now-6h", "now").timezone("utc")
    made = made.editable().with_variable(source)
    for heading, panels in rows.items():
        made = made.with_row(Row(heading))
        for panel in panels:
            made = made.with_panel(_panel(panel))
    return made


def _panel(panel: Panel) -> "stat.Panel | timeseries.Panel":
    made: stat.Panel | timeseries.Panel = stat.Panel() if panel.now else timeseries.Panel()
    made = made.title(panel.title).description(panel.about).datasource(SOURCE).unit(panel.unit)
    made = made.height(4 if panel.now else HEIGHT).span(panel.width)
    if isinstance(made, timeseries.Panel):
        made = made.min(0) if panel.stacked else made
        if panel.stacked:
            made = made.stacking(common.StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(30)
    for query, legend in panel.queries:
        made = made.with_target(prometheus.Dataquery().expr(query).legend_format(legend or "__auto"))
    return made


def _json(made: Dashboard) -> str:
    """As Grafana takes it: the builder gives every variable what only those of intervals have."""
    whole = json.loads(JSONEncoder().encode(made.build()))
    for variable in whole["templating"]["list"]:
        for name in ("auto", "auto_count", "auto_min"):
            variable.pop(name, None)
    return json.dumps(whole, sort_keys=True, indent=2) + "\n"


def main() -> int:
    """Writes the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in built().items():
        (FOLDER / name).write_text(text, "utf-8")
        sys.stdout.write(f"{FOLDER / name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
