"""`/actions/…`: where a card's links lead. A GET only shows a page; its button does it, and asks who wants it.

Chats fetch links to preview them, mail filters follow them: so nothing happens before a form is sent that only the
page could make. The signed link stands in the place of the token of `[web]`: a browser that comes from a chat has none.
A page is good for an hour, and its form counts once.
"""

from datetime import timedelta
from hmac import compare_digest
from urllib.parse import parse_qs

from aiohttp import web

from monitor.alert import words
from monitor.alert.links import PLACE, Action, Link, mark, over
from monitor.clock import Clock
from monitor.web.acting import LONGEST_NAME, LONGEST_WORDS, Acts, Deed
from monitor.web.action_page import HEADERS, Field, asking, saying
from monitor.web.body import Bodies
from monitor.web.once import Once
from monitor.web.refused import RefusedError, Respond, refuse

MOST_BYTES = 1 << 15
WITHIN = timedelta(seconds=20)
PAGE_LASTS = timedelta(hours=1)
_FROM_OURS = frozenset({"", "same-origin", "none"})
_NEEDS_EVIDENCE = frozenset({Action.CONFIRM, Action.DEBUNK})


class Actions:
    """The pages behind the links that are signed with `key`."""

    def __init__(self, key: bytes, acts: Acts, clock: Clock) -> None:
        self._key = key
        self._acts = acts
        self._clock = clock
        self._bodies = Bodies(16 * MOST_BYTES)
        self._sent = Once(PAGE_LASTS)

    def routes(self) -> list[web.RouteDef]:
        """Both methods of the one page."""
        place = f"{PLACE}/{{action}}/{{alert}}"
        return [web.get(place, _in_html(self._show)), web.post(place, _in_html(self._act))]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        link, action = self._link(request)
        alert = await self._acts.alert(link.alert)
        issued = str(int(self._clock.now().timestamp()))
        return _answer(200, asking(action, alert, _fields(action), f"{issued}.{self._form(link, issued)}"))

    async def _act(self, request: web.Request) -> web.StreamResponse:
        link, action = self._link(request)
        if request.headers.get("Sec-Fetch-Site", "").lower() not in _FROM_OURS:
            raise refuse(403, "foreign_page", words.PAGE["foreign_page"])
        async with self._bodies.read(request, MOST_BYTES, WITHIN) as raw:
            typed = _typed(raw)
        form = typed.get("form", "")
        self._check(link, form)
        if not self._sent.take(form, self._clock.now()):
            raise refuse(409, "sent_before", words.PAGE["sent_before"])
        deed = Deed(
            action=action,
            alert=link.alert,
            by=typed.get("who", ""),
            via="link",
            receiver=link.receiver,
            said=typed.get("said", ""),
            assignee=typed.get("assignee", ""),
        )
        done = False
        try:
            sentence = await self._acts.do(deed)
            done = True
        finally:
            if not done:
                self._sent.give_back(form)
        return _answer(200, saying(words.PAGE["done"], sentence))

    def _link(self, request: web.Request) -> tuple[Link, Action]:
        """The link that was followed; raises RefusedError unless we signed it and it still holds."""
        asked, place = request.query, request.match_info
        expires = asked.get("e", "")
        plain = expires.isascii() and expires.isdigit() and len(expires) < len("10000000000000")
        link = Link(
            place["action"], place["alert"], asked.get("n", ""), asked.get("r", ""), int(expires) if plain else 0
        )
        if not link.signed(self._key, asked.get("s", "")):
            raise refuse(403, "forged", words.PAGE["forged"])
        if over(link.expires, self._clock.now()):
            raise refuse(410, "expired", words.PAGE["expired"])
        return link, Action(link.action)

    def _check(self, link: Link, form: str) -> None:
        """Raises RefusedError unless the form was made by this link's page, not long ago."""
        issued, _, signature = form.partition(".")
        wanted = self._form(link, issued)
        if not _same(wanted, signature):
            raise refuse(403, "no_form", words.PAGE["no_form"])
        if over(int(issued) + int(PAGE_LASTS.total_seconds()), self._clock.now()):
            raise refuse(410, "old_page", words.PAGE["old_page"])

    def _form(self, link: Link, issued: str) -> str:
        return mark(self._key, "form/1", link.signature(self._key), issued)


def _same(wanted: str, given: str) -> bool:
    return compare_digest(wanted.encode(), given.encode("utf-8", "surrogateescape"))


def _fields(action: Action) -> list[Field]:
    needed = action in _NEEDS_EVIDENCE
    fields = [Field("who", needed=True, longest=LONGEST_NAME)]
    fields += [Field("assignee", needed=False, longest=LONGEST_NAME)] if action is Action.ACKNOWLEDGE else []
    return [*fields, Field("evidence" if needed else "said", needed=needed, longest=LONGEST_WORDS, lines=3)]


def _typed(raw: bytes) -> dict[str, str]:
    """A form's fields; raises RefusedError where it is none."""
    try:
        fields = parse_qs(raw.decode("ascii"), max_num_fields=10, errors="strict")
    except ValueError:
        raise refuse(400, "no_form", words.PAGE["no_form"]) from None
    typed = {name: values[0] for name, values in fields.items()}
    return typed | ({"said": typed["evidence"]} if "evidence" in typed else {})


def _answer(status: int, page: str) -> web.Response:
    return web.Response(status=status, text=page, content_type="text/html", charset="utf-8", headers=HEADERS)


def _in_html(handler: Respond) -> Respond:
    """Says no on a page, for people."""

    async def respond(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as error:
            return _answer(error.status, saying(words.PAGE["refused"], error.body.detail))

    return respond
