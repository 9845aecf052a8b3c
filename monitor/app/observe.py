"""What happened → the metrics, and the log where somebody should know."""

import logging
import shutil
from pathlib import Path

import polars as pl
from prometheus_client import CollectorRegistry, ProcessCollector
from sqlalchemy.engine import make_url

from monitor import settings
from monitor.alert.deliver import Attempt, Outcome
from monitor.app.parts import Committed, Taken
from monitor.app.velocity import Velocity
from monitor.app.version import installed_version
from monitor.collect.supervise import SourceState
from monitor.judge.readings import RaceReading
from monitor.marks import GapMark
from monitor.metrics import ANSWERS, Metrics
from monitor.records import Alert, Answer
from monitor.settings.checks import ALERTING

log = logging.getLogger(__name__)


def begun(configured: settings.Settings) -> tuple[CollectorRegistry, Metrics]:
    """Metrics of a configuration, on a registry of their own, with the series of everything configured."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, version=installed_version(), most_series=configured.monitor.web.most_series)
    ProcessCollector(registry=registry)
    metrics.expect(
        [source.name for source in configured.monitor.sources],
        [event.name for event in configured.events],
        [one.name for one in configured.monitor.receivers],
        ALERTING,
    )
    _disk(metrics, configured)
    return registry, metrics


def batch(metrics: Metrics, taken: Taken, committed: Committed) -> None:
    """One batch was walked and committed."""
    _sources(metrics, taken)
    for source, latency in committed.latencies:
        metrics.latency_seconds.labels(source).observe(latency.total_seconds())
    took = {**taken.took, "store": committed.seconds}
    for stage, seconds in took.items():
        metrics.stage_seconds.labels(stage).observe(seconds)
    metrics.batch_seconds.observe(sum(took.values()))
    metrics.commit_seconds.observe(committed.seconds)
    walked = taken.walked
    created = walked.mentions.filter(pl.col("op") == "create")
    for event, tag, mentions in created.group_by("event", "tag").len().iter_rows():
        metrics.mentions.labels(event, tag).inc(mentions)
    _tagged(metrics, created)
    metrics.duplicates.inc(walked.duplicates)
    forgotten, refused = walked.crowded
    metrics.narratives_forgotten.inc(forgotten)
    metrics.narratives_refused.inc(refused)
    metrics.narratives_dropped.inc(walked.judged.dropped)
    metrics.ticks.inc(walked.counted.ticks["tick"].n_unique())
    for finding in walked.judged.findings:
        metrics.findings.labels(finding.event, finding.rule, finding.reason).inc()
    for passage in walked.judged.transitions:
        metrics.passages.labels(passage.event, passage.state.value).inc()
    for reading in walked.judged.readings:
        at = reading.reading
        metrics.spike(reading.event, posts=at.posts, expected=at.expected, score=at.score, warm=at.warm)
    for event, races in taken.races.items():
        _race(metrics, event, races)
    for alert in walked.alerts:
        metrics.alerts.labels(alert.event, alert.rule, alert.state.value).inc()
        _log_alert(alert)


def narratives(metrics: Metrics, velocity: Velocity, taken: Taken) -> None:
    """Which narratives are fast now."""
    velocity.add(taken.walked.mentions, taken.batch.upto)
    metrics.fastest(velocity.fastest(taken.races))


_ASSERTED = ("p_claim", "p_denial", "p_celebration", "p_question")


def _tagged(metrics: Metrics, created: pl.DataFrame) -> None:
    """What was tagged how in which language, and how surely."""
    other = pl.col("tag") == "other"
    tags = created.group_by("language", "tag").agg(
        pl.len().alias("mentions"),
        (other & (pl.max_horizontal(_ASSERTED) > pl.col("p_other"))).sum().alias("withheld"),
        pl.max_horizontal(*_ASSERTED, "p_other").sum().alias("certainty"),
    )
    for language, tag, mentions, withheld, certainty in tags.iter_rows():
        named = language or "und"
        metrics.tagged.labels(named, tag).inc(mentions)
        metrics.withheld.labels(named).inc(withheld)
        metrics.certainty.labels(named).inc(certainty)


def _log_alert(alert: Alert) -> None:
    silenced = ", silenced" if alert.silenced else ""
    told = f" ({alert.change})" if alert.change else ""
    said = "alert %s (%s of %s) is %s: %s%s%s"
    fields = {"alert": alert.id, "event": alert.event, "narrative": alert.narrative, "reason": alert.reason}
    log.info(said, alert.id, alert.rule, alert.event, alert.state.value, alert.reason, told, silenced, extra=fields)


def _sources(metrics: Metrics, taken: Taken) -> None:
    """What each source brought."""
    for source, posts in taken.batch.posts.group_by("source").len().iter_rows():
        metrics.posts_received.labels(source).inc(posts)
        metrics.source_seen.labels(source).set(taken.batch.upto.timestamp())
    for (source, reason), count in taken.batch.rejected.items():
        metrics.posts_rejected.labels(source, reason).inc(count)
        said = "source %s: %d documents were no usable posts (%s)"
        log.warning(said, source, count, reason, extra={"source": source, "reason": reason})
    for source, late in taken.walked.counted.late.iter_rows():
        metrics.posts_late.labels(source).inc(late)
    for source, complete in taken.watermarks.items():
        metrics.watermark.labels(source).set(complete.timestamp())
    for mark in taken.batch.marks:
        if isinstance(mark, GapMark) and not mark.partial:
            metrics.blind_seconds.labels(mark.source).inc((mark.ends - mark.begins).total_seconds())


def _race(metrics: Metrics, event: str, readings: list[RaceReading]) -> None:
    """Where the event's foremost race stands."""
    first = max(readings, key=lambda reading: reading.log_e, default=None)
    if first is not None:
        metrics.race(event, claims=first.claims, denials=first.denials, log_e=first.log_e)


def answered(metrics: Metrics, answer: Answer) -> None:
    """Somebody said whether an alert was useful."""
    metrics.answers.labels(ANSWERS[answer.useful]).inc()


def acted(metrics: Metrics, action: str, via: str, outcome: str) -> None:
    """Somebody acted from a card; `outcome` is `done`, or a refusal's word."""
    metrics.actions.labels(action, via, outcome).inc()


def attempt(metrics: Metrics, made: Attempt) -> None:
    """A notification was tried, or held back."""
    if made.outcome is Outcome.HELD:
        metrics.held.labels(made.receiver, made.reason).inc()
        return
    metrics.notifications.labels(made.receiver, made.outcome.value, made.reason).inc()
    metrics.delivery_seconds.labels(made.receiver).observe(made.took.total_seconds())
    if made.repeat:
        metrics.repeats.labels(made.receiver).inc()
    fields = {"receiver": made.receiver, "reason": made.reason}
    if made.outcome is Outcome.DEAD:
        said = "receiver %s: a notification is given up (%s); `monitor alerts dead` says what the other side answered"
        log.error(said, made.receiver, made.reason, extra=fields)
    elif made.outcome is Outcome.RETRY:
        said = "receiver %s: a notification was not taken, it will be tried again (%s)"
        log.warning(said, made.receiver, made.reason, extra=fields)


def source(metrics: Metrics, name: str, state: SourceState) -> None:
    """A source's state changed."""
    metrics.source_up.labels(name).set(state is SourceState.RUNNING)
    metrics.source_refused.labels(name).set(state is SourceState.REFUSED)


def _disk(metrics: Metrics, configured: settings.Settings) -> None:
    """From now on metrics show what the disk has left that the monitor itself writes to."""
    url, in_hand = configured.store_url.reveal(), Path(configured.monitor.pipeline.in_hand)
    database = make_url(url).database if url.startswith("sqlite:") else None
    folder = (Path(database).parent if database else in_hand).absolute()
    metrics.store_free.set_function(lambda: shutil.disk_usage(_there(folder)).free)


def _there(folder: Path) -> Path:
    """The folder, or the nearest around it that is there already."""
    return next(place for place in (folder, *folder.parents) if place.exists())
