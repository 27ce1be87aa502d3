"""One topic as this process follows it: the last number handed on, and the sockets to hand the next one to."""

import asyncio
from typing import Protocol

from config.live import frames
from config.live.identity import Identity
from config.live.nudge import group_name

# Who asked for it gets an event after a quiet moment at once, and what follows within this time in one frame: so long
# where a thousand listen, and less where a frame costs less.
GATHER_SECONDS = 0.1
GATHER_LEAST_SECONDS = 0.04
GATHER_FULLY = 1_000
MOST_GATHERED = 100


class Listener(Protocol):
    """A socket as the hub sees it."""

    @property
    def identity(self) -> Identity | None: ...
    def write(self, frame: str) -> None: ...
    def topic_reset(self, topic: str, seq: int, head: int) -> None: ...
    def access_changed(self) -> None: ...
    def check_expiry(self, now: float) -> None: ...
    def settled_topics(self) -> tuple[str, ...]: ...
    def topic_settled(self, topic: str) -> None: ...
    def topic_left(self, topic: str) -> None: ...


class Feed:
    __slots__ = (
        "_breath",
        "_waiting",
        "ahead",
        "fetching",
        "gathering",
        "group",
        "holders",
        "joined",
        "live",
        "loading",
        "name",
        "noted",
        "seq",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.group = group_name(name)
        # None until read from Postgres
        self.seq: int | None = None
        # The highest number heard of; past `seq` it asks for a fetch
        self.noted = 0
        # Subscriptions that need the feed, those still catching up included
        self.holders = 0
        self.joined = False
        self.loading: asyncio.Task[None] | None = None
        self.fetching: asyncio.Task[None] | None = None
        self.live: set[Listener] = set()
        # Caught up from Postgres beyond what this process has handed on: they skip the numbers up to theirs
        self.ahead: dict[Listener, int] = {}
        # Those of `live` and `ahead` who asked for several events in one frame
        self.gathering: set[Listener] = set()
        self._waiting: list[str] = []
        self._breath: asyncio.TimerHandle | None = None

    def enter(self, listener: Listener, at: int, *, gather: bool = False) -> None:
        """From here on the listener gets every number after `at`. Nothing may be awaited between reading and this."""
        if gather:
            # What waits is for those who were here before.
            self.flush()
            self.gathering.add(listener)
        if self.seq is not None and at > self.seq:
            self.ahead[listener] = at
        else:
            self.live.add(listener)

    def leave(self, listener: Listener) -> None:
        self.live.discard(listener)
        self.gathering.discard(listener)
        self.ahead.pop(listener, None)

    def hand_on(self, seq: int, frame: str) -> None:
        """Each next number once, in order."""
        self.seq = seq
        if self.gathering:
            self._gather(frame)
        for listener in tuple(self.live - self.gathering if self.gathering else self.live):
            listener.write(frame)
        if self.ahead:
            for listener in [listener for listener, at in self.ahead.items() if at <= seq]:
                if listener in self.gathering:
                    self.flush()
                del self.ahead[listener]
                self.live.add(listener)

    @property
    def _pause(self) -> float:
        return max(GATHER_LEAST_SECONDS, min(1, len(self.gathering) / GATHER_FULLY) * GATHER_SECONDS)

    def _gather(self, frame: str) -> None:
        self._waiting.append(frame)
        if self._breath is None or len(self._waiting) >= MOST_GATHERED:
            self.flush()
        if self._breath is None:
            self._breath = asyncio.get_running_loop().call_later(self._pause, self._breathed)

    def _breathed(self) -> None:
        """Another such time begins when there was something: ten frames a second at most to many, and 25 to few."""
        self._breath = None
        if self._waiting:
            self.flush()
            self._breath = asyncio.get_running_loop().call_later(self._pause, self._breathed)

    def flush(self) -> None:
        """What waits goes out now, before anything is said that stands on it."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        frame = waiting[0] if len(waiting) == 1 else frames.together(self.name, waiting)
        for listener in self.live & self.gathering:
            listener.write(frame)

    def signal(self, frame: str, *, but: Listener | None = None) -> None:
        for listener in (*self.live, *self.ahead):
            if listener is not but:
                listener.write(frame)

    def start_over(self, head: int) -> None:
        """What came after our number is not there: those who listen have to load the snapshot."""
        seq, listeners = self.seq or 0, (*self.live, *self.ahead)
        self.live.clear()
        self.ahead.clear()
        self.gathering.clear()
        self._waiting.clear()
        self.seq, self.noted = head, 0
        for listener in listeners:
            listener.topic_reset(self.name, seq, head)
