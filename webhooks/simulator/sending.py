"""How a send ends that was found in order: as told, it is taken, refused, or breaks off on the way."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from webhooks.simulator.behaviour import Behaviour
from webhooks.simulator.calls import BreakOff
from webhooks.simulator.replies import Reply

if TYPE_CHECKING:
    from webhooks.simulator.world import World

# How long a call that gets no answer is held when the caller does not hang up.
SILENCE_SECONDS = 120.0


async def take(
    world: "World", provider: str, refuse: Callable[[str, Behaviour], None], accept: Callable[[str], Reply]
) -> Reply:
    """`refuse` raises for what is a refusal; `accept` makes it happen, and its answer may not arrive."""
    fail, world.behaviour = world.behaviour.failure(world.chance, provider)
    behaviour = world.behaviour
    if fail == "drop_before":
        raise BreakOff
    refuse(fail, behaviour)
    reply = accept(fail)
    if fail == "drop_after_accept":
        raise BreakOff
    if fail == "timeout":
        raise BreakOff(after=SILENCE_SECONDS)
    if fail == "500_after_accept":
        refuse("500", behaviour)
    await asyncio.sleep(behaviour.latency_ms / 1000)
    return reply
