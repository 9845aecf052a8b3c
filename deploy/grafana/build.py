"""Builds the dashboards in `dashboards/`: what they show stands here, their JSON is made. `make dashboards` runs it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, Dashboard, DatasourceVariable, QueryVariable, Row
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import DataSourceRef, StackingMode
from grafana_foundation_sdk.models.dashboard import VariableRefresh

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
HEIGHT = 8
"""Of a panel, in the grid's units; a row is 24 wide."""


class Panel(NamedTuple):
    """A title, what it shows for whom, and its queries with the legend of each."""

    title: str
    about: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    width: int = 12
    stacked: bool = False
    now: bool = False
    """The last value, large, instead of a line."""


NEWSROOM = {
    "The race: claims against denials": (
        Panel(
            "Original claims and denials",
            "Of the event's foremost narrative. Claims that run away from denials are what alerts are about.",
            (
                ('monitor_race_claims{event=~"$event"}', "{{event}} claims"),
                ('monitor_race_denials{event=~"$event"}', "{{event}} denials"),
            ),
        ),
        Panel(
            "Evidence that claims outrun denials",
            "ln E of that race; an alert needs it above the threshold on its card, for as long as the rules ask.",
            (('monitor_race_evidence{event=~"$event"}', "{{event}}"),),
        ),
        Panel(
            "Posts in ten minutes, and what is normal",
            "Far above normal is a spike, if the score beside it says so too.",
            (
                ('monitor_spike_posts{event=~"$event"}', "{{event}}"),
                ('monitor_spike_expected_posts{event=~"$event"}', "{{event}} normally"),
            ),
        ),
        Panel(
            "Spike score",
            "How far above normal an event is; its own past sets the bar.",
            (('monitor_spike_score{event=~"$event"}', "{{event}}"),),
        ),
    ),
    "What is said": (
        Panel(
            "Mentions per minute by tag",
            "Everything that speaks of the event, reposts and copies included.",
            (('60 * sum by (tag) (monitor:mentions:rate5m{event=~"$event"})', "{{tag}}"),),
            stacked=True,
        ),
        Panel(
            "Mentions per minute by event",
            "Which event is loud now.",
            (("60 * sum by (event) (monitor:mentions:rate5m)", "{{event}}"),),
        ),
        Panel(
            "Celebration reports and questions per minute",
            "Celebrations often come first; questions are an early sign that people do not know.",
            (
                (
                    '60 * sum by (event, tag) (monitor:mentions:rate5m{event=~"$event", tag=~"celebration|question"})',
                    "{{event}} {{tag}}",
                ),
            ),
        ),
        Panel(
            "Narratives by velocity",
            "Posts per minute of each event's fastest; `monitor narrative show EVENT ID` says what one asserts.",
            (('topk by (event) (5, monitor_narrative_posts_per_minute{event=~"$event"})', "{{event}} {{narrative}}"),),
        ),
        Panel(
            "Narratives by state",
            "How many passed into each state within the hour.",
            (('sum by (state) (increase(monitor_narrative_passages_total{event=~"$event"}[1h]))', "{{state}}"),),
        ),
    ),
    "Alerts, and what cannot be seen": (
        Panel(
            "Alerts within the day",
            "Steps of alerts by rule and state.",
            (('sum by (rule, state) (increase(monitor_alerts_total{event=~"$event"}[1d]))', "{{rule}} {{state}}"),),
        ),
        Panel(
            "Was it useful?",
            "What the desk answered on cards, within the week.",
            (("sum by (outcome) (increase(monitor_answers_total[7d]))", "{{outcome}}"),),
        ),
        Panel(
            "Sources that are read",
            "0 is blind: counts of that time are a floor, and cards say so.",
            (("monitor_source_up", "{{source}}"),),
        ),
        Panel(
            "Blind seconds within the hour",
            "Of each source, and at the monitor's own stops of all.",
            (("increase(monitor_source_blind_seconds_total[1h])", "{{source}}"),),
            unit="s",
        ),
        Panel(
            "Events that still warm up",
            "1 while the event has no normal level yet and cannot alarm by it.",
            (('monitor_event_warming_up{event=~"$event"}', "{{event}}"),),
        ),
    ),
}

OPERATIONS = {
    "At a glance": (
        Panel("Monitor", "1 while it answers.", (('up{job="virality-monitor"}', "{{instance}}"),), width=4, now=True),
        Panel("Store", "0 while everything waits.", (("monitor_store_up", "store"),), width=4, now=True),
        Panel(
            "Blind sources",
            "Sources that are not read.",
            (("count(monitor_source_up == 0) or vector(0)", ""),),
            width=4,
            now=True,
        ),
        Panel("Waiting posts", "For the next batch.", (("monitor_intake_posts", ""),), width=4, now=True),
        Panel("Undelivered", "Notifications on their way.", (("monitor_outbox_notifications", ""),), width=4, now=True),
        Panel("Version", "What runs.", (("monitor_build_info", "{{version}}"),), width=4, now=True),
    ),
    "Funnel": (
        Panel("Posts received per second", "By source.", (("monitor:posts:rate5m", "{{source}}"),), unit="ops"),
        Panel(
            "Rejected share",
            "Of what a source sends, what is no usable post.",
            (("monitor:posts_rejected:share15m", "{{source}}"),),
            unit="percentunit",
        ),
        Panel(
            "Late mentions per second",
            "Behind their source's watermark: archived, in no count.",
            (("sum by (source) (rate(monitor_posts_late_total[5m]))", "{{source}}"),),
            unit="ops",
        ),
        Panel(
            "Tags by language",
            "Shares of an hour; a jump is drift.",
            (("monitor:tags:share1h", "{{language}} {{tag}}"),),
            unit="percentunit",
        ),
        Panel(
            "Mean probability of the tag given",
            "Falling: the tagger understands less.",
            (
                (
                    (
                        "sum by (language) (increase(monitor_tag_probability_total[1h]))"
                        " / sum by (language) (increase(monitor_tagged_total[1h]))"
                    ),
                    "{{language}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "Tags withheld",
            "Mentions that are other because no tag was likely enough.",
            (
                (
                    (
                        "sum by (language) (increase(monitor_tags_withheld_total[1h]))"
                        " / sum by (language) (increase(monitor_tagged_total[1h]))"
                    ),
                    "{{language}}",
                ),
            ),
            unit="percentunit",
        ),
    ),
    "Latency and freshness": (
        Panel("Arrival to commit, p99", "All sources.", (("monitor:latency:p99_5m", "p99"),), unit="s"),
        Panel(
            "Batches, p99, and stages, mean",
            "Which stage takes how long.",
            (
                ("monitor:batch:p99_5m", "batch p99"),
                (
                    (
                        "sum by (stage) (rate(monitor_stage_seconds_sum[5m]))"
                        " / sum by (stage) (rate(monitor_stage_seconds_count[5m]))"
                    ),
                    "{{stage}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Age of the newest post",
            "By source.",
            (("time() - monitor_source_last_post_timestamp_seconds", "{{source}}"),),
            unit="s",
        ),
        Panel(
            "Watermark behind now",
            "Up to then a source is complete.",
            (("time() - monitor_watermark_timestamp_seconds", "{{source}}"),),
            unit="s",
        ),
    ),
    "Delivery": (
        Panel(
            "Attempts per minute",
            "By receiver, outcome and reason.",
            (
                (
                    "60 * sum by (receiver, outcome, reason) (rate(monitor_notifications_total[5m]))",
                    "{{receiver}} {{outcome}} {{reason}}",
                ),
            ),
        ),
        Panel("An attempt, p99", "By receiver.", (("monitor:delivery:p99_15m", "{{receiver}}"),), unit="s"),
    ),
    "Resources": (
        Panel(
            "Memory",
            "Resident.",
            (('process_resident_memory_bytes{job="virality-monitor"}', "{{instance}}"),),
            unit="bytes",
        ),
        Panel(
            "Processor",
            "Cores in use.",
            (('rate(process_cpu_seconds_total{job="virality-monitor"}[5m])', "{{instance}}"),),
        ),
        Panel(
            "Open files and tasks",
            "Growing for hours is a leak.",
            (('process_open_fds{job="virality-monitor"}', "files"), ("monitor_tasks", "tasks")),
        ),
        Panel(
            "Store and its disk",
            "The disk is known of SQLite only.",
            (("monitor_store_bytes", "store"), ("monitor_store_free_bytes", "free")),
            unit="bytes",
        ),
        Panel(
            "Readings that found no room",
            "Dashboards miss some: raise most_series under [web].",
            (("sum by (metric) (increase(monitor_series_dropped_total[1h]))", "{{metric}}"),),
        ),
    ),
}


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
