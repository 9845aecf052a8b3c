"""An alert as the plain text that every channel can show. Pure; hostile text is made harmless on the way."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from monitor.alert import words
from monitor.alert.harmless import harmless, harmless_link
from monitor.marks import GapMark, StatusMark
from monitor.records import VOICE, Alert, Evidence

__all__ = ["card_text", "harmless"]

_CLAIM = 200
_TEXT = 240
_WORD = 80
_MOST_EVIDENCE = 5
_MOST_GAPS = 5
_SAID = frozenset({"claims", "denials", "celebrations", "questions", "authors"})  # stand on lines of their own


def card_text(alert: Alert, zone: tzinfo = UTC) -> str:
    """The card, line by line in the desk's order; times in UTC and, where another is given, in the desk's `zone`.

    Order: status word, claim, first and since, claims against denials, celebration and questions apart, three to five
    posts with tag, platform, time and link, why it fired, blind feeds, what would change it. Says nothing of truth.
    """
    return "\n".join(_lines(alert, zone))


def _lines(alert: Alert, zone: tzinfo) -> Iterator[str]:
    yield f"{words.STATUS[alert.status]} · {words.STATE[alert.state]} · {harmless(alert.event, _WORD)}"
    if alert.said is not None:
        yield _said(alert.said, zone)
    claim = harmless(alert.label, _CLAIM) or harmless(alert.proposition, _CLAIM)
    yield f"{words.CLAIM}: {claim}"
    watched = harmless(alert.proposition, _CLAIM)
    if watched != claim:
        yield f"{words.WATCHED}: {watched}"
    if alert.narrative_state is not None:
        yield f"{words.STANDS}: {words.NARRATIVE_STATE[alert.narrative_state]}"
    if alert.subject:
        kind = words.REGISTERED if alert.subject.startswith(VOICE) else words.SOURCE
        yield f"{kind}: {harmless(alert.subject.removeprefix(VOICE), _WORD)}"
    yield from _times(alert, zone)
    yield words.RACE.format(claims=alert.claims, denials=alert.denials, authors=alert.authors)
    yield words.APART.format(celebrations=alert.celebrations, questions=alert.questions)
    if alert.evidence:
        yield f"{words.EVIDENCE}:"
    for piece in alert.evidence[:_MOST_EVIDENCE]:
        yield f"  {_post(piece, zone)}"
    yield f"{words.WHY}: {_why(alert)}"
    for gap in alert.blind[:_MOST_GAPS]:
        yield _blind(gap, zone)
    yield f"{words.CHANGE}: {words.CHANGES.get(alert.rule, words.OTHER_CHANGE)}"
    yield f"{words.ALERT} {harmless(alert.id, _WORD)}, {_time(alert.at, zone)}"


def _said(mark: StatusMark, zone: tzinfo) -> str:
    who = words.VOICE if mark.voice else words.EDITOR
    evidence = harmless_link(mark.evidence) or harmless(mark.evidence, _CLAIM)
    return words.SAID.format(who=who, by=harmless(mark.by, _WORD), at=_time(mark.at, zone), evidence=evidence or "–")


def _times(alert: Alert, zone: tzinfo) -> Iterator[str]:
    claims = [piece for piece in alert.evidence if piece.tag == "claim"]
    if claims:
        first = min(claims, key=lambda piece: (piece.posted_at, piece.platform, piece.id))
        yield f"{words.FIRST}: {harmless(first.platform, _WORD)}, {_time(first.posted_at, zone)}"
    yield f"{words.SINCE}: {_time(alert.since, zone)}"


def _post(piece: Evidence, zone: tzinfo) -> str:
    said = harmless(piece.text, _TEXT)
    if not said:
        said = words.REMOVED if piece.author is None and piece.url is None else words.NO_TEXT
    where = f"[{harmless(piece.tag, _WORD)}] {harmless(piece.platform, _WORD)}, {_time(piece.posted_at, zone)}"
    link = harmless_link(piece.url)
    shown = f"{where}: {said}" if link is None else f"{where}: {said} {link}"
    cues = harmless(piece.cues or "", _WORD)
    return f"{shown} ({words.CUES}: {cues})" if cues and piece.text else shown


def _why(alert: Alert) -> str:
    reason = words.REASON.get(alert.reason, _spaced(alert.reason))
    shown = {words.NUMBER.get(name, _spaced(name)): n for name, n in alert.numbers.items() if name not in _SAID}
    numbers = ", ".join(f"{name} {number:.4g}" for name, number in shown.items())
    return f"{reason} ({numbers})" if numbers else reason


def _spaced(name: str) -> str:
    return harmless(name.replace("_", " "), _WORD)


def _blind(gap: GapMark, zone: tzinfo) -> str:
    begins, ends = _time(gap.begins, zone), _time(gap.ends, zone)
    said = words.BLIND_SINCE if gap.goes_on else words.BLIND
    return said.format(source=harmless(gap.source, _WORD), begins=begins, ends=ends, why=harmless(gap.why, _WORD))


def _time(at: datetime, zone: tzinfo) -> str:
    utc = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    local = at.astimezone(zone)
    return utc if local.utcoffset() == at.astimezone(UTC).utcoffset() else f"{local:%Y-%m-%d %H:%M %z} ({utc})"
