"""An alert as JSON for machines, version 1: what the webhook posts and the file keeps.

`version` 1 · `key` the idempotency key · `sent_to` the receiver's name · `text` the whole card as plain text ·
`alert` the fields of `monitor.records.Alert`: id, fingerprint, event, narrative, label, proposition, rule, state, at,
since, reason, status, claims, denials, celebrations, questions, authors, numbers, evidence[] (platform, id, tag,
posted_at, text, url, cues, payload_sha256, seen_at, voice), fired (reason and numbers of when it fired), label_of
(platform and id of the post that the label quotes; or null), said (the status mark: by, at, evidence, voice; or null),
checks[] (claim, by, rating, url, title, claimant, language, reviewed_at), acknowledged (by, at, assignee, comment; or
null), blind[] (source, begins, ends, why), series (begins, then per minute claims[], denials[], celebrations[], and
spikes[]; or null).
Texts are made harmless, links are plain web addresses or null, and `author` is null: who posted stays inside.
Fields may be added; another meaning is another version.
"""

import msgspec
from msgspec.structs import replace

from monitor.alert.harmless import harmless, harmless_link, post_link
from monitor.alert.message import card_text
from monitor.marks import AckMark, FactCheck, StatusMark
from monitor.records import Alert, Evidence, Notification

VERSION = 1
_LINE = 500
_POST = 2_000


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One notification on the wire."""

    version: int
    key: str
    sent_to: str
    text: str
    alert: Alert


def document(notification: Notification) -> bytes:
    """The notification as one line of JSON in UTF-8, without its line end."""
    alert = notification.alert
    return msgspec.json.encode(
        Document(
            version=VERSION,
            key=notification.key,
            sent_to=notification.receiver,
            text=card_text(alert),
            alert=replace(
                alert,
                label=harmless(alert.label, _LINE),
                proposition=harmless(alert.proposition, _LINE),
                said=_said(alert.said),
                checks=tuple(_check(check) for check in alert.checks),
                acknowledged=_taken(alert.acknowledged),
                evidence=tuple(_piece(piece) for piece in alert.evidence),
                blind=tuple(replace(gap, why=harmless(gap.why, _LINE)) for gap in alert.blind),
            ),
        )
    )


def _said(mark: StatusMark | None) -> StatusMark | None:
    if mark is None:
        return None
    evidence = harmless_link(mark.evidence) or harmless(mark.evidence, _LINE)
    return replace(mark, by=harmless(mark.by, _LINE), evidence=evidence)


def _check(check: FactCheck) -> FactCheck:
    return replace(
        check,
        claim=harmless(check.claim, _POST),
        by=harmless(check.by, _LINE),
        rating=harmless(check.rating, _LINE),
        url=harmless_link(check.url) or "",
        title=harmless(check.title, _LINE),
        claimant=harmless(check.claimant, _LINE),
        language=harmless(check.language, _LINE),
    )


def _taken(ack: AckMark | None) -> AckMark | None:
    if ack is None:
        return None
    by, assignee, comment = (harmless(one, _LINE) for one in (ack.by, ack.assignee, ack.comment))
    return replace(ack, by=by, assignee=assignee, comment=comment)


def _piece(piece: Evidence) -> Evidence:
    cues = None if piece.cues is None else harmless(piece.cues, _LINE)
    url = post_link(piece.url, piece.id if piece.text else "")
    voice = None if piece.voice is None else harmless(piece.voice, _LINE)
    return replace(piece, text=harmless(piece.text, _POST), url=url, author=None, cues=cues, voice=voice)
