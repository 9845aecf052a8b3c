"""The errors of the house, sorted by what the caller does about them; anything else is a bug and ends the process."""

from collections.abc import Sequence


class SettingsError(Exception):
    """A configuration that cannot be used: every mistake, one line each, with file and path; exit status 2."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class SourceUnavailableError(Exception):
    """A source that does not answer now; its supervisor tries again, after `retry_after` seconds where known.

    `within` bounds the pause, in seconds, where a try costs nobody anything. `whole`: though only a part of the source
    was asked, none can be read.
    """

    def __init__(
        self, why: str, retry_after: float | None = None, *, within: float | None = None, whole: bool = False
    ) -> None:
        super().__init__(why)
        self.retry_after = retry_after
        self.within = within
        self.whole = whole


class SourceRefusedError(Exception):
    """A source that will not serve us (credentials, quota spent): it stops, the others go on.

    `question`: only what was asked is refused, because it is wrong or there is no such thing; others may be answered.
    """

    def __init__(self, why: str, *, question: bool = False) -> None:
        super().__init__(why)
        self.question = question


class PostRejectedError(Exception):
    """A payload that is no usable post; `reason` is one of `monitor.records.REJECTIONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class DeliveryError(Exception):
    """A notification a receiver did not take; `retry` says whether trying again can help.

    `retry_after` is what the receiver asked for, in seconds; `reason` is a word of a bounded set for metrics; `unknown`
    says that it may have arrived all the same.
    """

    def __init__(
        self, reason: str, *, retry: bool, retry_after: float | None = None, unknown: bool = False, detail: str = ""
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.retry = retry
        self.retry_after = retry_after
        self.unknown = unknown


class StoreError(Exception):
    """The store cannot be used (disk full, read-only, corrupt, wrong schema); the message says what to do.

    `passes` says whether trying again can help: a disk is freed, a server comes back, a damaged file stays damaged.
    """

    def __init__(self, why: str, *, passes: bool = False) -> None:
        super().__init__(why)
        self.passes = passes
