"""How often a password may be tried, and what else is counted so: in Redis, and without it nobody is kept out."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.errors import TooMany

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 300
# Wrong passwords in a window, from one place and for one account from anywhere. A hundred is more than a
# forgetful person needs and too few to guess with; it is high since anybody can use up somebody else's.
FROM_ONE_PLACE = 30
FOR_ONE_ACCOUNT_FROM_ONE_PLACE = 8
FOR_ONE_ACCOUNT = 100
REDIS_SECONDS = 0.5
# Counts first and asks afterwards, so that parallel guesses cannot slip through together.
COUNT = """
local worst = 0
for i, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  if count == 1 then redis.call('EXPIRE', key, ARGV[1]) end
  if count > tonumber(ARGV[i + 1]) then worst = math.max(worst, redis.call('TTL', key)) end
end
return worst
"""
# The same of several windows, each with its own seconds: the first that is too much says so, and the rest do not count.
COUNT_IN_TURN = """
for i, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  if count == 1 then redis.call('EXPIRE', key, ARGV[2 * i]) end
  if count > tonumber(ARGV[2 * i - 1]) then return redis.call('TTL', key) end
end
return 0
"""
# A counter that ran out meanwhile must not come back as a negative one without an end.
FORGIVE = """
for _, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then redis.call('DECR', key) end
end
"""


class PasswordTry:
    """One try: `begin` raises TooMany; `succeeded` takes it off the count again."""

    def __init__(self, *, source: str, email: str) -> None:
        account = hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()[:32]
        self._limits = {
            _key("place", source): FROM_ONE_PLACE,
            _key("both", source, account): FOR_ONE_ACCOUNT_FROM_ONE_PLACE,
            _key("account", account): FOR_ONE_ACCOUNT,
        }

    def begin(self) -> None:
        wait = _run(COUNT, list(self._limits), [WINDOW_SECONDS, *self._limits.values()])
        if wait:
            raise TooMany(retry_after=wait)

    def succeeded(self) -> None:
        _run(FORGIVE, list(self._limits), [])


def count_up(what: str, limits: Mapping[str, int], seconds: int) -> None:
    """One more for each name in `limits`; TooMany where that is more than the name may do in so many seconds."""
    keys = [":".join((settings.REDIS_PREFIX, what, name)) for name in limits]
    wait = _run(COUNT, keys, [seconds, *limits.values()])
    if wait:
        raise TooMany(retry_after=wait)


def count_in_turn(windows: Sequence[tuple[str, str, int, int]]) -> None:
    """What is counted, for which name, how many at most, in how many seconds: as `count_up` for each, asked at once."""
    keys = [":".join((settings.REDIS_PREFIX, what, name)) for what, name, _most, _seconds in windows]
    wait = _run(COUNT_IN_TURN, keys, [number for window in windows for number in window[2:]])
    if wait:
        raise TooMany(retry_after=wait)


def _key(*parts: str) -> str:
    return ":".join((settings.REDIS_PREFIX, "password", *parts))


def _run(script: str, keys: Sequence[str], arguments: Sequence[int]) -> int:
    try:
        result = client(settings.REDIS_URL).eval(script, len(keys), *keys, *map(str, arguments))
        return result if isinstance(result, int) else 0
    except redis.RedisError as error:
        logger.warning("password_tries_not_counted", extra={"action": "throttle_skipped", "reason": str(error)})
        with suppress(redis.RedisError):
            client(settings.REDIS_URL).connection_pool.disconnect()
        return 0


@cache
def client(url: str) -> redis.Redis:
    # No retries: somebody waits for the page, and the limit is not worth seconds.
    return redis.Redis.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, retry=Retry(NoBackoff(), 0)
    )
