"""Posts webhooks to the product as Kapso does: signed, retried, received and sent ones in order per conversation."""

import asyncio
import time
import uuid
from collections import deque
from dataclasses import dataclass, replace

import httpx

from webhooks.kapso.signature import KAPSO_HEADER, META_HEADER, kapso_signature, meta_signature
from webhooks.simulator.options import Options
from webhooks.simulator.state import Hook, Ledger, Number

REPLY_SECONDS = 10.0  # slower than this counts as failed
ORDERED = {"whatsapp.message.received", "whatsapp.message.sent"}
REMEMBERED = 2000
PATIENCE = 2.0  # seconds, at a reset or an end, for calls under way


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, for whoever looks at the control page: `status` 0 when there was no answer."""

    key: str
    event: str
    status: int
    at: float
    seconds: float


class Courier:
    def __init__(self, options: Options, ledger: Ledger) -> None:
        self.options = options
        self.ledger = ledger
        self.attempts: deque[Attempt] = deque(maxlen=REMEMBERED)
        self._last_of: dict[tuple[str, str], asyncio.Task[bool]] = {}
        self._tasks: set[asyncio.Task[bool]] = set()
        self._calls: set[asyncio.Task[int]] = set()
        self._client = httpx.AsyncClient(
            timeout=REPLY_SECONDS, trust_env=False, headers={"User-Agent": "Kapso-Webhook"}
        )

    def post(self, hook: Hook) -> "asyncio.Task[bool]":
        """Starts delivering; the task tells whether it arrived. Owed across restarts until it did or was given up."""
        self.ledger.owe(hook)
        return self._start(hook)

    def resume(self) -> None:
        for hook in list(self.ledger.hooks.values()):
            self._start(hook)

    async def close(self) -> None:
        await self.drop_all()
        await self._client.aclose()

    async def drop_all(self) -> None:
        """No further try of anything. A call that is under way is let finish: cut off, it might arrive or not."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._calls:
            await asyncio.wait(self._calls, timeout=PATIENCE)

    def _start(self, hook: Hook) -> "asyncio.Task[bool]":
        lane = (hook.phone_number_id, hook.peer)
        before = self._last_of.get(lane) if hook.event in ORDERED else None
        task = asyncio.create_task(self._deliver(hook, before))
        if hook.event in ORDERED:
            self._last_of[lane] = task
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(lane, done))
        return task

    def _ended(self, lane: tuple[str, str], task: "asyncio.Task[bool]") -> None:
        self._tasks.discard(task)
        if self._last_of.get(lane) is task:
            del self._last_of[lane]

    async def _deliver(self, hook: Hook, before: "asyncio.Task[bool] | None") -> bool:
        if before is not None:
            await asyncio.wait({before}, timeout=self.options.blocked_for)
        arrived = await self._try_all(hook)
        self.ledger.settle(hook.key)
        return arrived

    async def _try_all(self, hook: Hook) -> bool:
        for pause in (0.0, *self.options.retry_delays):
            await asyncio.sleep(pause)
            if await self._attempt(hook):
                return True
            if hook.singles:
                return await self._one_by_one(hook)
        return False

    async def _one_by_one(self, hook: Hook) -> bool:
        """A batch that failed is not tried again as one: its members come alone, each under a key of its own."""
        arrived = True
        for body in hook.singles:
            arrived &= await self._try_all(replace(hook, key=str(uuid.uuid4()), body=body, batch=0, singles=()))
        return arrived

    async def _attempt(self, hook: Hook) -> bool:
        number = self.ledger.numbers.get(hook.phone_number_id)
        if number is None:
            return True  # disconnected meanwhile
        began = time.time()
        call = asyncio.create_task(self._call(hook, number))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        status = await asyncio.shield(call)
        self.attempts.append(Attempt(hook.key, hook.event, status, began, time.time() - began))
        return status == 200

    async def _call(self, hook: Hook, number: Number) -> int:
        """The status of the answer, 0 when there was none."""
        url = f"{self.options.public_url}/webhooks/kapso/{number.channel}"
        try:
            response = await self._client.post(url, content=hook.body.encode(), headers=_headers(hook, number))
        except httpx.HTTPError:
            return 0
        return response.status_code


def _headers(hook: Hook, number: Number) -> dict[str, str]:
    body = hook.body.encode()
    headers = {"Content-Type": "application/json", "X-Idempotency-Key": hook.key}
    if hook.form == "meta":
        return headers | {META_HEADER: meta_signature(number.secret, body)}
    headers |= {
        "X-Webhook-Event": hook.event,
        "X-Webhook-Payload-Version": "v2",
        KAPSO_HEADER: kapso_signature(number.secret, body),
    }
    if hook.batch:
        headers |= {"X-Webhook-Batch": "true", "X-Batch-Size": str(hook.batch)}
    return headers
