"""One log line now and then for what repeats every second while a server is away."""

import logging
import time


class Repeated:
    """Logs at most every `seconds`; the cause is a class name and a sentence, never a traceback."""

    def __init__(self, logger: logging.Logger, sentence: str, *, seconds: float = 10.0) -> None:
        self._logger = logger
        self._sentence = sentence
        self._seconds = seconds
        self._last = float("-inf")

    def __call__(self, error: BaseException) -> None:
        now = time.monotonic()
        if now - self._last >= self._seconds:
            self._last = now
            self._logger.warning("%s %s: %s", self._sentence, type(error).__name__, error)


class OncePerPause(logging.Filter):
    """For a library that logs the same failure with a traceback each time it tries."""

    def __init__(self, *, seconds: float = 10.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._last = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if record.exc_info and now - self._last < self._seconds:
            return False
        self._last = now
        return True
