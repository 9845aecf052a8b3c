"""The JSON API as one table: the server serves it, and the OpenAPI document is made from it."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from msgspec import Struct

from monitor.alert.export import Brief
from monitor.marks import AckMark, Correction, MergeMark, Silence, SplitMark, StatusMark
from monitor.records import Answer
from monitor.web.alert_bodies import AckAsked
from monitor.web.bodies import (
    AlertList,
    AnswerAsked,
    AnswerList,
    EventChange,
    EventFile,
    EventList,
    GapList,
    LabelAsked,
    LabelList,
    Looking,
    Most,
    NarrativeList,
    NarrativeRow,
    Newest,
    OfState,
    Preview,
    Replacing,
    SilenceAsked,
    SilenceList,
    SourceList,
    StatusAsked,
    StatusList,
)
from monitor.web.brief_bodies import WithAuthors
from monitor.web.check_bodies import CheckList
from monitor.web.letters import DeadAsked, DeadList, ReplayAsked, Replayed
from monitor.web.office import Office
from monitor.web.ruling_bodies import MergeAsked, RulingList, SplitAsked, SuggestionList

ROOT = "/api/v1"


class Asked(NamedTuple):
    """A request as its handler sees it: checked."""

    path: dict[str, str]
    body: Any = None
    """A `Route.takes`, or the text of a file where it takes TOML."""
    query: Any = None
    """A `Route.query`."""


class Route(NamedTuple):
    """One operation."""

    method: str
    path: str
    """Under ROOT; words in braces are parameters."""
    name: str
    does: str
    answers: type[Struct]
    call: Callable[[Office, Asked], Awaitable[Struct]]
    takes: type[Struct] | None = None
    """Its JSON body."""
    toml: bool = False
    """Whether its body is an event file."""
    query: type[Struct] | None = None
    refusals: tuple[int, ...] = ()
    """Statuses of refusals, beside 401 and 403 which any may give."""
    status: int = 200


_OF_STORE = (400, 503)
_CHANGE = (400, 404, 503)
_EVENTS = (400, 404, 409, 503)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET", "/sources", "listSources", "How the sources are doing.", SourceList, lambda office, _: office.sources()
    ),
    Route(
        "GET", "/gaps", "listGaps", "When sources were blind.", GapList,
        lambda office, asked: office.gaps(asked.query.limit), query=Newest, refusals=_OF_STORE,
    ),
    Route(
        "GET", "/fact-checks", "listFactChecks", "What fact-checkers said last of claims about the events.", CheckList,
        lambda office, asked: office.checks(asked.query.limit), query=Newest, refusals=_OF_STORE,
    ),
    Route(
        "GET", "/alerts", "listAlerts", "The newest alerts.", AlertList,
        lambda office, asked: office.alerts(asked.query.state, asked.query.limit), query=OfState, refusals=_OF_STORE,
    ),
    Route(
        "GET", "/alerts/{alert}/brief", "briefAlert", "What fired, and on what evidence; authors only if asked for.",
        Brief, lambda office, asked: office.brief(asked.path["alert"], authors=asked.query.authors),
        query=WithAuthors, refusals=_CHANGE,
    ),
    Route(
        "POST", "/alerts/{alert}/answer", "answerAlert", "Was this alert useful?", Answer,
        lambda office, asked: office.answer(asked.path["alert"], asked.body), takes=AnswerAsked,
        refusals=(*_CHANGE, 413), status=201,
    ),
    Route(
        "POST", "/alerts/{alert}/acknowledge", "acknowledgeAlert", "Takes a firing alert on: no more reminders.",
        AckMark,
        lambda office, asked: office.acknowledge(
            asked.path["alert"], asked.body.by, asked.body.assignee, asked.body.comment
        ),
        takes=AckAsked, refusals=(*_CHANGE, 409, 413), status=201,
    ),
    Route(
        "GET", "/answers", "listAnswers", "Which alerts were useful: the last answer about each.", AnswerList,
        lambda office, asked: office.answers(asked.query.limit), query=Newest, refusals=_OF_STORE,
    ),
    Route(
        "GET", "/notifications/dead", "listDead", "Notifications that were given up.", DeadList,
        lambda office, asked: office.letters.dead(asked.query), query=DeadAsked, refusals=_OF_STORE,
    ),
    Route(
        "POST", "/notifications/replay", "replayDead", "Sends dead letters again, under the same keys.", Replayed,
        lambda office, asked: office.letters.replay(asked.body), takes=ReplayAsked, refusals=(*_OF_STORE, 413),
    ),
    Route("GET", "/events", "listEvents", "The watched events.", EventList, lambda office, _: office.events()),
    Route(
        "POST", "/events", "addEvent", "Watches an event from now on; the body is its file (TOML).", EventChange,
        lambda office, asked: office.add_event(asked.body, replace=asked.query.replace),
        toml=True, query=Replacing, refusals=(400, 409, 413, 503), status=201,
    ),
    Route(
        "POST", "/events/preview", "previewEvent", "What an event file would match in the archive.", Preview,
        lambda office, asked: office.preview(asked.body, asked.query.most),
        toml=True, query=Looking, refusals=(400, 413, 429, 503),
    ),
    Route(
        "GET", "/events/{event}", "showEvent", "An event's file.", EventFile,
        lambda office, asked: office.event(asked.path["event"]), refusals=(404,),
    ),
    Route(
        "DELETE", "/events/{event}", "removeEvent", "Watches an event no more and removes its file.", EventChange,
        lambda office, asked: office.remove_event(asked.path["event"]), refusals=_EVENTS,
    ),
    Route(
        "GET", "/events/{event}/narratives", "listNarratives", "What is asserted about an event, with counts.",
        NarrativeList, lambda office, asked: office.narratives(asked.path["event"], asked.query.limit),
        query=Most, refusals=_CHANGE,
    ),
    Route(
        "GET", "/events/{event}/narratives/{narrative}", "showNarrative", "One narrative.", NarrativeRow,
        lambda office, asked: office.narrative(asked.path["event"], asked.path["narrative"]), refusals=(404, 503),
    ),
    Route(
        "GET", "/events/{event}/suggestions", "listSuggestions", "Narratives that may be one.", SuggestionList,
        lambda office, asked: office.suggestions(asked.path["event"], asked.query.limit),
        query=Most, refusals=_CHANGE,
    ),
    Route(
        "POST", "/events/{event}/merges", "mergeNarratives", "Two narratives are one from now on.", MergeMark,
        lambda office, asked: office.merge(asked.path["event"], asked.body),
        takes=MergeAsked, refusals=(*_CHANGE, 413), status=201,
    ),
    Route(
        "POST", "/events/{event}/splits", "splitNarrative", "Parts what was one narrative.", SplitMark,
        lambda office, asked: office.split(asked.path["event"], asked.body),
        takes=SplitAsked, refusals=(*_CHANGE, 413), status=201,
    ),
    Route(
        "GET", "/rulings", "listRulings", "Every merge and split of narratives.", RulingList,
        lambda office, asked: office.rulings(asked.query.limit), query=Newest, refusals=_OF_STORE,
    ),
    Route(
        "PUT", "/events/{event}/narratives/{narrative}/status", "setStatus", "Sets a narrative's status.", StatusMark,
        lambda office, asked: office.set_status(asked.path["event"], asked.path["narrative"], asked.body),
        takes=StatusAsked, refusals=(*_CHANGE, 413),
    ),
    Route(
        "GET", "/statuses", "listStatuses", "Every status that was set.", StatusList,
        lambda office, asked: office.statuses(asked.query.limit), query=Newest, refusals=_OF_STORE,
    ),
    Route(
        "GET", "/silences", "listSilences", "Silences that have not expired.", SilenceList,
        lambda office, _: office.silences(), refusals=(503,),
    ),
    Route(
        "POST", "/silences", "addSilence", "Silences alerts for a while.", Silence,
        lambda office, asked: office.silence(asked.body), takes=SilenceAsked, refusals=(*_CHANGE, 409, 413),
        status=201,
    ),
    Route(
        "DELETE", "/silences/{silence}", "expireSilence", "Ends a silence now.", Silence,
        lambda office, asked: office.expire(asked.path["silence"]), refusals=(404, 503),
    ),
    Route(
        "GET", "/labels", "listLabels", "Every label that was given.", LabelList,
        lambda office, asked: office.labels(asked.query.limit), query=Newest, refusals=_OF_STORE,
    ),
    Route(
        "POST", "/labels", "addLabel", "An editor's tag for an archived mention.", Correction,
        lambda office, asked: office.label(asked.body), takes=LabelAsked, refusals=(*_CHANGE, 413), status=201,
    ),
)  # fmt: skip
