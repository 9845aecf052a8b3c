"""Every English word on a card, in one catalogue. None of them calls a claim true or false: that is for people."""

from monitor.marks import Status
from monitor.records import AlertState

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
    "denials_overtook": "denials have overtaken the claims",
    "above_baseline": "posts stand far above their normal level",
    "calmed": "posts are back at their normal level",
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
    "posts": "posts",
    "expected": "expected",
    "ratio": "times the normal level",
    "score": "score",
    "platforms": "platforms",
    "baseline": "normal level",
}
"""A finding's numbers, in words; the same fallback."""

CHANGES = {
    "race": "denials that catch up, a quiet spell, or a status set by the desk or a registered voice",
    "spike": "posts falling back to their normal level, or a status set by the desk or a registered voice",
}
OTHER_CHANGE = "a status set by the desk or a registered voice"

CLAIM = "Claim"
WATCHED = "Watched"
FIRST = "First shown here"
SINCE = "Holds since"
RACE = "{claims} claims against {denials} denials, by {authors} authors"
APART = "Celebration reports: {celebrations}. Questions: {questions}."
EVIDENCE = "Posts"
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
SAID = "Status set {who}: {by}, {at}, on {evidence}"
