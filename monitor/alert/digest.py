"""What was held back, as one message: a line for each card. Pure; hostile text is made harmless on the way."""

from collections.abc import Sequence
from datetime import tzinfo

from monitor.alert import words
from monitor.alert.card import Card, card
from monitor.alert.harmless import harmless
from monitor.records import Gathered

_CLAIM = 120
_EVENTS = 80


def digest_card(gathered: Sequence[Gathered], zone: tzinfo, *, repeat: bool = False) -> Card:
    """The digest as a card without posts; `repeat` as in `card`."""
    events = ", ".join(dict.fromkeys(one.alert.event for one in gathered))
    return Card(
        status=words.DIGEST,
        state=words.DIGEST_OF.format(cards=len(gathered)),
        event=harmless(events, _EVENTS),
        said="",
        claim="",
        watched="",
        stands="",
        source="",
        first="",
        first_link=None,
        since="",
        race="",
        apart="",
        posts=(),
        why="",
        blind=(),
        change="",
        alert=words.DIGEST_END,
        resolved=False,
        repeat=words.REPEAT if repeat else "",
        lines=tuple(_line(one, zone) for one in gathered),
    )


def _line(one: Gathered, zone: tzinfo) -> str:
    shown = card(one.alert, zone)
    return words.DIGEST_LINE.format(
        status=shown.status,
        state=shown.state,
        event=shown.event,
        claim=harmless(shown.claim, _CLAIM),
        changes=", ".join(words.TOLD_BECAUSE.get(change, change) for change in one.changes),
        claims=one.alert.claims,
        denials=one.alert.denials,
        alert=harmless(one.alert.id, _EVENTS),
    )
