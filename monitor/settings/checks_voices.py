"""What the types of an event's voices cannot say."""

from collections.abc import Iterator, Sequence

from monitor.settings.sentences import shown
from monitor.watched import Voice


def of_voices(voices: Sequence[Voice]) -> Iterator[str]:
    """Yields `path: sentence` for each mistake in an event's voices whose types are right."""
    owners: dict[str, str] = {}
    names: set[str] = set()
    for i, voice in enumerate(voices):
        path = f"$.voices[{i}]"
        if voice.name in names:
            yield f"{path}.name: {shown(voice.name)} is taken; give each voice a name of its own, and all its accounts"
        names.add(voice.name)
        if not voice.accounts and not voice.links:
            yield f'{path}: nothing to know it by; write accounts = ["platform:author"], or links, or both'
        for name, marks in (("accounts", voice.accounts), ("links", voice.links)):
            for k, mark in enumerate(marks):
                if mark in owners:
                    yield f"{path}.{name}[{k}]: {shown(mark)} is one of {shown(owners[mark])} already; leave one out"
                owners.setdefault(mark, voice.name)
