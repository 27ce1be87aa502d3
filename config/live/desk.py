"""The presence of this process's sockets: gathered here, written for all of them together."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from config.live import presence, topics
from config.live.identity import Identity
from config.live.presence import Here
from config.live.quiet import Repeated
from config.live.threads import run_sync

logger = logging.getLogger(__name__)

# Thousands of sockets that come back at once become a few statements.
GATHER_SECONDS = 0.1
RETRY_SECONDS = 1.0
# Three of these fit into the time that a row is good for.
REFRESH_SECONDS = 20.0
SWEEP_SECONDS = 1.0

_lost_database = Repeated(logger, "Presence cannot be written.")

Place = tuple[str, str]  # topic, tab


class Desk:
    def __init__(self) -> None:
        self._here: dict[Place, Here] = {}
        # What was said of themselves by those whose name is still being looked up
        self._arriving: dict[Place, dict[str, object]] = {}
        self._changed: dict[Place, Here | None] = {}
        self._gone: dict[Place, Here] = {}
        self._writing: asyncio.Task[None] | None = None

    async def arrive(self, topic: str, tab: str, identity: Identity) -> None:
        """Whoever registered the topic says how the identity is shown, or that it is not."""
        kind = topics.kind_of(topic)
        if kind is None or kind.presence is None:
            return
        told = self._arriving.setdefault((topic, tab), {})
        try:
            who = await run_sync(kind.presence, identity, topic[len(kind.prefix) + 1 :])
        finally:
            self._arriving.pop((topic, tab), None)
        if who is not None:
            self._put(_as_told(Here(topic, tab, who), told))

    def tell(self, topic: str, tab: str, data: Mapping[str, object]) -> None:
        """What a client says of itself."""
        place = (topic, tab)
        if place in self._arriving:
            self._arriving[place].update(data)
        elif (here := self._here.get(place)) and (now := _as_told(here, data)) != here:
            self._put(now)

    def leave(self, topic: str, tab: str) -> None:
        here = self._here.pop((topic, tab), None)
        if here is not None:
            self._gone[topic, tab] = here
            self._changed[topic, tab] = None
            self._write_soon()

    def _put(self, here: Here) -> None:
        place = (here.topic, here.tab)
        self._here[place] = self._changed[place] = here
        self._gone.pop(place, None)
        self._write_soon()

    def _write_soon(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._changed:
            await asyncio.sleep(GATHER_SECONDS)
            changed, self._changed = self._changed, {}
            gone, self._gone = self._gone, {}
            here = [one for one in changed.values() if one is not None]
            try:
                await run_sync(presence.write, here, list(gone.values()))
            except Exception as error:  # noqa: BLE001 - whatever the database can be in, it is tried again
                _lost_database(error)
                self._changed = changed | self._changed
                self._gone = gone | self._gone
                await asyncio.sleep(RETRY_SECONDS)

    async def refresh(self) -> None:
        """All of them anew: a database that lost the table (it is unlogged) has it back."""
        if self._here:
            await run_sync(presence.write, list(self._here.values()), [])

    async def sweep(self) -> None:
        await run_sync(presence.sweep)

    async def close(self) -> None:
        """The server stops: its people are gone after the moment in which they may come back to another."""
        if self._writing is not None:
            self._writing.cancel()
        everybody, self._here = list(self._here.values()), {}
        if everybody:
            await run_sync(presence.write, [], everybody)


def _as_told(here: Here, data: Mapping[str, object]) -> Here:
    """What is not said stays as it was."""
    state = presence.IDLE if data.get("state", here.state) == presence.IDLE else presence.ACTIVE
    return replace(here, state=state, draft=bool(data.get("draft", here.draft)))
