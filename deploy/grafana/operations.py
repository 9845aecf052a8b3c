"""What who runs the monitor looks at: the way of a post, latency, freshness, delivery, resources."""

from panel import Panel

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
    "Sources": (
        Panel(
            "Parts that cannot be read",
            "Feeds, channels or events of a source; the log names them.",
            (("monitor_source_failing", "{{source}}"),),
            width=8,
        ),
        Panel(
            "Page not understood",
            "Share of the messages on the last page; above 0 the platform has changed it.",
            (("monitor_source_drift", "{{source}}"),),
            unit="percentunit",
            width=8,
        ),
        Panel(
            "Spent in this cycle",
            "At its budget a source stops.",
            (("monitor_source_spent_dollars", "{{source}}"), ("monitor_source_budget_dollars", "{{source}} budget")),
            unit="currencyUSD",
            width=8,
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
            "The disk of SQLite, else of in_hand; a database server has its own.",
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
