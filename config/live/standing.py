"""Who one socket is and what that still allows: renewed, rechecked and expired while the socket stays open."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from config.errors import DomainError, Forbidden, NotFound, NotSignedIn
from config.live import topics
from config.live.door import Visitor
from config.live.identity import Brought, Identity, authenticator
from config.live.threads import run_sync
from config.live.together import OfLoop

logger = logging.getLogger(__name__)

# Together well within the two seconds after which nobody may listen to what was taken away.
RECHECKS = 3
RECHECK_PAUSE_SECONDS = 0.3


class CannotTell(Exception):
    """Access changed and the database does not say how: the socket has to go."""


class Standing:
    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self.identity: Identity | None = None
        # Grows with every change of identity or access; an answer found out before is asked for again.
        self._generation = 0
        self._rechecked = asyncio.Event()
        self._rechecked.set()
        self._described: Mapping[str, Any] | None = None

    async def arrive(self) -> None:
        """Raises NotSignedIn for a token that is wrong; a cookie that says nothing (any more) is nobody."""
        brought = self._visitor.brought
        if brought is None:
            return
        found = await _arriving.ask(brought)
        self.identity = _current(found) if isinstance(brought, str) else found

    async def renew(self, token: str | None) -> Identity:
        """With the token, or without one from the session that the cookies of the handshake name."""
        if token is not None:
            fresh = _current(await run_sync(authenticator.from_bearer, token))
        else:
            found = await run_sync(authenticator.renew, self._visitor.cookies) if self._visitor.cookies else None
            fresh = _current(found)
        if self.identity is not None and self.identity.subject != fresh.subject:
            raise Forbidden("A socket stays with the one who opened it.")
        self._become(fresh)
        return fresh

    def is_expired(self, now: float) -> bool:
        return self.identity is not None and _is_past(self.identity, now)

    def become_nobody(self) -> None:
        self._become(None)

    async def may_listen(self, topic: str) -> bool:
        """An answer that held for the whole time it took to find it out. Raises as `topics.may_listen`."""
        while True:
            await self._rechecked.wait()
            generation = self._generation
            allowed = await _may_listen(self.identity, topic)
            if generation == self._generation:
                return allowed

    async def recheck(self, listened: Callable[[], Sequence[str]]) -> dict[str, DomainError]:
        """Reads the identity anew after an access change; answers which topics are lost, and why.

        Raises NotSignedIn when the identity itself is gone, CannotTell when that could not be found out."""
        self._rechecked.clear()
        try:
            while True:
                generation = self._generation
                identity, lost = await self._ask(listened())
                if generation == self._generation:
                    self._become(identity)
                    return lost
        finally:
            self._rechecked.set()

    def access_changed(self) -> None:
        self._generation += 1

    async def describe(self) -> Mapping[str, Any]:
        """The sender of a signal, as the app above names people."""
        if self.identity is None:
            raise NotSignedIn
        if self._described is None:
            self._described = await run_sync(authenticator.describe, self.identity)
        return self._described

    def _become(self, identity: Identity | None) -> None:
        self.identity = identity
        self._described = None
        self._generation += 1

    async def _ask(self, listened: Sequence[str]) -> tuple[Identity | None, dict[str, DomainError]]:
        for attempt in range(RECHECKS):
            try:
                return await run_sync(_look, self.identity, listened)
            except NotSignedIn:
                raise
            except Exception:
                logger.exception("Access could not be rechecked", extra={"action": "live_recheck", "attempt": attempt})
                await asyncio.sleep(RECHECK_PAUSE_SECONDS)
        raise CannotTell


async def _arrive(brought: Sequence[Brought]) -> Sequence[Identity | DomainError | None]:
    return await run_sync(authenticator.from_many, brought)


async def _may_listen(identity: Identity | None, topic: str) -> bool:
    if topics.is_asked_together(topic):
        return await _listening.ask((identity, topic))
    return await run_sync(topics.may_listen, identity, topic)


async def _listen(asked: Sequence[tuple[Identity | None, str]]) -> Sequence[bool | DomainError]:
    return await run_sync(topics.who_may_listen, asked)


# After a restart everybody knocks at once.
_arriving: OfLoop[Brought, Identity | None] = OfLoop(_arrive, lists=2)
_listening: OfLoop[tuple[Identity | None, str], bool] = OfLoop(_listen)


def _look(identity: Identity | None, listened: Sequence[str]) -> tuple[Identity | None, dict[str, DomainError]]:
    fresh = identity
    if identity is not None:
        fresh = authenticator.reload(identity)
        if fresh is None:
            raise NotSignedIn
        # What was renewed stays: reading the person anew does not lengthen or shorten the session.
        fresh = replace(fresh, expires_at=identity.expires_at)
    asked = {topic: _refusal(fresh, topic) for topic in listened}
    return fresh, {topic: refusal for topic, refusal in asked.items() if refusal is not None}


def _refusal(identity: Identity | None, topic: str) -> DomainError | None:
    try:
        return None if topics.may_listen(identity, topic) else NotFound()
    except DomainError as closed:
        return closed


def _current(identity: Identity | None) -> Identity:
    if identity is None or _is_past(identity, time.time()):
        raise NotSignedIn
    return identity


def _is_past(identity: Identity, now: float) -> bool:
    return identity.expires_at is not None and identity.expires_at <= now
