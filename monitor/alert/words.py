"""Every English word on a card, in one catalogue. None of them calls a claim true or false: that is for people."""

from monitor.marks import Status
from monitor.records import AlertState, NarrativeState

STATUS = {
    Status.UNCONFIRMED: "UNCONFIRMED",
    Status.CONFIRMED: "CONFIRMED, as the desk set it",
    Status.DENIED: "DENIED, as the desk set it",
    Status.DEBUNKED: "DEBUNKED, as the desk set it",
}

STATE = {
    AlertState.PENDING: "pending: it has to hold a little longer",
    AlertState.FIRING: "firing",
    AlertState.ACKNOWLEDGED: "acknowledged",
    AlertState.RESOLVED: "resolved",
}

REASON = {
    "claims_outrun_denials": "original claims outrun original denials by more than chance explains",
    "no_denial_seen_yet": "many original claims, and no denial seen yet",
    "coordinated": "original claims outrun original denials, and a burst among them looks coordinated",
    "denials_overtook": "for some time more people deny it than claim it",
    "above_baseline": "posts stand far above their normal level",
    "calmed": "posts are back at their normal level",
    "originals_above_baseline": "original posts stand far above their normal level",
    "authors_above_baseline": "authors who are new to the event come far above the normal level",
    "reposts_above_baseline": "reposts stand far above their normal level",
    "claims_above_baseline": "far more people than normal claim something of their own",
    "denials_above_baseline": "far more people than normal deny something",
    "questions_above_baseline": "far more people than normal ask whether it is true",
    "celebrations_above_baseline": "reports of celebration stand far above their normal level",
    "viral_no_verdict": "viral: many original claims in a short time; no verdict yet on whether denials keep up",
    "viral_contested": "viral and contested: many original claims in a short time, and many denials",
    "viral_warming_up": "viral: many original claims in a short time; warming up, no normal level is known yet",
    "fewer_claims": "no longer so many claims in a short time",
    "many_posts": "as many posts in a short time as the rules name",
    "fewer_posts": "no longer so many posts in a short time",
    "source_silent": "a source says nothing for much longer than it ever did in the last days",
    "heard_again": "the source is heard again",
    "voice_silent": "a registered voice says nothing of the event for much longer than it ever did in the last days",
    "voice_heard_again": "the registered voice is heard again",
    "voice_removed": "the voice is not registered any more",
    "gone": "silent for a week: no longer counted among the event's sources",
    "merged": "an editor merged the narrative into another",
    "quiet": "nothing unusual for the time the rules ask for",
    "warming_up": "too little history yet: warming up",
    "status_set": "a status was set",
    "event_removed": "the event is not watched any more",
    "test": "somebody asked for a test",
}
"""A finding's bounded reason, in words; one that is missing here is shown with spaces for its underscores."""

NUMBER = {
    "claims": "claims then",
    "denials": "denials then",
    "celebrations": "reports of celebration then",
    "log_e": "log of the evidence",
    "threshold": "threshold",
    "p0": "share of claims an even race may show",
    "q0": "share of denials an even race may show",
    "since_peak_claims": "claims since they led most",
    "since_peak_denials": "denials since then",
    "posterior": "chance that claims run ahead",
    "start": "start of the race no.",
    "dispersion": "weight of clumps",
    "untested": "by new accounts and not tested",
    "rate_ratio": "claims for each denial",
    "denial_share": "denials among both, corrected for misread posts",
    "lag_s": "first denial after",
    "pasted": "share of claims that are pasted",
    "new_accounts": "share of claims by new accounts",
    "top_platform": "share of claims on one platform",
    "posts_per_author": "claims of an author",
    "posts": "posts",
    "expected": "normal level",
    "ratio": "times the normal level",
    "score": "score",
    "platforms": "platforms",
    "baseline": "normal level",
    "originals": "original claims and denials in all",
    "reposts": "reposts",
    "minutes": "within",
    "silent_minutes": "silent for",
    "usual_minutes": "longest silence of the last days",
}
"""A finding's numbers, in words; the same fallback."""
MINUTES = "{minutes} min"
SHARE = "{share} %"

CHANGES = {
    "race": "denials that catch up, a quiet spell, or a status set by the desk or a registered voice",
    "spike": "posts falling back to their normal level, or a status set by the desk or a registered voice",
    "volume": "fewer claims, or a status set by the desk or a registered voice",
    "celebration": "reports of celebration falling back to their normal level",
    "quiet": "the source, or the registered voice, saying something of the event",
}
OTHER_CHANGE = "a status set by the desk or a registered voice"

NARRATIVE_STATE = {
    NarrativeState.TOO_SMALL: "too small to report",
    NarrativeState.WATCH: "watched, nothing unusual",
    NarrativeState.RISING: "rising",
    NarrativeState.VIRAL_UNCONFIRMED: "viral, unconfirmed",
    NarrativeState.CONTESTED: "contested",
    NarrativeState.SETTLED: "settled",
    NarrativeState.FADED: "faded",
}

CLAIM = "Claim"
STANDS = "Where it stands"
SOURCE = "Source"
REGISTERED = "Registered voice"
WATCHED = "Watched"
FIRST = "First shown here"
VOICED = "{voice}, a registered voice, {said}"
SEEN_LATER = "{said}; the monitor saw it {at}"
SINCE = "Holds since"
RACE = "{claims} claims against {denials} denials, by {authors} authors"
APART = "Celebration reports: {celebrations}. Questions: {questions}."
EVIDENCE = "Posts"
TAG = {"claim": "claim", "denial": "denial", "celebration": "celebration", "question": "question", "other": "other"}
"""What a post does, before its text."""
CUES = "cue words"
REMOVED = "(removed by its author, or too old to keep)"
NO_TEXT = "(no text)"
NOW = "Now"
AT_END = "At its end"
"""Before the counts of an alert that fires, and of one that is over."""
WHY_FIRED = "Why it fired"
"""With the numbers of that moment."""
MEANWHILE = "Meanwhile"
"""What took the place of why it fired, while it fires on; with the numbers of when it did."""
ENDED = "How it ended"
CONFIDENCE = "Confidence"
WORTH_CHANCE = (
    "{chance} chance, by the counts of that moment, that claims ran ahead of denials; none of it is about who is right"
)
WORTH = {
    "race": "more than chance explains, and no chance was kept; none of it is about who is right",
    "spike": "high by the event's own past: the bar lets chance through as rarely as the rules announce",
    "celebration": "high by the event's own past: the bar lets chance through as rarely as the rules announce",
    "volume": "a plain count above a bar: nothing is tested, and it does not say that denials are fewer",
    "viral_warming_up": "a plain count above a bar: nothing is tested, and no normal level is known yet",
    "quiet": "longer than any silence of the last days: nothing is tested, and there may be nothing to say",
    "test": "nothing was measured",
}
"""What a finding is worth, by its reason or its rule; of a race with the chance where that is known."""
WORTH_UNKNOWN = "not known"
DENIALS_AHEAD = "denials are ahead of the claims by now; the race ends once that is more than chance explains"
"""Of a race that fires on."""
BLIND = "{source} blind {begins}–{ends} ({why}): counts are a floor"
AWAY = "The monitor itself was away {begins}–{ends}: counts are a floor"
BLIND_SINCE = "{source} blind since {begins} ({why}): counts are a floor"
MORE_PARTS = "{said}; {more} more of its parts are or were blind"
CHANGE = "What would change it"
ALERT = "Alert"
REPEAT = "Possible repeat: whether an earlier attempt arrived is not known"
UPDATE = "Update of an earlier message"
LEFT_OUT = "Posts left out here: {posts}"
LINK = "post"
TOLD = "Told because"
ALSO = "Fires as well"
TAKEN = "Acknowledged"
TAKEN_BY = "by {by}, {at}; {assignee} looks after it"
TOLD_BECAUSE = {
    "first_firing": "it fires",
    "rule_joined": "another rule fires",
    "state_changed": "where it stands has changed",
    "doubled": "claims are at least twice as many as when this was told last",
    "denials_overtook": "for some time more people deny it than claim it",
    "status_set": "a status was set",
    "feed_blind": "a source has gone blind",
    "monitor_away": "the monitor itself was away, and has missed what was said meanwhile",
    "reminder": "nobody has acknowledged it",
    "acknowledged": "somebody takes it on",
    "resolved": "it is over",
    "event_removed": "the event is not watched any more",
    "evidence_deleted": "the author of a post on it has deleted it",
    "gathered": "it changed while nothing was sent, and a digest has told it",
}
"""An alert's change, in words; a test has none."""
RULE = {
    "race": "claims outrun denials",
    "spike": "a spike",
    "volume": "a viral claim",
    "celebration": "reports of celebration",
    "quiet": "a silence",
}
"""A rule, in few words."""
DIGEST = "DIGEST"
DIGEST_OF = "{cards} changed while nothing was sent"
DIGEST_LINE = "{status}, {state} – {event}: {claim} – {changes} ({claims} claims, {denials} denials; alert {alert})"
DIGEST_END = "The last of each; cards above this message are brought up to date when something changes again"
LINES_LEFT_OUT = "Lines left out here: {lines}"
EDITOR = "by the desk"
VOICE = "by a registered voice"
CHECKED = "Fact check by {by}: “{rating}” of “{claim}”"
SAID = "Status set {who}: {by}, {at}, on {evidence}"
ACTIONS = {
    "acknowledge": "Acknowledge",
    "silence-30m": "Silence 30 min",
    "silence-2h": "Silence 2 h",
    "confirm": "Confirm",
    "debunk": "Debunk",
    "useful": "It was useful",
    "not-useful": "It was not useful",
}
"""What people can do from a card."""
MEANS = {
    "acknowledge": "The alert is taken on: it is shown as acknowledged, and reminds nobody any more.",
    "silence-30m": "Nobody is told of this narrative's alerts for 30 minutes.",
    "silence-2h": "Nobody is told of this narrative's alerts for two hours.",
    "confirm": "The narrative is set to CONFIRMED under your name, for everybody.",
    "debunk": "The narrative is set to DEBUNKED under your name, for everybody.",
    "useful": "You say that this alert was useful: the desk's answers show which rules are worth their noise.",
    "not-useful": "You say that this alert was not useful: the desk's answers show which rules are worth their noise.",
}
"""What a page asks to confirm."""
DONE = {
    "acknowledge": "Acknowledged by {by}.",
    "silence-30m": "Silenced for 30 minutes by {by}.",
    "silence-2h": "Silenced for two hours by {by}.",
    "confirm": "Set to CONFIRMED by {by}.",
    "debunk": "Set to DEBUNKED by {by}.",
    "useful": "Thank you: useful, says {by}.",
    "not-useful": "Thank you: not useful, says {by}.",
}
PAGE = {
    "event": "Event",
    "stands": "Stands at",
    "counts": "Counts",
    "field_who": "Your name",
    "field_assignee": "Who looks after it, if it is not you",
    "field_said": "Comment",
    "field_evidence": "What it rests on: a link, a name, a document",
    "done": "Done",
    "refused": "Nothing was changed",
    "from_card": "from the card of alert {alert}",
    "from_chat": "said in Slack, from the card of alert {alert}",
    "unknown_alert": "The monitor knows no such alert. A link from a test leads here.",
    "forged": "This link was not made by this monitor, or it was cut short. Open it from the card again.",
    "expired": "This link has expired. Newer cards have newer links; the monitor's own commands work at any time.",
    "foreign_page": "Another site sent this. Open the link from the card and use the button on its page.",
    "no_form": "This did not come from the page that the link opens. Open the link from the card again.",
    "old_page": "This page is more than an hour old. Open the link from the card again.",
    "sent_before": "This was sent before, and counts once.",
    "who_needed": "Say who you are: what people do is kept with their names.",
    "evidence_needed": "Say what it rests on: a link, a name, a document.",
    "too_long": "Write at most {most} characters.",
}
"""The pages that the links open."""

CHART = "Claims, denials and reports of celebration per minute"
"""What the chart is, for those who do not see it."""
CHART_ALERT = "alert {at}"
CHART_BLIND = "source blind"
CHART_CELEBRATIONS = "celebration"
CHART_CLAIMS = "claims"
CHART_DENIALS = "denials"
CHART_NO_TITLE = "the claim stands on the card"
"""Instead of a title in a script that the picture's fonts do not have."""
CHART_SCALE = "per minute · {zone}"
CHART_SCALE_MEAN = "per minute, mean of {each} · {zone}"
CHART_SPIKE = "spike {at}"
TREND = "Claims {claims} denials {denials} ({begins}–{ends} UTC, {each} min a bar, highest {highest})"

BRIEF_FIRED = "As it fired first, {at}"
BRIEF_HASHES = "SHA-256 is that of the document in which the source sent the post"
BRIEF_LATER = "shown later"
BRIEF_MADE = "Made {at}"
BRIEF_REDACTED = (
    "Authors, accounts, ids and links of posts are left out, and the names of voices and of those who set a status or "
    "took the alert on"
)
BRIEF_WITH_AUTHORS = "Authors and links of posts are in it: keep it as you keep your sources"
