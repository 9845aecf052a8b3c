"""The metrics' names, labels and meanings are the page's, and their labels are bounded."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from monitor.metrics import LARGEST_EVIDENCE, STAGES, Metrics
from monitor.records import NarrativeState

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})?` \| (?P<means>.+?) \| (?P<do>.+?) \|$", re.MULTILINE)
ALLOWED_LABELS = {
    "source",
    "reason",
    "event",
    "tag",
    "language",
    "stage",
    "rule",
    "state",
    "receiver",
    "outcome",
    "version",
    "code",
    "action",
    "via",
    "class",
    "metric",
    "narrative",
}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return Metrics(registry, version="1.2.3")


def in_code(metrics: Metrics, registry: CollectorRegistry) -> dict[str, tuple[tuple[str, ...], str]]:
    """Metric → labels, help."""
    labels = {metric._name: metric._labelnames for metric in vars(metrics).values() if is_metric(metric)}  # noqa: SLF001
    labels["monitor_build_info"] = ("version",)
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: (
            tuple(labels[family.name]),
            family.documentation,
        )
        for family in registry.collect()
    }


def is_metric(attribute: object) -> bool:
    return isinstance(attribute, MetricWrapperBase)


def on_page() -> dict[str, tuple[tuple[str, ...], str]]:
    return {
        row["name"]: (tuple((row["labels"] or "").replace(" ", "").split(",")) if row["labels"] else (), row["means"])
        for row in ROW.finditer(PAGE.read_text("utf-8"))
    }


def test_the_page_lists_exactly_the_metrics_there_are(metrics: Metrics, registry: CollectorRegistry) -> None:
    assert on_page() == in_code(metrics, registry)


def test_labels_come_from_bounded_sets(metrics: Metrics, registry: CollectorRegistry) -> None:
    for name, (labels, _) in in_code(metrics, registry).items():
        assert set(labels) <= ALLOWED_LABELS, name


def test_everything_configured_begins_at_zero(metrics: Metrics, registry: CollectorRegistry) -> None:
    metrics.expect(["posts"], ["bridge"], ["desk"])
    assert registry.get_sample_value("monitor_posts_received_total", {"source": "posts"}) == 0
    assert registry.get_sample_value("monitor_posts_rejected_total", {"source": "posts", "reason": "bad_time"}) == 0
    for gauge in ("failing", "drift", "spent_dollars", "budget_dollars"):
        assert registry.get_sample_value(f"monitor_source_{gauge}", {"source": "posts"}) == 0
    assert registry.get_sample_value("monitor_event_warming_up", {"event": "bridge"}) == 1
    for state in NarrativeState:
        passages = {"event": "bridge", "state": state.value}
        assert registry.get_sample_value("monitor_narrative_passages_total", passages) == 0
    assert registry.get_sample_value("monitor_answers_total", {"outcome": "not_useful"}) == 0
    sent = {"receiver": "desk", "outcome": "sent", "reason": ""}
    assert registry.get_sample_value("monitor_notifications_total", sent) == 0
    for stage in STAGES:
        assert registry.get_sample_value("monitor_stage_seconds_count", {"stage": stage}) == 0


@pytest.mark.parametrize(
    ("log_e", "shown"), [(3.5, 3.5), (float("inf"), LARGEST_EVIDENCE), (-1e9, -LARGEST_EVIDENCE)], ids=str
)
def test_the_evidence_of_a_race_is_capped(
    log_e: float, shown: float, metrics: Metrics, registry: CollectorRegistry
) -> None:
    metrics.race("bridge", claims=12, denials=3, log_e=log_e)
    assert registry.get_sample_value("monitor_race_evidence", {"event": "bridge"}) == shown
    assert registry.get_sample_value("monitor_race_claims", {"event": "bridge"}) == 12


def test_two_monitors_in_one_process_do_not_share_metrics(metrics: Metrics, registry: CollectorRegistry) -> None:
    other = CollectorRegistry()
    Metrics(other, version="1.2.3").ticks.inc(5)
    metrics.ticks.inc()
    assert registry.get_sample_value("monitor_ticks_total") == 1
    assert b"monitor_ticks_total 5.0" in generate_latest(other)


def test_readings_for_dashboards_are_never_more_than_asked_for_and_the_rest_is_counted(
    registry: CollectorRegistry,
) -> None:
    metrics = Metrics(registry, version="1", most_series=9)
    metrics.expect([], ["bridge", "dam"], [])
    metrics.fastest([("bridge", "n1", 3.0), ("bridge", "n2", 1.0)])
    assert len(readings(registry)) == 9
    assert registry.get_sample_value("monitor_event_warming_up", {"event": "bridge"}) == 1
    assert registry.get_sample_value("monitor_event_warming_up", {"event": "dam"}) == 1
    dropped = {"metric": "monitor_narrative_posts_per_minute"}
    assert registry.get_sample_value("monitor_series_dropped_total", dropped) == 2
    metrics.forget([], ["dam"], [])
    metrics.fastest([("bridge", "n1", 3.0), ("bridge", "n2", 1.0)])
    assert len(readings(registry)) == 9
    metrics.fastest([("bridge", "n2", 1.0)])
    named = {dict(labels)["narrative"] for name, labels in readings(registry) if name in dropped.values()}
    assert named == {"n2"}


def readings(registry: CollectorRegistry) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Name and labels of every series that dashboards read."""
    boards = re.compile("monitor_(event_warming_up|race_|spike_|narrative_posts)")
    samples = [sample for family in registry.collect() for sample in family.samples if boards.match(sample.name)]
    return [(sample.name, tuple(sample.labels.items())) for sample in samples]


def test_how_loud_an_event_is_beside_its_normal_level_is_shown(metrics: Metrics, registry: CollectorRegistry) -> None:
    metrics.spike("bridge", posts=40, expected=3.5, score=9.25, warm=True)
    shown = [registry.get_sample_value(f"monitor_{name}", {"event": "bridge"}) for name in SPIKE]
    assert shown == [40, 3.5, 9.25, 0]


SPIKE = ("spike_posts", "spike_expected_posts", "spike_score", "event_warming_up")
