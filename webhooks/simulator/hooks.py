"""Posts webhooks to the product as each provider does: signed, retried by its habits, Kapso's in order.

Kapso keeps received and sent ones in order per conversation and wants exactly 200; the others take any 2xx.
"""

import asyncio
import time
import uuid
from collections import deque
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urldefrag, urlsplit

import httpx

from webhooks.simulator import signing
from webhooks.simulator.options import Options
from webhooks.simulator.state import Hook, Ledger

REPLY_SECONDS = 10.0  # slower than this counts as failed
TWILIO_SECONDS = 15.0
KAPSO_FORMS = ("kapso", "meta")
AGENTS = {"twilio": "TwilioProxy/1.1", "stripe": "Stripe/1.0", "svix": "Svix-Webhooks/1.0"}
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
    path: str = ""


class Courier:
    def __init__(self, options: Options, ledger: Ledger) -> None:
        self.options = options
        self.ledger = ledger
        self.attempts: deque[Attempt] = deque(maxlen=REMEMBERED)
        self._last_of: dict[tuple[str, str], asyncio.Task[bool]] = {}
        self._tasks: set[asyncio.Task[bool]] = set()
        self._calls: set[asyncio.Task[int]] = set()
        self._client = httpx.AsyncClient(timeout=REPLY_SECONDS, trust_env=False)

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
        status = await self._attempt(hook)
        for pause in self._pauses(hook):
            if _arrived(hook, status):
                return True
            if hook.singles:
                return await self._one_by_one(hook)
            if not _is_worth_another(hook, status):
                return False
            await asyncio.sleep(pause)
            status = await self._attempt(hook)
        return _arrived(hook, status)

    def _pauses(self, hook: Hook) -> tuple[float, ...]:
        if hook.form != "twilio":
            return self.options.retry_delays
        return self.options.twilio_retry_delays[: _overrides(hook.url).tries]

    async def _one_by_one(self, hook: Hook) -> bool:
        """A batch that failed is not tried again as one: its members come alone, each under a key of its own."""
        arrived = True
        for body in hook.singles:
            arrived &= await self._try_all(replace(hook, key=str(uuid.uuid4()), body=body, batch=0, singles=()))
        return arrived

    async def _attempt(self, hook: Hook) -> int:
        """The status of the answer: 0 when there was none, 200 also when nobody is there to send it any more."""
        url = urldefrag(self._url(hook)).url
        headers = self._headers(hook)
        if headers is None:
            return 200
        began = time.time()
        call = asyncio.create_task(self._call(hook, url, headers))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        status = await asyncio.shield(call)
        self.attempts.append(Attempt(hook.key, hook.event, status, began, time.time() - began, urlsplit(url).path))
        return status

    async def _call(self, hook: Hook, url: str, headers: dict[str, str]) -> int:
        seconds = TWILIO_SECONDS if hook.form == "twilio" else REPLY_SECONDS
        try:
            response = await self._client.post(url, content=hook.body.encode(), headers=headers, timeout=seconds)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0
        return response.status_code

    def _url(self, hook: Hook) -> str:
        if hook.url:
            return hook.url
        number = self.ledger.numbers.get(hook.phone_number_id)
        return f"{self.options.public_url}/webhooks/kapso/{number.channel if number else ''}"

    def _headers(self, hook: Hook) -> dict[str, str] | None:
        """None when the number or account was disconnected meanwhile."""
        body = hook.body.encode()
        headers = {"User-Agent": AGENTS.get(hook.form, "Kapso-Webhook")}
        headers["Content-Type"] = signing.FORM if hook.form == "twilio" else signing.JSON_TYPE
        match hook.form:
            case "stripe":
                return headers | signing.stripe(self.options.stripe_secret, body)
            case "svix":
                return headers | signing.standard(self.options.identity_secret, hook.key, body, prefix="svix")
            case "standard":
                secret = self.options.scores_secret if hook.event == "score" else self.options.identity_secret
                return headers | signing.standard(secret, hook.key, body)
            case "twilio":
                account = self.ledger.accounts.get(hook.phone_number_id)
                token = {"I-Twilio-Idempotency-Token": hook.key}
                return headers | token | signing.twilio(account.auth_token, hook.url, body) if account else None
        number = self.ledger.numbers.get(hook.phone_number_id)
        return headers | _kapso_headers(hook, number.secret, body) if number else None


def _kapso_headers(hook: Hook, secret: str, body: bytes) -> dict[str, str]:
    headers = {"X-Idempotency-Key": hook.key}
    if hook.form == "meta":
        return headers | signing.meta(secret, body)
    headers |= {"X-Webhook-Event": hook.event, "X-Webhook-Payload-Version": "v2", **signing.kapso(secret, body)}
    if hook.batch:
        headers |= {"X-Webhook-Batch": "true", "X-Batch-Size": str(hook.batch)}
    return headers


def _arrived(hook: Hook, status: int) -> bool:
    return status == 200 if hook.form in KAPSO_FORMS else 200 <= status < 300


# --- Twilio's habits, which the address may override by its fragment: #rc=5&rp=all --------------------------


@dataclass(frozen=True, slots=True)
class Overrides:
    tries: int  # further ones
    reasons: frozenset[str]


def _overrides(url: str) -> Overrides:
    given = dict(parse_qsl(urldefrag(url).fragment))
    tries = int(given["rc"]) if given.get("rc", "").isdigit() else 1
    return Overrides(min(tries, 5), frozenset(given.get("rp", "ct").split(",")))


def _is_worth_another(hook: Hook, status: int) -> bool:
    if hook.form != "twilio":
        return True
    reasons = _overrides(hook.url).reasons
    reason = {0: "ct", 4: "4xx", 5: "5xx"}.get(status // 100, "")
    return bool(reason) and bool(reasons & {"all", reason})
