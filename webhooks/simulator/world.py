"""The simulated providers at work: what follows from an accepted send or from somebody writing.

Holds the parts together; app.py and control.py call it, nothing here speaks HTTP to callers.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Coroutine
from typing import Any

import orjson

from webhooks.simulator import kapso, kapso_events
from webhooks.simulator.behaviour import Behaviour
from webhooks.simulator.customers import Customers
from webhooks.simulator.emitters import Emitters
from webhooks.simulator.files import Files
from webhooks.simulator.hooks import Courier
from webhooks.simulator.options import (
    DEMO_ACCOUNT_SID,
    DEMO_API_KEY,
    DEMO_AUTH_TOKEN,
    DEMO_CHANNEL,
    DEMO_PHONE,
    DEMO_PHONE_NUMBER_ID,
    DEMO_SECRET,
    DEMO_TWILIO_CHANNEL,
    DEMO_TWILIO_PHONE,
    Options,
)
from webhooks.simulator.pictures import SAMPLES
from webhooks.simulator.state import FILE_NAME, JSON, Account, File, Hook, Ledger, Message, Number, Peer
from webhooks.simulator.twilio_life import TwilioLife

# After a restart, states older than this are nobody's concern any more.
RESUME_SECONDS = 600.0
# What is connected from the start, the other demo workspace's number included.
NUMBERS = (
    Number(DEMO_PHONE_NUMBER_ID, DEMO_PHONE, DEMO_CHANNEL, DEMO_SECRET, DEMO_API_KEY),
    Number("100000000000002", "+15550100003", "elsewhere-kapso", "elsewhere-kapso-secret", "elsewhere-kapso-key"),
)
ACCOUNTS = (Account(DEMO_ACCOUNT_SID, DEMO_AUTH_TOKEN, DEMO_TWILIO_PHONE, DEMO_TWILIO_CHANNEL),)
RUNGS = ("sent", "delivered", "read")
FAILED_RUNGS = ("sent", "failed")


class World:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.chance = random.Random()  # noqa: S311 (nothing secret is drawn)
        self.ledger = Ledger(options.folder / FILE_NAME)
        self.behaviour = Behaviour(customers="on" if options.customers else "off")
        self.courier = Courier(options, self.ledger)
        self.customers = Customers(self)
        self.files = Files(options.folder, self.ledger, options.own_url)
        self.twilio = TwilioLife(self)
        self.emitters = Emitters(self)
        self.arrived_events: set[str] = set()  # Stripe's, as long as this process lives
        self._tasks: set[asyncio.Task[Any]] = set()

    def load(self) -> None:
        """Reads what an earlier run left. OSError when its folder cannot be used."""
        self.ledger.open()
        for number in NUMBERS:
            if number.phone_number_id not in self.ledger.numbers:
                self.ledger.register(number)
        for account in ACCOUNTS:
            if account.sid not in self.ledger.accounts:
                self.ledger.connect(account)

    async def open(self) -> None:
        self.courier.resume()
        since = time.time() - RESUME_SECONDS
        for message in self.ledger.messages:
            if message.direction == "outbound" and message.at > since:
                self.spawn(self._tell_states(message))
        self.twilio.resume(since)
        self.spawn(self.customers.live())

    async def close(self) -> None:
        await self._end_all()
        await self.courier.close()
        self.ledger.close()

    async def reset(self) -> None:
        """As freshly started, with nothing ever sent and nothing on its way. Numbers stay connected."""
        await self._end_all()
        await self.courier.drop_all()
        self.courier.attempts.clear()
        self.arrived_events.clear()
        self.ledger.reset()
        self.behaviour = Behaviour(customers="on" if self.options.customers else "off")
        self.customers = Customers(self)
        self.spawn(self.customers.live())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def accept(self, message: Message) -> None:
        """From here on the send has happened, whether or not the sender hears of it."""
        self.ledger.add(message)
        self.spawn(self._tell_states(message))

    # --- States ---------------------------------------------------------------------------------------------

    async def _tell_states(self, message: Message) -> None:
        """Sent, delivered, read, each at its time; what was told before a restart is not told again."""
        told = {name for name, _ in self.ledger.states_of(message)}
        link = kapso.link_of(message)
        if link and not told and not await self.twilio.loads(link):
            message = self.ledger.planned(message, "failed", kapso.MEDIA_NOT_LOADED)
        due = [(name, at) for name, at in self._plan(message) if name not in told]
        late: list[tuple[str, float]] = []
        for name, at in due:
            await asyncio.sleep(max(0.0, at - time.time()))
            if message.plan == "out_of_order":
                late.insert(0, (name, at))
            else:
                self._tell(message, name, at)
        for name, at in late:
            self._tell(message, name, at)
        if due and due[-1][0] == "read":
            await self.customers.heard(message)

    def _plan(self, message: Message) -> list[tuple[str, float]]:
        rungs = {"off": (), "sent_only": ("sent",), "failed": FAILED_RUNGS}.get(message.plan, RUNGS)
        return [(name, message.at + delay) for name, delay in zip(rungs, self.options.status_delays, strict=False)]

    def _tell(self, message: Message, status: str, at: float) -> None:
        body = kapso_events.state(self.ledger, message, status, at, echo=self.behaviour.echo == "on")
        event = kapso_events.EVENT + status
        # The same key at every attempt, also after a restart in between.
        keys = [str(uuid.uuid5(uuid.NAMESPACE_URL, f"{message.id}/{status}"))]
        if message.plan == "duplicate":
            keys.append(str(uuid.uuid4()))
        for key in keys:
            hook = Hook(key, message.phone_number_id, event, _text(body), message.peer.key)
            self.courier.post(hook)
            if message.plan == "duplicate":
                self.courier.post(hook)
        self.ledger.add_state(message, status, at)

    # --- People ---------------------------------------------------------------------------------------------

    def write(
        self,
        peer: Peer,
        contents: list[JSON],
        *,
        phone_number_id: str = DEMO_PHONE_NUMBER_ID,
        origin: str = "cloud_api",
        at: float | None = None,
        batch: bool = False,
        form: str = "kapso",
        ids: list[str] | None = None,
    ) -> tuple[list[Message], list["asyncio.Task[bool]"]]:
        """Somebody writes: one message for each of `contents`. With `business_app`, staff do on their phone."""
        inbound = origin != "business_app"
        make_id = kapso.inbound_id if inbound else kapso.outbound_id
        messages = [
            Message(
                id=ids[place] if ids else make_id(peer),
                phone_number_id=phone_number_id,
                direction="inbound" if inbound else "outbound",
                peer=peer,
                content=content,
                at=time.time() if at is None else at,
                origin=origin,
                plan="off",
            )
            for place, content in enumerate(contents)
        ]
        hooks = self._hooks_for(messages, batch=batch, form=form)
        return messages, [self.courier.post(hook) for hook in hooks]

    def sample(self, kind: str) -> tuple[JSON, File]:
        """A file made in code, as the object that WhatsApp puts under its kind."""
        name, content_type, content = SAMPLES[kind](self.chance)
        file = self.files.add(content, id_=kapso.media_id(), name=name, content_type=content_type)
        part: JSON = {"id": file.id, "mime_type": content_type, "sha256": kapso.base64_sha256(file)}
        if kind == "audio":
            part["voice"] = True
        if kind == "document":
            part["filename"] = name
        return {"type": kind, kind: part}, file

    def _hooks_for(self, messages: list[Message], *, batch: bool, form: str) -> list[Hook]:
        bodies = []
        for message in messages:
            if self.ledger.find(message.id) is None:
                self.ledger.add(message)
            bodies.append(kapso_events.received(self.ledger, message, self.files))
        first = messages[0]
        event = kapso_events.EVENT + ("received" if first.direction == "inbound" else "sent")
        number, person = first.phone_number_id, first.peer.key
        if form == "meta":
            body = kapso_events.raw(self.ledger.numbers[number], messages)
            return [Hook(_key(), number, event, _text(body), person, form="meta")]
        singles = tuple(_text(body) for body in bodies)
        if not batch:
            return [Hook(_key(), number, event, single, person) for single in singles]
        together = kapso_events.batch(bodies, len(self.ledger.messages) - len(bodies) + 1)
        return [Hook(_key(), number, event, _text(together), person, batch=len(bodies), singles=singles)]

    async def _end_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _key() -> str:
    return str(uuid.uuid4())


def _text(body: JSON) -> str:
    return orjson.dumps(body).decode()
