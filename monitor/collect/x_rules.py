"""What X is asked for: the rules of its stream and the queries of its search, kept in step with the event files.

Rules live at X, with the app that the token belongs to. Those whose tag begins with `event:` are ours: rules of events
that are not watched any more are deleted, all others are left alone.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from monitor.collect.http import Answer, Http
from monitor.collect.http_rates import Budget
from monitor.collect.terms import Asked, asked, questions, quoted
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.watched import Event

TAG = "event:"
LONGEST_RULE = 1024
LONGEST_QUERY = 512
MOST_RULES = 1000
AT_ONCE = 100
"""Rules of one request."""
_WRONG = 400

log = logging.getLogger(__name__)

Kind = TypeVar("Kind")


class Rule(Struct, frozen=True, order=True):
    """A rule of the stream."""

    value: str
    tag: str = ""


class _Standing(Struct, frozen=True):
    """A rule that is at X."""

    id: str
    value: str
    tag: str | None = None


class _Rules(Struct, frozen=True):
    data: tuple[_Standing, ...] | None = None


class _Wrong(Struct, frozen=True):
    title: str = ""
    value: str = ""
    details: tuple[str, ...] = ()


class _Added(Struct, frozen=True):
    errors: tuple[_Wrong, ...] | None = None


def written(wanted: Asked) -> str:
    """An event's terms as X writes them."""
    one_of = " OR ".join(map(_term, wanted.any))
    parts = [f"({one_of})" if len(wanted.any) > 1 else one_of]
    parts += map(_term, wanted.all)
    parts += [f"-{_term(term)}" for term in wanted.none]
    return " ".join(parts)


def _term(term: str) -> str:
    """Hashtags and cashtags are operators of their own; everything else is a phrase."""
    return term if term[:1] in {"#", "$"} and term[1:].replace("_", "").isalnum() else quoted(term)


def queries(event: Event, longest: int, more: str = "") -> list[str]:
    """An event's terms in queries or rules of at most `longest` characters, `more` being added to each."""
    wanted = asked(event)
    rest = f" {more}" if more else ""
    return [] if wanted is None else [one + rest for one in questions(wanted, written, longest - len(rest))]


def rules_of(events: Iterable[Event], more: str = "") -> list[Rule]:
    """The rules that events need, in order."""
    return [Rule(one, TAG + event.name) for event in events for one in queries(event, LONGEST_RULE, more)]


async def keep_in_step(
    http: Http, address: str, headers: Mapping[str, str], wanted: Sequence[Rule], *, source: str, budget: Budget
) -> None:
    """Adds the rules that are missing, then deletes those of ours that are wanted no more.

    A rule that X does not take is logged; the event's others stand.
    """
    if len(wanted) > MOST_RULES:
        said = "source %s: %d rules are needed, X takes %d: events at the end have none"
        log.error(said, source, len(wanted), MOST_RULES, extra={"source": source})
    standing = _told(await http.get(address, headers=headers, budgets=(budget,)), _Rules).data or ()
    there = {Rule(one.value, one.tag or "") for one in standing}
    due = set(wanted[:MOST_RULES])
    missing = sorted(due - there)
    over = [one.id for one in standing if (one.tag or "").startswith(TAG) and Rule(one.value, one.tag or "") not in due]
    headers = {**headers, "Content-Type": "application/json"}
    taken, wrong = bool(there & due) or not missing, ""
    adding = [missing[some : some + AT_ONCE] for some in range(0, len(missing), AT_ONCE)]
    while adding:
        some = adding.pop()
        body = msgspec.json.encode({"add": some})
        answer = await http.post(address, body, headers=headers, also=(_WRONG,), budgets=(budget,))
        if answer.status == _WRONG and len(some) > 1:  # none of them was taken, and one is to blame
            adding += [some[len(some) // 2 :], some[: len(some) // 2]]
            continue
        alone = _Wrong(str(http.refusal(answer)), some[0].value)
        refused = (alone,) if answer.status == _WRONG else _told(answer, _Added).errors or ()
        taken = taken or len(refused) < len(some)
        for one in refused:
            said, wrong = "source %s: X does not take the rule %r: %s %s", one.title
            log.error(said, source, one.value, one.title, "; ".join(one.details), extra={"source": source})
    if not taken:
        why = f"X takes none of {len(missing)} rules; the last: {wrong}"
        raise SourceRefusedError(why)
    for begin in range(0, len(over), AT_ONCE):
        body = msgspec.json.encode({"delete": {"ids": over[begin : begin + AT_ONCE]}})
        await http.post(address, body, headers=headers, budgets=(budget,))


def _told(answer: Answer, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        why = "what X says of its rules is not understood"
        raise SourceUnavailableError(why) from error
