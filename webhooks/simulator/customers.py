"""The life of the simulated customers: now and then somebody begins to write, and answered ones answer back."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from webhooks.simulator.people import PEOPLE, Person, thanks_for
from webhooks.simulator.state import JSON, Message, Peer

if TYPE_CHECKING:
    from webhooks.simulator.world import World

# Not everybody answers, and nobody for ever.
ANSWERS = 0.7
TALKS_ON = 0.25  # without a line of their own left to say
IN_TWO_MESSAGES = 0.15  # some people press enter in the middle; Kapso then buffers


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

    def begin(self, person: Person) -> None:
        first, *rest = self.world.chance.choice(person.dialogues)
        self._left[person.peer.key] = rest
        lines = self._split(first)
        self.world.write(person.peer, [text(line) for line in lines], batch=len(lines) > 1)

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


def text(body: str) -> JSON:
    return {"type": "text", "text": {"body": body}}


def known(wa_id: str, bsuid: str = "", among: Iterable[Person] = PEOPLE) -> Peer | None:
    """The person of the cast with this number or id."""
    people = (person.peer for person in among)
    return next((peer for peer in people if (wa_id and peer.wa_id == wa_id) or (bsuid and peer.bsuid == bsuid)), None)


def _whole(peer: Peer) -> Peer:
    """Whom a send knew only by number, with the name that the cast has."""
    return known(peer.wa_id, peer.bsuid) or peer
