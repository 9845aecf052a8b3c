"""What a card says of times, and of who said or did what. Pure; every text in it is harmless."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from monitor.alert import words
from monitor.alert.harmless import harmless, harmless_link, post_link
from monitor.marks import AWAY, AckMark, FactCheck, GapMark, StatusMark
from monitor.records import Alert, Evidence

LATE = timedelta(minutes=10)
"""A post that was seen so long after it was posted is said to be."""
_CLAIM = 200
_SHORT = 80
_WORD = 80


def status_said(mark: StatusMark, zone: tzinfo) -> str:
    """Who set the status, when, and on what evidence."""
    who = words.VOICE if mark.voice else words.EDITOR
    post = mark.evidence[mark.evidence.find("at://") :] if "at://" in mark.evidence else ""
    evidence = post_link(mark.evidence, post) or harmless(mark.evidence, _CLAIM)
    return words.SAID.format(who=who, by=harmless(mark.by, _WORD), at=moment(mark.at, zone), evidence=evidence or "–")


def taken_on(ack: AckMark, zone: tzinfo) -> str:
    """Who took the alert on, and who looks after it."""
    by, assignee = harmless(ack.by, _WORD), harmless(ack.assignee or ack.by, _WORD)
    comment = harmless(ack.comment, _SHORT)
    said = words.TAKEN_BY.format(by=by, at=moment(ack.at, zone), assignee=assignee)
    return f"{said}: {comment}" if comment else said


def reviewed(check: FactCheck) -> tuple[str, str | None]:
    """A fact check in its own words, and its link: nothing here says what they mean."""
    by, rating, claim = (harmless(one, _WORD) for one in (check.by, check.rating, check.claim))
    return words.CHECKED.format(by=by, rating=rating, claim=claim), harmless_link(check.url)


def told_because(alert: Alert, zone: tzinfo) -> str:
    """Why the desk is told; "" of a test."""
    said = words.TOLD_BECAUSE.get(alert.change, "")
    away = [gap for gap in alert.blind if gap.why == AWAY]
    if alert.change != "monitor_away" or not away:
        return said
    return f"{said} ({moment(away[-1].begins, zone)}–{moment(away[-1].ends, zone)})"


def outages(gaps: Sequence[GapMark], zone: tzinfo, most: int) -> tuple[str, ...]:
    """The last outages of sources, at most so many, a line each; when the monitor was away is one line for all.

    Those of whole sources come first; the parts of a source that are blind are one line, which names the newest.
    """
    whole = tuple(dict.fromkeys(_outage(gap, zone) for gap in gaps if not gap.partial))[-most:]
    parts: dict[str, list[GapMark]] = {}
    for gap in gaps:
        if gap.partial:
            parts.setdefault(gap.whole, []).append(gap)
    return (*whole, *(_parts(of_source, zone) for of_source in parts.values()))[:most]


def _parts(gaps: Sequence[GapMark], zone: tzinfo) -> str:
    """Of the parts of a source that are blind, when and why one was, and how many others were."""
    newest = max(gaps, key=lambda gap: (gap.goes_on, gap.begins, gap.ends))
    said, more = _outage(newest, zone), len({gap.source for gap in gaps}) - 1
    return words.MORE_PARTS.format(said=said, more=more) if more else said


def _outage(gap: GapMark, zone: tzinfo) -> str:
    """When which source was blind, and why."""
    begins, ends = moment(gap.begins, zone), moment(gap.ends, zone)
    if gap.why == AWAY:
        return words.AWAY.format(begins=begins, ends=ends)
    said = words.BLIND_SINCE if gap.goes_on else words.BLIND
    return said.format(source=harmless(gap.source, _WORD), begins=begins, ends=ends, why=harmless(gap.why, _WORD))


def told_first(piece: Evidence, zone: tzinfo) -> str:
    """Who posted it where that is a registered voice, where and when, and when it was seen if that was much later."""
    said = posted(piece, zone)
    late = piece.seen_at is not None and piece.seen_at - piece.posted_at > LATE
    return words.SEEN_LATER.format(said=said, at=moment(piece.seen_at, zone)) if late and piece.seen_at else said


def posted(piece: Evidence, zone: tzinfo) -> str:
    """Where and when a post was posted; by whom only where that is a registered voice: others stay inside."""
    said = f"{harmless(piece.platform, _WORD)}, {moment(piece.posted_at, zone)}"
    return words.VOICED.format(voice=harmless(piece.voice, _WORD), said=said) if piece.voice else said


def moment(at: datetime, zone: tzinfo) -> str:
    """A time in UTC, and in the desk's `zone` where that is another."""
    utc = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    local = at.astimezone(zone)
    return utc if local.utcoffset() == at.astimezone(UTC).utcoffset() else f"{local:%Y-%m-%d %H:%M %z} ({utc})"
