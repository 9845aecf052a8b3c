"""What an operator may set of every source that speaks HTTP."""

from typing import Annotated

from msgspec import Meta

from monitor.collect.record import Recorded
from monitor.watched import Duration

Address = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*)?$(?!\n)",
        max_length=1000,
        description="an address such as https://api.example.org, without user, password and query",
    ),
]
"""Where a platform's interface is, in the settings of its source."""


class HttpSource(Recorded, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a source asks over HTTP."""

    timeout: Duration = Duration(seconds=30)
    """How long a platform may take to answer, or to connect."""
    largest_answer: Annotated[int, Meta(ge=1024, le=1 << 28)] = 1 << 24
    """Bytes of one answer or message, unpacked; a larger one is not taken."""
    user_agent: Annotated[
        str, Meta(pattern=r"^[ -~]{1,200}$(?!\n)", description="up to 200 printable ASCII characters")
    ] = "virality-monitor"
    """Who we say that we are; good manners name a way to reach you, some platforms ask for it."""
