"""What a platform is asked for: the terms of an event in a platform's own words, in as few questions as fit.

A post that names only a person and a place of an event is not asked for: no platform can be asked that in few words.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from monitor.watched import Event

EVERY_POST = ("*",)

Events = Callable[[], Sequence[Event]]
"""The events that are watched now."""


class Asked(NamedTuple):
    """What is asked for."""

    any: tuple[str, ...]
    """One of these has to occur,"""
    all: tuple[str, ...]
    """… all of these,"""
    none: tuple[str, ...]
    """… and none of these."""


def asked(event: Event) -> Asked | None:
    """What is asked for an event; None where it takes every post, which can be asked of nobody."""
    return None if event.any == EVERY_POST else Asked(event.any, event.all, event.none)


def questions(wanted: Asked, write: Callable[[Asked], str], longest: int) -> Iterator[str]:
    """`wanted` as questions of at most so many characters, its terms divided among them.

    Where even one term does not fit beside the others, those that rule posts out are left away, then those that must
    occur as well: a platform's answer is matched again here.
    """
    waiting = list(wanted.any)
    for frame in (wanted, wanted._replace(none=()), wanted._replace(all=(), none=())):
        kept: list[str] = []
        rest: list[str] = []
        for term in waiting:
            if len(write(frame._replace(any=(*kept, term)))) <= longest:
                kept.append(term)
            elif kept and len(write(frame._replace(any=(term,)))) <= longest:
                yield write(frame._replace(any=tuple(kept)))
                kept = [term]
            else:
                rest.append(term)
        if kept:
            yield write(frame._replace(any=tuple(kept)))
        waiting = rest


def quoted(term: str) -> str:
    """A term as a phrase in double quotes; quotes and backslashes within it are no part of it."""
    return '"' + " ".join(term.replace('"', " ").replace("\\", " ").split()) + '"'
