"""The page of every kind of source, from what each declares of itself."""

from collections.abc import Iterator
from typing import get_args

from monitor.collect.about import About
from monitor.settings import Source

_INTRODUCTION = """# Sources

What each kind of source asks for, and what it can and cannot tell. Written by `monitor source catalogue` from what the
sources declare of themselves; a test holds them together. `monitor source test NAME` tries one that is configured,
without consequences: it prints ten posts and stores nothing. Only X cannot be tried for nothing: it buys a page of ten
posts and says so first; what that costs stands in no budget, for the daemon alone keeps it.

Whatever a source is silent about stands on its card and in the archive as a gap, never as a zero. So does a feed, a
channel or another part of a source that is refused, or fails twice in a row, while the others go on: as a gap of
`SOURCE: PART`, until it answers or is no part any more. Spikes go on being judged by what the other parts bring; the
silence of the source is not judged. Where a part answers but may have lost posts meanwhile, that is a gap of the whole
source with the part in its reason: how much is missing is not known, so spikes and silence leave that time out.

Every source may be recorded: `record = "FOLDER"` keeps its raw payloads, texts and authors included, in files that
rotate within `record_bytes`; what is deleted on the platform stays in them until they make room.
`monitor source replay NAME FILE…` reads them as the source would and prints post/1 lines for `monitor replay`.

Where a platform has to be asked what became of a post, the hottest are read again first. A post is as hot as it is new
and answered, quoted or reposted by mentions, half of which is gone after half an hour, and as many likes, reposts and
replies a minute as it had gained at its last read. Ten minutes of waiting weigh like twice the heat, so that none waits
for ever. What nobody has answered for six hours is left alone, unless it gained a reaction a minute up to its last
reads, over a quarter of an hour at least; after a restart, until more reactions of it are told.

What comes late is archived, tagged and shown, and is in no count, no race and no spike, lest the end of an outage look
like one: more than two minutes after it was posted, and from Telegram eight minutes later than that, Reddit five, RSS
thirty, YouTube twenty, GDELT forty-five, since these are asked every few minutes. So what a source finds by looking
back when an event is added tells the desk what was said, and alarms nobody.
"""
_HEADINGS = {
    "reads": "brings",
    "access": "access",
    "limits": "limits",
    "resumes": "after an outage",
    "edits": "edits and deletions",
    "cannot": "cannot tell",
    "reposts": "reposts are counted",
}


def catalogue() -> str:
    """docs/sources.md."""
    return _INTRODUCTION + "".join(_page(kind, about) for kind, about in kinds())


def kinds() -> Iterator[tuple[str, About]]:
    """Every kind of source, in the order of the settings."""
    for kind in get_args(Source):
        yield kind.__struct_config__.tag, kind.ABOUT


def _page(kind: str, about: About) -> str:
    rows = "".join(f"| {heading} | {getattr(about, name)} |\n" for name, heading in _HEADINGS.items())
    return f"\n## {kind}\n\n| | |\n|---|---|\n{rows}"
