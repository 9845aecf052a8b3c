"""Builds what answers people who act from cards, from the configuration: the pages of links, and Slack's buttons."""

import logging
from collections.abc import Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from monitor.alert.receivers.slack_blocks import fallback
from monitor.app import observe
from monitor.app.build import links
from monitor.app.hands import Hands
from monitor.errors import StoreError
from monitor.records import Alert
from monitor.web.acting import Acts, Doing
from monitor.web.actions import Actions
from monitor.web.refused import refuse
from monitor.web.slack import SlackButtons

_PATIENCE = ClientTimeout(total=10.0)

log = logging.getLogger(__name__)


def acting(hands: Hands, office: Doing, session: ClientSession) -> list[web.RouteDef]:
    """The pages of links, where there is a key for them, and the address of Slack's buttons."""

    async def find(alert: str) -> Alert | None:
        try:
            return await hands.reader.ask(lambda: hands.reader.alert(alert))
        except StoreError:
            raise refuse(503, "store", "the store cannot be read now; the log says why", again=5) from None

    def secrets() -> Mapping[str, bytes]:
        return {name: word.reveal().encode() for name, word in hands.configured().signing_secrets.items()}

    async def tell(url: str, text: str) -> None:
        said = {"response_type": "ephemeral", "replace_original": False, "text": fallback(text)}
        try:
            async with session.post(url, json=said, allow_redirects=False, timeout=_PATIENCE):
                pass
        except (ClientError, TimeoutError, OSError) as error:
            log.warning("Slack could not be told what became of a button: %s", type(error).__name__)

    acts = Acts(office, find, hands.clock, lambda *acted: observe.acted(hands.metrics, *acted))
    made = links(hands.configured())
    pages = [] if made is None else Actions(made.key, acts, hands.clock).routes()
    return [*pages, *SlackButtons(secrets, acts, tell, hands.clock).routes()]
