"""Why an alert fired, and what holds of it now, in words and with few numbers; the API has all of them. Pure."""

import re
from collections.abc import Mapping, Sequence

from monitor.alert import words
from monitor.alert.harmless import harmless
from monitor.records import Alert, AlertState, Because

_WORD = 80
_COORDINATED = "coordinated"
_TELLING: Mapping[str, tuple[str, ...]] = {
    "race": ("claims", "denials"),
    _COORDINATED: ("claims", "denials", "pasted", "new_accounts", "top_platform"),
    "spike": ("expected", "ratio"),
    "volume": ("claims", "denials", "posts", "minutes"),
    "celebration": ("celebrations", "expected", "ratio"),
    "quiet": ("silent_minutes", "usual_minutes"),
}
"""The numbers that a rule's reasons are told with, or a single reason; others are told with all they have."""
_SAID_BY_SOMEBODY = frozenset({"status_set", "event_removed", "merged"})
"""What has no numbers of its own."""
_SHARES = frozenset({"posterior", "pasted", "new_accounts", "top_platform"})
_TIMES = re.compile(r"(?:claims|denials)_\d+_s")
"""How soon each side had so many posts: for those who ask the API."""
_CHANCE = "posterior"
_ALMOST = 0.999
"""No share but a whole one is told as 100 %."""


def why_fired(alert: Alert) -> str:
    """What made it fire, with the numbers of that moment."""
    why = alert.fired or Because(alert.reason, alert.numbers)
    return _told(why, _TELLING.get(why.reason, _TELLING.get(alert.rule)))


def what_now(alert: Alert) -> str:
    """What has taken the place of that, with the numbers of when it did; "" where nothing has."""
    if alert.fired is None or alert.reason == alert.fired.reason:
        behind = alert.rule == "race" and alert.denials > alert.claims
        return words.DENIALS_AHEAD if behind and alert.state is not AlertState.RESOLVED else ""
    telling = () if alert.reason in _SAID_BY_SOMEBODY else _TELLING.get(alert.rule)
    return _told(Because(alert.reason, alert.numbers), telling)


def worth(alert: Alert) -> str:
    """What the finding that made it fire is worth: of a race with the chance of that moment. Says nothing of truth."""
    why = alert.fired or Because(alert.reason, alert.numbers)
    chance = why.numbers.get(_CHANCE) if alert.rule == "race" else None
    if chance is not None:
        return words.WORTH_CHANCE.format(chance=_number(_CHANCE, chance))
    return words.WORTH.get(why.reason, words.WORTH.get(alert.rule, words.WORTH_UNKNOWN))


def spaced(name: str) -> str:
    """A name that the catalogue does not have, in words."""
    return harmless(name.replace("_", " "), _WORD)


def _told(why: Because, telling: Sequence[str] | None) -> str:
    """The reason with the numbers that are telling; all of them where none is known to be."""
    said = words.REASON.get(why.reason, spaced(why.reason))
    listed = telling is not None and (not telling or not why.numbers.keys().isdisjoint(telling))
    shown = (
        [name for name in telling or () if name in why.numbers]
        if listed
        else [name for name in why.numbers if not _TIMES.fullmatch(name)]
    )
    numbers = ", ".join(f"{words.NUMBER.get(name, spaced(name))} {_number(name, why.numbers[name])}" for name in shown)
    return f"{said} ({numbers})" if numbers else said


def _number(name: str, number: float) -> str:
    if name.endswith("minutes"):
        return words.MINUTES.format(minutes=f"{number:,.0f}")
    if name.endswith("_s"):
        return words.MINUTES.format(minutes=f"{number / 60:,.0f}")
    if name in _SHARES:
        return words.SHARE.format(share=f"{100 * (number if number >= 1 else min(number, _ALMOST)):.3g}")
    return f"{number:.4g}"
