"""An alert as the plain text that every channel can show. Pure; hostile text is made harmless on the way."""

from datetime import UTC, tzinfo

from monitor.alert.card import card, plain
from monitor.alert.harmless import harmless
from monitor.records import Alert

__all__ = ["card_text", "harmless"]


def card_text(alert: Alert, zone: tzinfo = UTC) -> str:
    """The card, line by line in the desk's order; times in UTC and, where another is given, in the desk's `zone`.

    Order: status word, claim, who said it first and when, claims against denials, celebration and questions apart, why
    it is told, three to five posts with tag, platform, time and link, why it fired and since when, what that is worth,
    blind feeds, what would change it. Says nothing of truth.
    """
    return plain(card(alert, zone))
