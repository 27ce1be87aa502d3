"""The topics of one socket: subscribing, replaying what was missed, and going live without a gap or a double."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from config.errors import DomainError, NotFound
from config.live import frames, reader
from config.live.feed import Feed, Listener
from config.live.hub import Hub
from config.live.outlet import Outlet

logger = logging.getLogger(__name__)

# Past this a replay costs more than the snapshot.
MOST_REPLAYED = 10_000


class Subscription:
    __slots__ = ("feed", "following", "gather", "settled", "topic")

    def __init__(self, topic: str, *, gather: bool) -> None:
        self.topic = topic
        self.gather = gather
        self.feed: Feed | None = None
        self.following: asyncio.Task[None] | None = None
        self.settled = False


class Following:
    def __init__(
        self, listener: Listener, outlet: Outlet, hub: Hub, may_listen: Callable[[str], Awaitable[bool]]
    ) -> None:
        self._listener = listener
        self._outlet = outlet
        self._hub = hub
        self._may_listen = may_listen
        self._subscriptions: dict[str, Subscription] = {}

    def __len__(self) -> int:
        return len(self._subscriptions)

    def topics(self) -> list[str]:
        return list(self._subscriptions)

    def is_settled(self, topic: str) -> bool:
        subscription = self._subscriptions.get(topic)
        return subscription is not None and subscription.settled

    def settled(self) -> tuple[str, ...]:
        return tuple(topic for topic, subscription in self._subscriptions.items() if subscription.settled)

    def start(self, topic: str, after: int | None, *, gather: bool = False) -> None:
        """Anew if it was followed already. Each replays in a task of its own, so that a long one delays no other."""
        self.stop(topic)
        subscription = self._subscriptions[topic] = Subscription(topic, gather=gather)
        subscription.following = asyncio.create_task(self._follow(subscription, after))

    def stop(self, topic: str) -> None:
        subscription = self._subscriptions.pop(topic, None)
        if subscription is None:
            return
        if subscription.following is not None and subscription.following is not asyncio.current_task():
            subscription.following.cancel()
        if subscription.settled:
            self._listener.topic_left(topic)
        if subscription.feed is not None:
            subscription.feed.leave(self._listener)
            self._hub.release(subscription.feed)

    def stop_all(self) -> None:
        for topic in self.topics():
            self.stop(topic)

    def refuse(self, topic: str, why: DomainError) -> None:
        """Not allowed and not there look the same: NotFound."""
        self.stop(topic)
        message = "There is no such topic." if isinstance(why, NotFound) else str(why)
        self._outlet.write(frames.error(why.code, message, {**why.data, "topic": topic}))

    async def _follow(self, subscription: Subscription, after: int | None) -> None:
        topic = subscription.topic
        try:
            if not await self._may_listen(topic):
                raise NotFound
            is_first = not self._hub.follows(topic)
            feed = subscription.feed = await self._hub.acquire(topic)
            # Its number was read for us just now: whoever has come as far misses nothing.
            begins = reader.Page(head=feed.seq or 0, events=[]) if is_first and after in (None, feed.seq) else None
            await self._catch_up(subscription, feed, after, begins)
        except DomainError as refused:
            self.refuse(topic, refused)
        except Exception:
            logger.exception("A topic could not be followed", extra={"action": "live_follow_failed", "topic": topic})
            self.stop(topic)
            unavailable = frames.error("unavailable", "Not available right now. Subscribe again.", {"topic": topic})
            self._outlet.write(unavailable)

    async def _catch_up(
        self, subscription: Subscription, feed: Feed, after: int | None, begins: reader.Page | None
    ) -> None:
        topic = subscription.topic
        if begins is not None:
            at, page = begins.head, begins
        elif after is None:
            at = await reader.head(topic)
            page = reader.Page(head=at, events=[])
        else:
            at = after
            page = await reader.page(topic, at)
        if not page.continues(at) or page.head - at > MOST_REPLAYED:
            self.stop(topic)
            self._outlet.write(frames.reset(topic, at, page.head))
            return
        while True:
            if subscription.gather and len(page.events) > 1:
                await self._outlet.put(frames.together(topic, [frame for _, frame in page.events]))
                at = page.events[-1][0]
            else:
                for seq, frame in page.events:
                    await self._outlet.put(frame)
                    at = seq
            # No await from here to enter(): what the feed hands on next is the number after `at`.
            if at >= page.head and at >= (feed.seq or 0):
                feed.enter(self._listener, at, gather=subscription.gather)
                subscription.settled = True
                self._outlet.write(frames.subscribed(topic, at))
                self._listener.topic_settled(topic)
                return
            page = await reader.page(topic, at)
