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
    "denials_overtook": "denials have overtaken the claims",
    "above_baseline": "posts stand far above their normal level",
    "calmed": "posts are back at their normal level",
    "originals_above_baseline": "original posts stand far above their normal level",
    "authors_above_baseline": "authors who are new to the event come far above the normal level",
    "reposts_above_baseline": "reposts stand far above their normal level",
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
    "quiet": "nothing unusual for the time the rules ask for",
    "warming_up": "too little history yet: warming up",
    "status_set": "a status was set",
    "event_removed": "the event is not watched any more",
    "test": "somebody asked for a test",
}
"""A finding's bounded reason, in words; one that is missing here is shown with spaces for its underscores."""

NUMBER = {
    "log_e": "log of the evidence",
    "threshold": "threshold",
    "p0": "share of claims an even race may show",
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
    "expected": "expected",
    "ratio": "times the normal level",
    "score": "score",
    "platforms": "platforms",
    "baseline": "normal level",
    "originals": "original claims and denials in all",
    "reposts": "reposts",
    "minutes": "minutes that were counted",
    "silent_minutes": "silent for minutes",
    "usual_minutes": "longest silence of the last days, minutes",
}
"""A finding's numbers, in words; the same fallback."""
MINUTES = "{minutes} min"

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
SINCE = "Holds since"
RACE = "{claims} claims against {denials} denials, by {authors} authors"
APART = "Celebration reports: {celebrations}. Questions: {questions}."
EVIDENCE = "Posts"
CUES = "cue words"
REMOVED = "(removed by its author)"
NO_TEXT = "(no text)"
WHY = "Why"
BLIND = "{source} blind {begins}–{ends} ({why}): counts are a floor"
BLIND_SINCE = "{source} blind since {begins} ({why}): counts are a floor"
CHANGE = "What would change it"
ALERT = "Alert"
REPEAT = "Possible repeat: whether an earlier attempt arrived is not known"
UPDATE = "Update of an earlier message. {alert}"
LEFT_OUT = "Posts left out here: {posts}"
LINK = "post"
EDITOR = "by the desk"
VOICE = "by a registered voice"
CHECKED = "Fact check by {by}: “{rating}” of “{claim}”"
SAID = "Status set {who}: {by}, {at}, on {evidence}"
