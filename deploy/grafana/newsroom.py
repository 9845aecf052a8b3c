"""What the newsroom looks at: the race of each event, what is said, alerts, blind feeds."""

from panel import Panel

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
