"""What has become of statuses that are known: their counts and edits, or that they are gone."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from monitor.collect.http import Http
from monitor.collect.http_rates import Budget
from monitor.collect.mastodon_wire import Found, found_in
from monitor.errors import PostRejectedError, SourceRefusedError, SourceUnavailableError

AT_ONCE = 20
_ABSENT = frozenset({404, 410})


class Asking(NamedTuple):
    """Whom we ask, and within what."""

    http: Http
    instance: str
    headers: Mapping[str, str]
    budgets: Sequence[Budget]
    bucket: str


async def again(asking: Asking, ids: Sequence[str]) -> tuple[list[Found], list[str]]:
    """The statuses that are there, and the ids of those that are gone: each is asked for by itself before it is said.

    Raises SourceUnavailableError and SourceRefusedError: servers before version 4.3 know no such question at all.
    """
    if not ids:
        return [], []
    http, instance, headers, budgets, bucket = asking
    url = f"{instance}/api/v1/statuses"
    params = [("id[]", one) for one in ids]
    answer = await http.get(url, params=params, headers=headers, budgets=budgets, bucket=bucket, also=_ABSENT)
    if answer.status in _ABSENT:
        raise SourceRefusedError(str(http.refusal(answer)))
    try:
        found = found_in(answer.body)
    except PostRejectedError as error:
        why = f"{http.place(answer.url)}: an answer that is not understood ({error})"
        raise SourceUnavailableError(why) from error
    there, gone = {one.status.id for one in found}, []
    for one in ids:
        if one not in there:
            alone = await http.get(f"{url}/{one}", headers=headers, budgets=budgets, bucket=bucket, also=_ABSENT)
            gone += [one] if alone.status in _ABSENT else []
    return found, gone
