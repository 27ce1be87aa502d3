"""The hub: one for each process, between the event log and the sockets.

A nudge carries the finished frame; it is handed on when it is the very next number. Everything else (a gap, a lost
nudge, Redis away) is read from Postgres, at the latest when the heads are compared every few seconds.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import orjson
from channels.layers import get_channel_layer

from config.live import desk, frames, nudge, reader
from config.live.feed import Feed, Listener
from config.live.identity import ACCESS_TOPIC
from config.live.quiet import OncePerPause, Repeated

logger = logging.getLogger(__name__)

HEADS_SECONDS = 3.0
# Access is looked at more often: a lost nudge may not leave somebody listening for longer than two seconds.
ACCESS_SECONDS = 1.0
EXPIRY_SECONDS = 0.5
SWEEP_SECONDS = 5.0
# Joining a group waits for Redis no longer than this; without it, events come by the heads.
JOIN_SECONDS = 1.0
RETRY_SECONDS = 1.0
# After so many nudges, or sockets told the heads, the loop gets a turn to flush what was written.
TURN = 32

_lost_redis = Repeated(logger, "Live nudges cannot be received, events are fetched instead.")
_lost_database = Repeated(logger, "Live events cannot be read.")
logging.getLogger("channels_redis.pubsub").addFilter(OncePerPause())


class Hub:
    def __init__(self) -> None:
        self.id = uuid4().hex
        self.feeds: dict[str, Feed] = {}
        self.listeners: set[Listener] = set()
        self.subjects: dict[str, set[Listener]] = {}
        self._subject_of: dict[Listener, str] = {}
        self.channel: str | None = None
        self.access: Feed | None = None
        self.desk = desk.Desk()
        self._tasks: list[asyncio.Task[None]] = []
        self._running: set[asyncio.Task[None]] = set()

    # --- Life ----------------------------------------------------------------------------------------------

    async def ready(self) -> int:
        """Starts on first use. Answers the number up to which access changes have been applied."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._listen()),
                asyncio.create_task(_every(HEADS_SECONDS, self._compare_heads)),
                asyncio.create_task(_every(ACCESS_SECONDS, self._compare_access)),
                asyncio.create_task(_every(EXPIRY_SECONDS, self._expire)),
                asyncio.create_task(_every(SWEEP_SECONDS, self._sweep)),
                asyncio.create_task(_every(desk.REFRESH_SECONDS, self.desk.refresh)),
                asyncio.create_task(_every(desk.SWEEP_SECONDS, self.desk.sweep)),
            ]
        if self.access is None:
            self.access = await self.acquire(ACCESS_TOPIC)
        return self.access.seq or 0

    async def stop(self) -> None:
        tasks = [*self._tasks, *self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        await self.desk.close()

    # --- Sockets -------------------------------------------------------------------------------------------

    def add(self, listener: Listener, *, access_seen: int) -> None:
        self.listeners.add(listener)
        self.identified(listener)
        if self.access is not None and self.access.seq != access_seen:
            # Something changed between reading the identity and being reachable here.
            listener.access_changed()

    def identified(self, listener: Listener) -> None:
        """Called whenever the listener's identity is another one than before."""
        self._forget_subject(listener)
        if listener.identity is not None:
            subject = self._subject_of[listener] = listener.identity.subject
            self.subjects.setdefault(subject, set()).add(listener)

    def remove(self, listener: Listener) -> None:
        self.listeners.discard(listener)
        self._forget_subject(listener)

    def _forget_subject(self, listener: Listener) -> None:
        subject = self._subject_of.pop(listener, None)
        if subject is None:
            return
        self.subjects[subject].discard(listener)
        if not self.subjects[subject]:
            del self.subjects[subject]

    # --- Feeds ---------------------------------------------------------------------------------------------

    def follows(self, topic: str) -> bool:
        return topic in self.feeds

    async def acquire(self, topic: str) -> Feed:
        """The topic's feed, loaded. Give it back with `release`."""
        feed = self.feeds.get(topic)
        if feed is None:
            feed = self.feeds[topic] = Feed(topic)
        feed.holders += 1
        try:
            while feed.seq is None:
                if feed.loading is None:
                    feed.loading = self._spawn(self._load(feed))
                await asyncio.shield(feed.loading)
        except BaseException:
            self.release(feed)
            raise
        return feed

    def release(self, feed: Feed) -> None:
        feed.holders -= 1

    async def _load(self, feed: Feed) -> None:
        try:
            # Join before reading: an event between the two is noted rather than missed.
            if not feed.joined and self.channel is not None:
                await self._join(feed)
            feed.seq = await reader.head(feed.name)
        finally:
            feed.loading = None
        if feed.noted > feed.seq:
            self._fetch_soon(feed)

    async def _join(self, feed: Feed) -> bool:
        feed.joined = await _within_a_second(get_channel_layer().group_add(feed.group, self.channel))
        return feed.joined

    async def _join_all(self) -> None:
        for feed in list(self.feeds.values()):
            # One refusal is enough to know that Redis is away.
            if self.channel is not None and not feed.joined and not await self._join(feed):
                return

    async def _sweep(self) -> None:
        """Leaves the groups that nobody here has needed for a moment."""
        for feed in list(self.feeds.values()):
            if feed.holders == 0 and feed.fetching is None:
                del self.feeds[feed.name]
                if feed.joined:
                    await _within_a_second(get_channel_layer().group_discard(feed.group, self.channel))

    # --- Nudges --------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        since_turn = 0
        while True:
            try:
                await self._connect()
                message = await get_channel_layer().receive(self.channel)
            except Exception as error:  # noqa: BLE001 - this must outlive every state that Redis can be in
                _lost_redis(error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._nudged(message)
            since_turn += 1
            if since_turn >= TURN:
                since_turn = 0
                await asyncio.sleep(0)

    async def _connect(self) -> None:
        if self.channel is None:
            self.channel = await get_channel_layer().new_channel("live.")
            self._spawn(self._join_all())

    def _nudged(self, message: nudge.Message) -> None:
        feed = self.feeds.get(message["topic"])
        if feed is None:
            return
        if message["type"] == "live.event":
            self._offer(feed, message["seq"], message["frame"])
        elif message["type"] == "live.signal" and message["origin"] != self.id:
            feed.signal(message["frame"])

    def _offer(self, feed: Feed, seq: int, frame: str) -> None:
        if feed.seq is not None and seq == feed.seq + 1:
            self._hand_on(feed, seq, frame)
        elif feed.seq is None or seq > feed.seq:
            feed.noted = max(feed.noted, seq)
            self._fetch_soon(feed)

    def _hand_on(self, feed: Feed, seq: int, frame: str) -> None:
        feed.hand_on(seq, frame)
        if feed is self.access:
            subject = orjson.loads(frame)["data"]["subject"]
            for listener in tuple(self.subjects.get(subject, ())):
                listener.access_changed()

    def signal(self, topic: str, frame: str, sender: Listener) -> None:
        """From one of our sockets to all others on the topic, on every process."""
        if feed := self.feeds.get(topic):
            feed.signal(frame, but=sender)
        nudge.signal(topic, frame, origin=self.id)

    # --- Catching up ---------------------------------------------------------------------------------------

    def _fetch_soon(self, feed: Feed) -> None:
        if feed.fetching is None and feed.seq is not None:
            feed.fetching = self._spawn(self._fetch(feed, feed.seq))

    async def _fetch(self, feed: Feed, after: int) -> None:
        try:
            while True:
                page = await reader.page(feed.name, after)
                if not self._apply(feed, page):
                    return
                after = feed.seq or 0
                await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001 - the next heads try again
            _lost_database(error)
        finally:
            feed.fetching = None

    def _apply(self, feed: Feed, page: reader.Page) -> bool:
        """Hands on what is new in the page; answers whether there is more to read."""
        for seq, frame in page.events:
            if seq == (feed.seq or 0) + 1:
                self._hand_on(feed, seq, frame)
        now_at = feed.seq or 0
        if page.head <= now_at:
            return False
        if not page.events or page.events[-1][0] > now_at:
            self._start_over(feed, page.head)
            return False
        return True

    def _start_over(self, feed: Feed, head: int) -> None:
        feed.start_over(head)
        if feed is self.access:
            for listener in tuple(self.listeners):
                listener.access_changed()

    async def _compare(self, feeds: list[Feed]) -> None:
        before = {feed.name: feed.seq for feed in feeds if feed.seq is not None}
        heads = await reader.heads(before)
        for feed in feeds:
            was, head = before.get(feed.name), heads.get(feed.name, 0)
            if was is None or feed.seq is None:
                continue
            if head < was:
                # The database was restored to an earlier state.
                self._start_over(feed, head)
            elif head > feed.seq:
                self._fetch_soon(feed)
        fetching = {feed.fetching for feed in feeds if feed.fetching is not None}
        if fetching:
            await asyncio.wait(fetching, timeout=HEADS_SECONDS)

    async def _compare_heads(self) -> None:
        if not self.listeners:
            return
        await self._compare(list(self.feeds.values()))
        await self._join_all()
        await self._tell_heads()

    async def _compare_access(self) -> None:
        if self.access is not None and self.listeners:
            await self._compare([self.access])

    async def _tell_heads(self) -> None:
        made: dict[tuple[str, ...], str] = {}
        for feed in tuple(self.feeds.values()):
            feed.flush()
        for place, listener in enumerate(list(self.listeners)):
            topics = listener.settled_topics()
            if topics:
                if topics not in made:
                    made[topics] = frames.heads({topic: self._number(topic) for topic in topics})
                listener.write(made[topics])
            if place % TURN == 0:
                await asyncio.sleep(0)

    def _number(self, topic: str) -> int:
        feed = self.feeds.get(topic)
        return (feed.seq or 0) if feed else 0

    async def _expire(self) -> None:
        now = time.time()
        for listener in list(self.listeners):
            listener.check_expiry(now)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _lost_database(error)


async def _within_a_second(asking: Awaitable[object]) -> bool:
    """Whether Redis did what was asked. Nudges only make it faster, so the answer may be no."""
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            await asking
    except Exception as error:  # noqa: BLE001 - as above
        _lost_redis(error)
        return False
    return True


async def _every(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await do()
        except Exception as error:  # noqa: BLE001 - whatever failed is tried again next time
            _lost_database(error)


_hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def current() -> Hub:
    """The hub of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


async def stop() -> None:
    hub = _hubs.pop(asyncio.get_running_loop(), None)
    if hub is not None:
        await hub.stop()
