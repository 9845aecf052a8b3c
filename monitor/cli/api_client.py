"""Asks the running daemon: one request, one answer, and a clear line where there is none."""

import http.client
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from monitor.errors import SettingsError, StoreError
from monitor.settings import load_web
from monitor.web.refused import Refused
from monitor.web.routes import ROOT

PATIENCE = 60.0
"""Seconds an answer may take."""
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- what a daemon listens on, not we
"""What a daemon listens on → how this machine reaches it."""
_MISTAKEN, _BROKEN = 400, 500

Answer = TypeVar("Answer", bound=Struct)


class ApiClient:
    """The API of the daemon that runs under a configuration; raises SettingsError if `[web]` has mistakes."""

    def __init__(self, directory: Path) -> None:
        web, token = load_web(directory)
        self._directory = directory
        self._host, self._port = EVERYWHERE.get(web.host, web.host), web.port
        self._headers = {} if token is None else {"Authorization": f"Bearer {token.reveal()}"}

    def ask(
        self,
        method: str,
        *path: str,
        wanted: type[Answer],
        body: Struct | None = None,
        toml: str | None = None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        """Sends a request; raises SettingsError where it is refused, StoreError where nobody answers or can."""
        parts = "/".join(quote(part, safe="") for part in path)
        target = f"{ROOT}/{parts}{f'?{urlencode(query)}' if query else ''}"
        data = toml.encode() if toml is not None else None if body is None else msgspec.json.encode(body)
        status, raw = self._sent(method, target, data)
        try:
            if status >= _MISTAKEN:
                raise _refusal(status, msgspec.json.decode(raw, type=Refused))
            return msgspec.json.decode(raw, type=wanted)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            why = f"what answers at {self._where} is no monitor of this version; see [web] in {self._directory}"
            raise StoreError(why) from error

    @property
    def _where(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def _sent(self, method: str, target: str, data: bytes | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)
        try:
            connection.request(method, target, data, self._headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except TimeoutError as error:
            why = f"the daemon at {self._where} did not answer within {PATIENCE:g} s; its log says what it does"
            raise StoreError(why) from error
        except (OSError, http.client.HTTPException) as error:
            advice = f"start it with `monitor run --config {self._directory}`, or name its folder with --config"
            why = f"no daemon answers at {self._where}; {advice}"
            raise StoreError(why) from error
        finally:
            connection.close()


def _refusal(status: int, refused: Refused) -> SettingsError | StoreError:
    if status >= _BROKEN:
        return StoreError(refused.detail)
    return SettingsError(refused.mistakes or [refused.detail])
