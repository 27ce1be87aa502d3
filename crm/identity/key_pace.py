"""How often a key may ask in a minute, over all processes. Counted in Redis, in portions that a process takes at once.

A portion is a sixtieth of the limit, so a busy key costs one trip to Redis in many requests. Without Redis nobody is
kept out.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
from django.conf import settings

from config.errors import TooMany
from crm.identity.throttle import client

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
PORTIONS = 60  # of a window's limit
WITHOUT_REDIS_SECONDS = 2.0  # before it is tried again
MOST_KEPT = 10_000
# The count after the portion, and how many milliseconds its window still has.
TAKE = """
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  left = tonumber(ARGV[2])
end
return {count, left}
"""


@dataclass(slots=True)
class _Portion:
    left: float  # infinite while Redis cannot be asked
    until: float  # monotonic
    refused: bool = False  # the window's limit is used up


class Pace:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._portions: dict[UUID, _Portion] = {}

    def take(self, key_id: UUID, per_minute: int) -> None:
        """TooMany with the seconds until the next window."""
        while not self.take_held(key_id):
            self._keep(key_id, self._fetch(key_id, per_minute))

    def take_held(self, key_id: UUID) -> bool:
        """From what this process holds, so it never waits. False when Redis has to be asked; TooMany as `take`."""
        with self._lock:
            held = self._portions.get(key_id)
            if held is None or held.until <= self._clock():
                return False
            if held.refused:
                raise TooMany(retry_after=max(1, math.ceil(held.until - self._clock())))
            if held.left < 1:
                return False
            held.left -= 1
            return True

    def _keep(self, key_id: UUID, fetched: _Portion) -> None:
        with self._lock:
            if len(self._portions) > MOST_KEPT:
                self._portions.clear()
            held = self._portions.get(key_id)
            if held is not None and held.until > self._clock() and held.left:  # another thread fetched too
                fetched.left += held.left
                fetched.refused = False
            self._portions[key_id] = fetched

    def _fetch(self, key_id: UUID, per_minute: int) -> _Portion:
        portion = max(1, per_minute // PORTIONS)
        try:
            said: Any = client(settings.REDIS_URL).eval(
                TAKE, 1, f"{settings.REDIS_PREFIX}:key-pace:{key_id}", str(portion), str(WINDOW_SECONDS * 1000)
            )
        except redis.RedisError as error:
            logger.warning("key_not_counted", extra={"action": "key_not_counted", "reason": type(error).__name__})
            return _Portion(math.inf, self._clock() + WITHOUT_REDIS_SECONDS)
        count, milliseconds = said
        granted = max(0, min(portion, per_minute - (count - portion)))
        return _Portion(granted, self._clock() + milliseconds / 1000, refused=not granted)


_pace = Pace()
take = _pace.take
take_held = _pace.take_held
