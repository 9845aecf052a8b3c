"""A session of an account at its server, by an app password: made when it is needed, renewed as long as that goes."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import Struct

from monitor.clock import Clock
from monitor.collect.http import Answer, Http
from monitor.collect.http_rates import Budget, Limit
from monitor.errors import SourceRefusedError, SourceUnavailableError

_CREATE = "/xrpc/com.atproto.server.createSession"
_REFRESH = "/xrpc/com.atproto.server.refreshSession"
_STALE = frozenset({400, 401})
_BUCKET = "session"


class _Given(Struct, rename="camel"):
    access_jwt: str
    refresh_jwt: str


class _Refusal(Struct):
    error: str = ""


class Session:
    """Asks `service` as `login`; Bluesky gives an account 30 sessions in five minutes and 300 a day."""

    def __init__(self, service: str, login: str, password: str, clock: Clock) -> None:
        self._service = service.rstrip("/")
        self._login = login
        self._password = password
        self._made = [
            Budget(Limit(30, timedelta(minutes=5)), clock),
            Budget(Limit(300, timedelta(days=1)), clock),
        ]
        self._given: _Given | None = None

    async def get(
        self, http: Http, path: str, params: Sequence[tuple[str, str]], *, budgets: Sequence[Budget], bucket: str
    ) -> Answer:
        """Gets once more where the session has ended. Raises SourceUnavailableError and SourceRefusedError."""
        given = self._given or await self._create(http)
        for attempt in range(2):
            headers = {"Authorization": f"Bearer {given.access_jwt}"}
            answer = await http.get(
                self._service + path, params=params, headers=headers, also=_STALE, budgets=budgets, bucket=bucket
            )
            if answer.status not in _STALE:
                break
            if attempt or not _ended(answer):
                raise http.refusal(answer, bucket)
            given = await self._renew(http, given)
        return answer

    async def _renew(self, http: Http, old: _Given) -> _Given:
        headers = {"Authorization": f"Bearer {old.refresh_jwt}"}
        answer = await http.post(self._service + _REFRESH, b"", headers=headers, also=_STALE, bucket=_BUCKET)
        return await self._create(http) if answer.status in _STALE else self._take(answer)

    async def _create(self, http: Http) -> _Given:
        if any(budget.wait() for budget in self._made):
            why = "too many sessions of this account were made"
            raise SourceUnavailableError(why, max(budget.wait() for budget in self._made).total_seconds())
        body = msgspec.json.encode({"identifier": self._login, "password": self._password})
        headers = {"Content-Type": "application/json"}
        address = self._service + _CREATE
        answer = await http.post(address, body, headers=headers, also=_STALE, budgets=self._made, bucket=_BUCKET)
        if answer.status in _STALE:
            raise SourceRefusedError(str(http.refusal(answer)))  # the account, whatever was asked
        return self._take(answer)

    def _take(self, answer: Answer) -> _Given:
        try:
            self._given = msgspec.json.decode(answer.body, type=_Given)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            why = "the server gives a session that is not understood"
            raise SourceRefusedError(why) from error
        return self._given


def _ended(answer: Answer) -> bool:
    """Whether an answer says that the session is over, and not that the question is wrong."""
    try:
        said = msgspec.json.decode(answer.body, type=_Refusal).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        said = ""
    return answer.status == 401 or said in {"ExpiredToken", "InvalidToken"}  # noqa: PLR2004 -- HTTP's
