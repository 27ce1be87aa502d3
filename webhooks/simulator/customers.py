"""The life of the simulated customers: now and then somebody begins to write, and answered ones answer back."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from webhooks.simulator.options import DEMO_ACCOUNT_SID
from webhooks.simulator.people import PEOPLE, Person, thanks_for
from webhooks.simulator.state import JSON, Message, Peer, Text

if TYPE_CHECKING:
    from webhooks.simulator.world import World

# Not everybody answers, and nobody for ever.
ANSWERS = 0.7
TALKS_ON = 0.25  # without a line of their own left to say
IN_TWO_MESSAGES = 0.15  # some people press enter in the middle; Kapso then buffers
WITH_A_FILE = 0.15  # a picture, a voice note or a document after the words
AT_TWILIO = 0.25  # by SMS or on the number at Twilio
BY_SMS = 0.6
KINDS = ("image", "image", "audio", "document")


class Customers:
    def __init__(self, world: "World") -> None:
        self.world = world
        self._left: dict[str, list[str]] = {}  # what each person still has to say in the dialogue at hand
        self._answering: set[str] = set()

    async def live(self) -> None:
        """Runs as long as the simulator; quiet while customers are switched off."""
        while True:
            await asyncio.sleep(self.world.chance.uniform(*self.world.options.customer_pauses))
            if self._are_on():
                self.begin(self._somebody())

    async def heard(self, message: Message) -> None:
        """Our message was read: the person may answer after a while. Several read in one go get one answer."""
        if not self._are_on() or message.peer.key in self._answering:
            return
        self._answering.add(message.peer.key)
        try:
            await asyncio.sleep(self.world.chance.uniform(*self.world.options.answer_pauses))
            answer = self._answer_to(message.peer)
            if answer and self._are_on():
                self.world.write(_whole(message.peer), [text(answer)], phone_number_id=message.phone_number_id)
        finally:
            self._answering.discard(message.peer.key)

    async def heard_text(self, sent: Text) -> None:
        """The same for a message by way of Twilio."""
        digits = sent.to.removeprefix("whatsapp:").removeprefix("+")
        account = self.world.ledger.accounts.get(sent.account)
        if account is None or not self._are_on() or sent.to in self._answering:
            return
        self._answering.add(sent.to)
        try:
            await asyncio.sleep(self.world.chance.uniform(*self.world.options.answer_pauses))
            answer = self._answer_to(Peer(wa_id=digits))
            if answer and self._are_on():
                self.world.twilio.write(account, sent.to, [answer])
        finally:
            self._answering.discard(sent.to)

    def begin(self, person: Person) -> None:
        first, *rest = self.world.chance.choice(person.dialogues)
        self._left[person.peer.key] = rest
        chance = self.world.chance
        account = self.world.ledger.accounts.get(DEMO_ACCOUNT_SID)
        if account and person.peer.wa_id and chance.random() < AT_TWILIO:
            address = f"+{person.peer.wa_id}" if chance.random() < BY_SMS else f"whatsapp:+{person.peer.wa_id}"
            self.world.twilio.write(account, address, [first], more=profile(person.peer, address))
            return
        lines = self._split(first)
        self.world.write(person.peer, [text(line) for line in lines], batch=len(lines) > 1)
        if chance.random() < WITH_A_FILE:
            content, _ = self.world.sample(chance.choice(KINDS))
            self.world.write(person.peer, [content])

    def _somebody(self) -> Person:
        """Rather someone who has finished what they had to say."""
        idle = [person for person in PEOPLE if not self._left.get(person.peer.key)]
        return self.world.chance.choice(idle or PEOPLE)

    def _answer_to(self, peer: Peer) -> str | None:
        left = self._left.get(peer.key)
        if left:
            return left.pop(0) if self.world.chance.random() < ANSWERS else None
        if self.world.chance.random() < TALKS_ON:
            return self.world.chance.choice(thanks_for(peer.wa_id))
        return None

    def _split(self, line: str) -> list[str]:
        head, comma, tail = line.partition(", ")
        if comma and self.world.chance.random() < IN_TWO_MESSAGES:
            return [head, tail]
        return [line]

    def _are_on(self) -> bool:
        return self.world.behaviour.customers == "on"


def profile(peer: Peer, address: str) -> dict[str, str]:
    """WhatsApp tells the sender's name, SMS does not."""
    return {"ProfileName": peer.name} if address.startswith("whatsapp:") and peer.name else {}


def text(body: str) -> JSON:
    return {"type": "text", "text": {"body": body}}


def known(wa_id: str, bsuid: str = "", among: Iterable[Person] = PEOPLE) -> Peer | None:
    """The person of the cast with this number or id."""
    people = (person.peer for person in among)
    return next((peer for peer in people if (wa_id and peer.wa_id == wa_id) or (bsuid and peer.bsuid == bsuid)), None)


def _whole(peer: Peer) -> Peer:
    """Whom a send knew only by number, with the name that the cast has."""
    return known(peer.wa_id, peer.bsuid) or peer
