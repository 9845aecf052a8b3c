"""The pages that a card's links open: plain HTML without scripts, in which hostile text is only text. Pure."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import NamedTuple

from monitor.alert import words
from monitor.alert.harmless import harmless
from monitor.alert.links import Action
from monitor.records import Alert

_STYLE = (
    "body{font:1.1em/1.5 sans-serif;max-width:36em;margin:2em auto;padding:0 1em}"
    "label{display:block;margin:1em 0 .2em}input,textarea,button{font:inherit;padding:.4em;box-sizing:border-box}"
    "input,textarea{width:100%}button{margin-top:1.2em}"
)
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
"""Nothing is kept, embedded, indexed or told to the next site: the address of the page is what allows the action."""
_CLAIM = 300
_WORD = 80


class Field(NamedTuple):
    """Something to fill in."""

    name: str
    needed: bool
    longest: int
    lines: int = 1


def asking(action: Action, alert: Alert, fields: list[Field], form: str) -> str:
    """The page that asks whether it is meant, and by whom; `form` shows that the answer comes from this page."""
    label = words.ACTIONS[action.value]
    shown = (
        (words.CLAIM, harmless(alert.label, _CLAIM) or words.REMOVED),
        (words.PAGE["event"], harmless(alert.event, _WORD)),
        (words.PAGE["stands"], f"{words.STATUS[alert.status]}, {words.STATE[alert.state]}"),
        (words.PAGE["counts"], words.RACE.format(claims=alert.claims, denials=alert.denials, authors=alert.authors)),
        (words.ALERT, harmless(alert.id, _WORD)),
    )
    rows = "".join(f"<p><strong>{escape(name)}:</strong> <bdi>{escape(said)}</bdi></p>" for name, said in shown)
    body = (
        f"<h1>{escape(label)}</h1>{rows}<p>{escape(words.MEANS[action.value])}</p>"
        f'<form method="post">{"".join(map(_field, fields))}'
        f'<input type="hidden" name="form" value="{escape(form)}"><button>{escape(label)}</button></form>'
    )
    return _page(label, body)


def saying(title: str, sentence: str) -> str:
    """A page that only says something."""
    return _page(title, f"<h1>{escape(title)}</h1><p><bdi>{escape(sentence)}</bdi></p>")


def _field(field: Field) -> str:
    attributes = (
        f'id="{field.name}" name="{field.name}" maxlength="{field.longest}"{" required" if field.needed else ""}'
    )
    label = f'<label for="{field.name}">{escape(words.PAGE[f"field_{field.name}"])}</label>'
    if field.lines > 1:
        return f'{label}<textarea {attributes} rows="{field.lines}" dir="auto"></textarea>'
    return f'{label}<input {attributes} dir="auto"{" autocomplete=name" if field.name == "who" else ""}>'


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex,nofollow">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>"
    )
