"""What the API answers of fact checks."""

from msgspec import Struct

from monitor.marks import FactCheck


class CheckList(Struct, frozen=True, kw_only=True):
    """What fact-checkers said, oldest first; evidence for editors, who set a status with it or do not."""

    checks: tuple[FactCheck, ...]
