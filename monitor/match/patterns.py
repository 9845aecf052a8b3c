"""The event files' terms as the strings to look for in folded text, and what a hit of each stands for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from classifiers.text import fold_one
from monitor.watched import Event

EVERY = "*"
"""`any = ["*"]` takes every post; at the end of a term: however the word goes on."""

_ARABIC = re.compile("[\u0620-\u06ff]")
_HEBREW = re.compile("[\u05d0-\u05ea]")
_ARABIC_PREFIXES = "و ف ب ل ک ال وال فال بال کال وبال ول وب وک فب فل"
_HEBREW_PREFIXES = "ו ה ב ל מ ש כ וה וב ול ומ וש שה"
_PERSIAN_SUFFIXES = "ها های هایی را رو"
_GUESSED_LETTERS = 4
"""Where an event names no languages, only terms at least this long carry prefixes and suffixes: شیر is not بشیر."""
_BORROWED_LETTERS = 5
"""Only terms at least this long are also looked for as Arabic spells them, with ب for پ: پدر is not بدر."""


class Role(IntEnum):
    """What an event wants a term for."""

    ANY = 0
    ALL = 1
    NONE = 2
    PERSON = 3
    PLACE = 4


class Wish(NamedTuple):
    """One term of one event: what a hit stands for."""

    event: int
    """Index into the events."""
    role: Role
    term: str
    """As the event file spells it."""


class Pattern(NamedTuple):
    """One folded string to look for."""

    text: str
    goes_on: bool
    """The word may go on behind it."""


def wishes(events: Sequence[Event]) -> list[Wish]:
    """Every term of every event, in the events' order."""
    return [
        Wish(index, role, term)
        for index, event in enumerate(events)
        for role, terms in (
            (Role.ANY, event.any),
            (Role.ALL, event.all),
            (Role.NONE, event.none),
            (Role.PERSON, _names(event.people)),
            (Role.PLACE, _names(event.places)),
        )
        for term in dict.fromkeys(terms)
    ]


def takes_every(event: Event, wish: Wish) -> bool:
    """Whether every post fulfils the wish."""
    return wish.role is Role.ANY and event.any == (EVERY,)


def patterns(events: Sequence[Event], wished: Sequence[Wish]) -> dict[Pattern, list[int]]:
    """What to look for → which of `wished` it fulfils; raises ValueError with a line per unusable term."""
    found: dict[Pattern, list[int]] = {}
    mistakes: list[str] = []
    for number, wish in enumerate(wished):
        event = events[wish.event]
        if takes_every(event, wish):
            continue
        try:
            for pattern in spelled(wish.term, event.languages):
                found.setdefault(pattern, []).append(number)
        except ValueError as mistake:
            mistakes.append(f"event {event.name}: {mistake}")
    if mistakes:
        raise ValueError("\n".join(mistakes))
    return found


def spelled(term: str, languages: Sequence[str]) -> list[Pattern]:
    """The patterns of one term; raises ValueError that says what is wrong with it.

    An Arabic-script term also stands with what its languages attach to a word, and as Arabic spells it. No languages
    named means that any may be met.
    """
    text = fold_one(term.removesuffix(EVERY))
    if EVERY in text or not fold_one(term.replace(EVERY, "")):
        why = f'in the term {term!r} there is nothing to look for, or a "*" elsewhere than at its end'
        raise ValueError(why)
    texts = dict.fromkeys((text, *_borrowed(text, languages), *_attached(text, languages)))
    return [Pattern(each, term.endswith(EVERY)) for each in texts]


def _names(named: Mapping[str, Sequence[str]]) -> list[str]:
    return [spelling for name, spellings in named.items() for spelling in (name, *spellings)]


def _borrowed(text: str, languages: Sequence[str]) -> Iterator[str]:
    """Arabic has no پ: بنجشیر for پنجشیر."""
    if "پ" in text and len(text) >= _BORROWED_LETTERS and ("ar" in languages or not languages):
        yield text.replace("پ", "ب")


def _attached(text: str, languages: Sequence[str]) -> Iterator[str]:
    """The term with what Arabic, Hebrew and Persian write onto a word."""

    def spoken(language: str) -> bool:
        return language in languages or (not languages and len(text) >= _GUESSED_LETTERS)

    if _HEBREW.match(text) and spoken("he"):
        yield from (prefix + text for prefix in _HEBREW_PREFIXES.split())
    if not _ARABIC.match(text):
        return
    stems = (text, *_borrowed(text, languages))
    if spoken("ar"):
        yield from (prefix + stem for stem in stems for prefix in _ARABIC_PREFIXES.split())
        if text.startswith("ال"):
            yield from (prefix + text[2:] for prefix in ("لل", "ولل"))
    if spoken("fa"):
        yield from (text + suffix for suffix in _PERSIAN_SUFFIXES.split())
