"""What people say of alerts, as JSON."""

from typing import Annotated

from msgspec import Meta, Struct

from monitor.web.bodies import NO_NUL, By


class AckAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody takes a firing alert on."""

    by: By
    assignee: Annotated[str, Meta(max_length=200, pattern=NO_NUL, description="who looks after it")] = ""
    """Left out: who says so."""
    comment: Annotated[str, Meta(max_length=2000, pattern=NO_NUL)] = ""
