"""What has become of posts that are known: their counts, or that they are gone."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from monitor.collect.bluesky_wire import Fold
from monitor.collect.claims import Count
from monitor.collect.http import Http
from monitor.collect.http_rates import Budget
from monitor.errors import SourceUnavailableError

AT_ONCE = 25
_GET_POSTS = "/xrpc/app.bsky.feed.getPosts"


class _View(Struct, rename="camel"):
    uri: str
    like_count: Count = 0
    repost_count: Count = 0
    reply_count: Count = 0


class _Answer(Struct):
    posts: list[_View]


class Again:
    """Reads posts again, within a budget; remembers which were missing at the last read."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._missing: set[str] = set()

    async def read(self, http: Http, api: str, uris: Sequence[str]) -> tuple[Fold, set[str]]:
        """Counts of those that are there; gone is what was missing before too; and what is missing for the first time.

        Raises SourceUnavailableError and SourceRefusedError.
        """
        answer = await http.get(
            api + _GET_POSTS, params=[("uris", uri) for uri in uris], budgets=(self._budget,), bucket="posts"
        )
        try:
            found = {one.uri: one for one in msgspec.json.decode(answer.body, type=_Answer).posts}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            why = f"{http.place(answer.url)}: an answer that is not understood"
            raise SourceUnavailableError(why) from error
        absent = [uri for uri in uris if uri not in found]
        gone = [uri for uri in absent if uri in self._missing]
        self._missing = (self._missing - set(uris)) | (set(absent) - set(gone))
        counts = [
            (uri, max(0, one.like_count), max(0, one.repost_count), max(0, one.reply_count))
            for uri in uris
            if (one := found.get(uri)) is not None
        ]
        return Fold(counts, gone), set(absent) - set(gone)
