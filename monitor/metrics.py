"""Every metric on one page, on the registry that is handed in; docs/metrics.md says what to do about each.

Labels come from the configuration and from closed sets, never from posts: no ids of posts, authors, texts or urls. The
one exception is the id of a narrative, of a few at a time.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from monitor.bounded import Bounded, name_of
from monitor.records import REJECTIONS, AlertState, NarrativeState

STAGES = ("decode", "match", "follow", "tag", "cluster", "window", "judge", "alert", "store")
"""The label values of `monitor_stage_seconds`, in the order of the walk."""
LARGEST_EVIDENCE = 700.0
"""ln E is shown up to here; e to this power is about as large as a number gets."""
MOST_SERIES = 1000
"""Of the readings for dashboards, all together, unless settings say otherwise."""
ANSWERS = {True: "useful", False: "not_useful"}
"""The label values of `monitor_answers_total`."""

_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LONG = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class Metrics:
    """The monitor's metrics; each attribute is one, its help says when it moves."""

    def __init__(self, registry: CollectorRegistry, *, version: str, most_series: int = MOST_SERIES) -> None:
        """`most_series` bounds the readings for dashboards: races, spikes, warming up, the fastest narratives."""
        self._registry = registry
        self._collecting()
        self._polling()
        self._walking()
        self._tagging()
        self._judging()
        self._boards(most_series)
        self._telling()
        self.retention_removed = self._counter("retention_removed", "Something was older than it may be kept.", "class")
        self.reloads = self._counter("reloads", "The configuration was read again.", "outcome")
        self.reloaded = self._gauge("config_last_reload_successful", "1 if the configuration was good when last read.")
        self.reloaded.set(1)
        self.reloaded_at = self._gauge(
            "config_last_reload_success_timestamp_seconds", "When a good configuration was last read, since 1970."
        )
        self.clock = self._gauge("clock_seconds", "What the monitor's clock says, seconds since 1970.")
        self.tasks = self._gauge("tasks", "Tasks on the event loop.")
        build = self._gauge("build_info", "Always 1; the label carries the version that runs.", "version")
        build.labels(version).set(1)

    def expect(
        self, sources: Iterable[str], events: Iterable[str], receivers: Iterable[str], rules: Iterable[str] = ()
    ) -> None:
        """Begins the series of everything configured at zero, so that a first increment shows as a rate."""
        for source in sources:
            for counter in (self.posts_received, self.posts_late, self.blind_seconds, self.quarantined):
                counter.labels(source)
            for reason in REJECTIONS:
                self.posts_rejected.labels(source, reason)
            for gauge in (self.source_up, self.source_refused, *self._of_polls):
                gauge.labels(source).set(0)
        steps = [(rule, state.value) for rule in rules for state in AlertState]
        for event in events:
            self._expect_event(event, steps)
        for outcome in ANSWERS.values():
            self.answers.labels(outcome)
        for receiver in receivers:
            self.notifications.labels(receiver, "sent", "")
            self.delivery_seconds.labels(receiver)
            self.repeats.labels(receiver)
            self.replayed.labels(receiver)
        for stage in STAGES:
            self.stage_seconds.labels(stage)

    def _expect_event(self, event: str, steps: Iterable[tuple[str, str]]) -> None:
        """`steps`: rule and state, of alerts."""
        self.boards.show(self.warming_up, (event,), 1)
        for gauge in (*self._of_races, *self._of_spikes):
            self.boards.show(gauge, (event,), 0)
        for state in NarrativeState:
            self.passages.labels(event, state.value)
        for step in steps:
            self.alerts.labels(event, *step)

    def forget(self, sources: Iterable[str], events: Iterable[str], receivers: Iterable[str]) -> None:
        """Ends the gauges of what is no longer configured; counters stay, as Prometheus wants them."""
        for source in sources:
            for gauge in self._of_source():
                gauge.remove_by_labels({"source": source})
        self.boards.end([*events])
        for receiver in receivers:
            self.delivery_seconds.remove_by_labels({"receiver": receiver})
            self.receiver_connected.remove_by_labels({"receiver": receiver})

    def _of_source(self) -> tuple[Gauge, ...]:
        rates = (self.rate_remaining, self.rate_resets_at)
        return (self.source_up, self.source_refused, self.source_seen, self.watermark, *rates, *self._of_polls)

    def race(self, event: str, *, claims: int, denials: int, log_e: float) -> None:
        """Shows the race of `event` with the most evidence; ln E within ±LARGEST_EVIDENCE."""
        shown = (claims, denials, max(-LARGEST_EVIDENCE, min(LARGEST_EVIDENCE, log_e)))
        for gauge, value in zip(self._of_races, shown, strict=True):
            self.boards.show(gauge, (event,), value)

    def spike(self, event: str, *, posts: int, expected: float, score: float, warm: bool) -> None:
        """Shows how loud `event` is beside its normal level, and whether one is known."""
        self.boards.show(self.warming_up, (event,), not warm)
        for gauge, value in zip(self._of_spikes, (posts, expected, score), strict=True):
            self.boards.show(gauge, (event,), value)

    def fastest(self, readings: Iterable[tuple[str, str, float]]) -> None:
        """Shows these narratives (event, narrative, posts per minute) and no others."""
        shown = {(event, narrative): per_minute for event, narrative, per_minute in readings}
        self.boards.keep(self.velocity, shown.keys())
        for labels, per_minute in shown.items():
            self.boards.show(self.velocity, labels, per_minute)

    def _collecting(self) -> None:
        self.posts_received = self._counter("posts_received", "A source sent a post that can be used.", "source")
        self.posts_rejected = self._counter(
            "posts_rejected", "A source sent something that is no usable post/1 document.", "source", "reason"
        )
        self.source_up = self._gauge("source_up", "1 while the source is read, 0 while it is not.", "source")
        self.source_refused = self._gauge(
            "source_refused", "1 while the source refuses us: credentials, or a quota that is spent.", "source"
        )
        self.source_seen = self._gauge(
            "source_last_post_timestamp_seconds", "When the source's newest post arrived, seconds since 1970.", "source"
        )
        self.blind_seconds = self._counter(
            "source_blind_seconds",
            "All of a source was blind so long: unavailable, or the monitor did not run.",
            "source",
        )
        self.source_requests = self._counter(
            "source_requests", "A platform answered a request of the source.", "source", "code"
        )
        self.rate_remaining = self._gauge(
            "source_rate_remaining", "Requests that the platform last said it still takes.", "source"
        )
        self.rate_resets_at = self._gauge(
            "source_rate_reset_timestamp_seconds", "When the platform takes new ones, seconds since 1970.", "source"
        )
        self.quarantined = self._counter(
            "payloads_quarantined", "A payload was set aside because the monitor crashed on it twice.", "source"
        )
        self.ingest_requests = self._counter(
            "ingest_requests", "A request that brings posts was answered.", "source", "code", "reason"
        )
        self.waiting = self._gauge("intake_posts", "Posts that wait for the next batch.")
        self.ahead = self._gauge(
            "stream_ahead_seconds", "How far the newest seen time is ahead of the clock; nothing is decided meanwhile."
        )
        self.store_up = self._gauge("store_up", "1 while the store takes what is written, 0 while everything waits.")
        self.store_up.set(1)
        self.store_bytes = self._gauge("store_bytes", "Room that the store takes, looked at once a minute.")
        self.store_free = self._gauge(
            "store_free_bytes", "Room that is left on the store's disk; of a server's store, on that of `in_hand`."
        )

    def _polling(self) -> None:
        self.source_failing = self._gauge(
            "source_failing",
            "Feeds, channels or events of the source that could not be read when last tried.",
            "source",
        )
        self.source_drift = self._gauge(
            "source_drift",
            "Share of the messages on the last page that could not be read: the page has changed.",
            "source",
        )
        self.source_spent = self._gauge("source_spent_dollars", "What the source cost in this cycle.", "source")
        self.source_budget = self._gauge(
            "source_budget_dollars", "What the source may cost in a cycle; 0 where nothing is paid for.", "source"
        )
        self._of_polls = (self.source_failing, self.source_drift, self.source_spent, self.source_budget)

    def _walking(self) -> None:
        self.batch_seconds = self._histogram("batch_seconds", "A batch was walked and committed.", _SHORT)
        self.stage_seconds = self._histogram("stage_seconds", "A stage did its part of a batch.", _SHORT, "stage")
        self.commit_seconds = self._histogram("store_commit_seconds", "A batch's transaction was committed.", _SHORT)
        self.latency_seconds = self._histogram(
            "latency_seconds", "From a post's arrival to the commit of its batch.", _LONG, "source"
        )
        self.mentions = self._counter("mentions", "A post turned out to be a mention.", "event", "tag")
        self.duplicates = self._counter("mentions_duplicate", "A mention came that the archive has already.")
        self.narratives_forgotten = self._counter(
            "narratives_forgotten", "A narrative made room for a newer one; nothing new joins it."
        )
        self.narratives_refused = self._counter(
            "narratives_refused", "An original had no narrative: too many have begun."
        )
        self.narratives_dropped = self._counter(
            "narratives_dropped", "The judge forgot a narrative that nobody speaks of: there are too many."
        )
        self.posts_late = self._counter(
            "posts_late", "A mention came behind its source's watermark: archived, in no count.", "source"
        )
        self.watermark = self._gauge(
            "watermark_timestamp_seconds",
            "Event time up to which the source is complete, seconds since 1970.",
            "source",
        )

    def _tagging(self) -> None:
        self.tagged = self._counter(
            "tagged", "A mention was tagged in a language, as the tagger reads it.", "language", "tag"
        )
        self.withheld = self._counter(
            "tags_withheld", "A mention is other because no tag was likely enough.", "language"
        )
        self.certainty = self._counter(
            "tag_probability", "The probability of the tag that a mention was given, summed up.", "language"
        )

    def _judging(self) -> None:
        self.ticks = self._counter("ticks", "A second of seen time with mentions was judged.")
        self.findings = self._counter(
            "findings", "A rule began or ceased to hold for an event.", "event", "rule", "reason"
        )
        self.passages = self._counter(
            "narrative_passages", "A narrative passed into a state of its life.", "event", "state"
        )

    def _boards(self, most_series: int) -> None:
        self.warming_up = self._gauge(
            "event_warming_up", "1 while the event's baseline lacks history and nothing can alarm.", "event"
        )
        self.race_claims = self._gauge("race_claims", "Original claims in the event's foremost race.", "event")
        self.race_denials = self._gauge("race_denials", "Original denials in that race.", "event")
        self.race_evidence = self._gauge(
            "race_evidence", "ln E of that race: the evidence that claims outrun denials, within ±700.", "event"
        )
        self._of_races = (self.race_claims, self.race_denials, self.race_evidence)
        self.spike_posts = self._gauge("spike_posts", "Posts of the event in the last ten whole minutes.", "event")
        self.spike_expected = self._gauge("spike_expected_posts", "As many would be normal.", "event")
        self.spike_score = self._gauge("spike_score", "How far above that the event is.", "event")
        self._of_spikes = (self.spike_posts, self.spike_expected, self.spike_score)
        self.velocity = self._gauge(
            "narrative_posts_per_minute",
            "Posts per minute over five minutes of the event's five fastest narratives.",
            "event",
            "narrative",
        )
        dropped = self._counter(
            "series_dropped", "A reading for dashboards was not shown: there are too many already.", "metric"
        )
        self.series_dropped = dropped
        for gauge in (self.warming_up, *self._of_races, *self._of_spikes, self.velocity):
            dropped.labels(name_of(gauge))
        self.boards = Bounded(most_series, dropped)

    def _telling(self) -> None:
        self.alerts = self._counter("alerts", "An alert took a step in its life.", "event", "rule", "state")
        self.answers = self._counter("answers", "Somebody said whether an alert was useful.", "outcome")
        self.actions = self._counter("actions", "Somebody acted from a card, or tried to.", "action", "via", "outcome")
        self.outbox = self._gauge(
            "outbox_notifications",
            "Notifications on their way, those to be retried included; what is held back for a digest is not.",
        )
        self.notifications = self._counter(
            "notifications", "A notification was sent, will be tried again, or is a dead letter.",
            "receiver", "outcome", "reason",
        )  # fmt: skip
        self.held = self._counter(
            "notifications_held", "A notification was held back, to come with others as a digest.", "receiver", "reason"
        )
        self.receiver_connected = self._gauge(
            "receiver_connected", "1 while the connection of an MQTT receiver stands, 0 while it does not.", "receiver"
        )
        self.findings_dropped = self._counter(
            "findings_dropped",
            "A finding did not leave over MQTT: too many wait, or it is refused.",
            "receiver",
            "reason",
        )
        self.repeats = self._counter(
            "possible_repeats", "A message was sent that says that it may have been sent before.", "receiver"
        )
        self.replayed = self._counter("notifications_replayed", "A dead letter was queued anew.", "receiver")
        self.delivery_seconds = self._histogram("delivery_seconds", "One attempt to send ended.", _LONG, "receiver")

    def _counter(self, name: str, moves: str, *labels: str) -> Counter:
        return Counter(f"monitor_{name}_total", moves, labels, registry=self._registry)

    def _gauge(self, name: str, means: str, *labels: str) -> Gauge:
        return Gauge(f"monitor_{name}", means, labels, registry=self._registry)

    def _histogram(self, name: str, measures: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"monitor_{name}", measures, labels, buckets=buckets, registry=self._registry)
