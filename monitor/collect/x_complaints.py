"""What X says instead of posts: that all that was paid for is used up, or that it cannot go on."""

from monitor.collect import x_post
from monitor.collect.http import Answer
from monitor.errors import SourceRefusedError, SourceUnavailableError

_FATAL = frozenset({"usage-capped", "UsageCapExceeded"})


def capped(answer: Answer) -> bool:
    """Whether an answer says that all that was paid for is used up, which no waiting mends before the next cycle."""
    return not _FATAL.isdisjoint(x_post.troubles(answer.body))


def complained(body: bytes) -> None:
    """Raises SourceUnavailableError or SourceRefusedError for what X complains of within an answer."""
    said = x_post.troubles(body)
    if not said:
        return
    why = f"X says: {', '.join(said)}"[:200]
    raise SourceUnavailableError(why) if _FATAL.isdisjoint(said) else SourceRefusedError(why)
