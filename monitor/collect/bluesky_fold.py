"""What events say of posts that came before them: counts by post, accounts that are gone or whose history was mended.

Counted are posts that came while this ran: from their first moment, so that a count is whole and not what happened to
be seen; others are left to whoever reads them anew. A like that is taken back names no post, so likes are gross.
"""

from collections import OrderedDict
from collections.abc import Sequence

from monitor.collect.bluesky_wire import LIKE, POST, REPOST, Event, Fold, View

_DOUBTED = 10_000
"""Posts that wait to be read again because of what became of their accounts, at most."""


class _Known:
    """A post that came while this ran."""

    __slots__ = ("likes", "replies", "reposts")

    def __init__(self) -> None:
        self.likes = self.reposts = self.replies = 0


class Folding:
    """Remembers the last `most` posts, and which of them an account wrote."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._of: dict[str, dict[str, None]] = {}
        """Account → the addresses of its posts."""
        self._changed: dict[str, _Known] = {}
        self._gone: list[str] = []
        self._accounts: dict[str, None] = {}
        """Accounts that are gone."""
        self._doubted: OrderedDict[str, None] = OrderedDict()
        """Posts of which nobody knows whether they are still there."""

    def take(self, event: Event) -> bool:
        """One event in its turn; says whether its own line must be handed on for what it says."""
        commit = event.commit
        if event.kind != "commit" or commit is None:
            self._take_account(event)
            return False
        if commit.operation == "create" and commit.record is not None:
            record = commit.record
            if commit.collection == POST:
                self._begin(event.uri, event.did)
                parent = record.reply.parent if record.reply is not None else None
                self._count(parent.uri if parent is not None else None, "replies")
            elif commit.collection == REPOST:
                self._count(record.subject.uri if record.subject is not None else None, "reposts")
            elif commit.collection == LIKE:
                self._count(record.subject.uri if record.subject is not None else None, "likes")
        elif commit.operation == "delete" and commit.collection == POST:
            self.forget([event.uri])
        return commit.collection in {POST, REPOST}

    def _take_account(self, event: Event) -> None:
        """An account is gone with its posts; or its history was mended, or is not to be had, and they are in doubt."""
        account = event.account
        if event.kind == "account" and account is not None and account.gone:
            gone = list(self._of.get(event.did, ()))
            self._gone += gone
            self._accounts[event.did] = None
            self.forget(gone)
        elif event.kind == "sync" or (event.kind == "account" and account is not None and not account.active):
            self.doubt(list(self._of.get(event.did, ())))

    def doubt(self, uris: Sequence[str]) -> None:
        """These posts are to be read again, as long as not too many are."""
        for uri in uris:
            if len(self._doubted) < _DOUBTED:
                self._doubted[uri] = None

    @property
    def doubted(self) -> int:
        """How many posts are to be read again."""
        return len(self._doubted)

    def doubts(self, most: int) -> list[str]:
        """The next of them, which are in doubt no more."""
        return [self._doubted.popitem(last=False)[0] for _ in range(min(most, len(self._doubted)))]

    def found(self, view: View) -> None:
        """A post that a search brought, and its counts: counting goes on from there."""
        if not view.uri.startswith(f"at://{view.author.did}/{POST}/"):
            return
        self._begin(view.uri, view.author.did)
        self.correct(view.uri, max(0, view.like_count), max(0, view.repost_count), max(0, view.reply_count))

    def correct(self, uri: str, likes: int, reposts: int, replies: int) -> None:
        """What the platform itself says of a post: counting goes on from there."""
        if (known := self._known.get(uri)) is not None:
            known.likes, known.reposts, known.replies = likes, reposts, replies

    def told(self) -> Fold | None:
        """What has changed since this was last asked; None where nothing has."""
        if not self._changed and not self._accounts:
            return None
        counts = [(uri, one.likes, one.reposts, one.replies) for uri, one in self._changed.items()]
        fold = Fold(counts, self._gone, list(self._accounts))
        self._changed, self._gone, self._accounts = {}, [], {}
        return fold

    def __len__(self) -> int:
        """How many posts are remembered."""
        return len(self._known)

    def _begin(self, uri: str, did: str) -> None:
        if uri in self._known:
            return
        self._known[uri] = _Known()
        self._of.setdefault(did, {})[uri] = None
        while len(self._known) > self._most:
            oldest, _ = self._known.popitem(last=False)
            self._part(oldest)

    def _part(self, uri: str) -> None:
        """A post is no longer known as one of its account's."""
        account = uri.split("/", 3)[2]
        posts = self._of.get(account)
        if posts is not None:
            posts.pop(uri, None)
            if not posts:
                del self._of[account]

    def _count(self, uri: str | None, what: str) -> None:
        known = self._known.get(uri) if uri is not None else None
        if uri is None or known is None:
            return
        setattr(known, what, getattr(known, what) + 1)
        self._known.move_to_end(uri)
        self._changed[uri] = known

    def forget(self, uris: Sequence[str]) -> None:
        """These posts are gone."""
        for uri in uris:
            self._changed.pop(uri, None)
            self._doubted.pop(uri, None)
            if self._known.pop(uri, None) is not None:
                self._part(uri)


class Recent:
    """The last events, so that those that come again behind a rewound cursor are known; bounded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[int, None] = OrderedDict()

    def again(self, event: Event) -> bool:
        """Whether an event came before; remembers it."""
        commit = event.commit
        said = (commit.collection, commit.rkey, commit.rev, commit.operation) if commit is not None else event.at
        key = hash((event.kind, event.did, said))
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return False
