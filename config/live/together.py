"""Questions that come at once are answered together: thousands who come back ask for theirs in a few statements."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from config.errors import Unavailable

logger = logging.getLogger(__name__)

Question = TypeVar("Question")
Answer = TypeVar("Answer")
# An answer for each question, in their order; an exception is raised where its question was asked.
FindOut = Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]]

# A list that takes longer than a moment would let everybody wait for its last one.
MOST = 500


class Together(Generic[Question, Answer]):
    """Whoever asks while others are being answered is in the next list; alone, one is asked for at once. What is
    answered is as of a moment after the question. With `lists` above one, a slow list does not hold up all others."""

    def __init__(self, find_out: FindOut[Question, Answer], *, lists: int = 1) -> None:
        self._find_out = find_out
        self._lists = lists
        self._waiting: deque[tuple[Question, asyncio.Future[Answer]]] = deque()
        self._running: set[asyncio.Task[None] | None] = set()

    async def ask(self, question: Question) -> Answer:
        """Raises Unavailable when nothing could be found out for anybody."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if len(self._running) < self._lists:
            self._running.add(asyncio.create_task(self._run()))
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                asked = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                await self._answer([(question, answer) for question, answer in asked if not answer.done()])
        finally:
            # Here and not once the task is done: whoever was just answered may ask again before that
            self._running.discard(asyncio.current_task())

    async def _answer(self, asked: Sequence[tuple[Question, "asyncio.Future[Answer]"]]) -> None:
        try:
            found = await self._find_out([question for question, _ in asked])
            for (_, answer), said in zip(asked, found, strict=True):
                if answer.done():
                    continue
                if isinstance(said, Exception):
                    answer.set_exception(said)
                else:
                    answer.set_result(said)
        except Exception:  # each of them is told, and the next list is asked for whatever became of this one
            logger.exception("Nothing could be found out", extra={"action": "live_asking_failed", "asked": len(asked)})
        finally:
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(Unavailable(retry_after=1))


class OfLoop(Generic[Question, Answer]):
    """One for each running loop, made at the first question."""

    def __init__(self, find_out: FindOut[Question, Answer], *, lists: int = 1) -> None:
        self._find_out = find_out
        self._lists = lists
        self._held: WeakKeyDictionary[asyncio.AbstractEventLoop, Together[Question, Answer]] = WeakKeyDictionary()

    async def ask(self, question: Question) -> Answer:
        loop = asyncio.get_running_loop()
        held = self._held.get(loop)
        if held is None:
            held = self._held[loop] = Together(self._find_out, lists=self._lists)
        return await held.ask(question)
