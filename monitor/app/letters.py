"""Dead letters: who may see them and have them sent again."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from monitor.app.hands import Hands
from monitor.errors import StoreError
from monitor.store.queue import DeadLetter
from monitor.web.letters import DeadAsked, DeadList, DeadRow, ReplayAsked, Replayed
from monitor.web.refused import refuse

COMMITTED_WITHIN = 30.0
"""Seconds until the asker is told that the store does not take it now."""
MOST = 10_000
"""Letters that are sent again by one request,"""
AT_ONCE = 200
"""… and by one transaction of the worker."""

T = TypeVar("T")


class Letters:
    """Implements `monitor.web.letters.LetterOffice` for the daemon."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def dead(self, asked: DeadAsked) -> DeadList:
        """What was given up."""
        letters = await self._read(lambda: self._hands.reader.dead_letters(asked.receiver, asked.limit))
        return DeadList(letters=tuple(map(_row, letters)))

    async def replay(self, asked: ReplayAsked) -> Replayed:
        """Queues letters anew, each until its receiver's deadline from now; a possible repeat stays one."""
        letters = await self._read(lambda: self._hands.reader.dead_letters(asked.receiver, MOST, asked.keys or None))
        lasts = {one.name: one.deadline for one in self._hands.configured().monitor.receivers}
        now = self._hands.clock.now()
        chosen = {
            one.notification.key: now + lasts[one.notification.receiver]
            for one in letters
            if one.notification.receiver in lasts
        }
        queued: list[str] = []
        keys = list(chosen)
        for begin in range(0, len(keys), AT_ONCE):  # between two of them the worker has other things to do
            queued += await self._queued({key: chosen[key] for key in keys[begin : begin + AT_ONCE]})
        known = set(queued)
        for one in letters:
            if one.notification.key in known:
                self._hands.metrics.replayed.labels(one.notification.receiver).inc()
        found = {one.notification.key for one in letters}
        return Replayed(
            queued=tuple(queued),
            without_receiver=tuple(one.notification.key for one in letters if one.notification.key not in chosen),
            unknown=tuple(key for key in asked.keys if key not in found),
        )

    async def _queued(self, letters: dict[str, datetime]) -> list[str]:
        """Those that were dead, on their way again."""
        try:
            async with asyncio.timeout(COMMITTED_WITHIN):
                queued = await self._hands.worker.call(self._hands.desk.replay, letters)
        except TimeoutError:
            raise refuse(503, "store", "the store cannot be written now; ask again later", again=5) from None
        self._hands.wake()
        return queued

    async def _read(self, question: Callable[[], T]) -> T:
        try:
            return await self._hands.reader.ask(question)
        except StoreError:
            raise refuse(503, "store", "the store cannot be read now; the log says why", again=5) from None


def _row(letter: DeadLetter) -> DeadRow:
    note, alert = letter.notification, letter.notification.alert
    return DeadRow(
        key=note.key,
        receiver=note.receiver,
        reason=letter.reason,
        detail=letter.detail,
        attempts=letter.attempts,
        deadline=note.deadline,
        unknown=note.repeat,
        alert=alert.id,
        event=alert.event,
        state=alert.state,
        at=alert.at,
        label=alert.label,
    )
