"""How log lines are written: what broke is told by its type and place, never by the text of a foreign exception.

Such texts quote what they choke on: a row with a number in it, a body that is no JSON, an address with a key.
"""

import logging
import threading
from traceback import StackSummary, walk_tb
from types import TracebackType
from typing import TypeAlias

from django.conf import settings

logger = logging.getLogger(__name__)

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n\n"
MOST_LINKS = 10  # of a chain; an exception may be its own cause


class Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info:
            record.exc_text = None  # or what another handler's formatter left there would be written
        return super().format(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  # the library's name
        if settings.DEBUG or ei[1] is None:
            return super().formatException(ei)
        return "".join(_chain(ei[1])).rstrip("\n")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        line = super().formatMessage(record)
        # asyncio's second line shows the task, and in it the exception with its text.
        return line.partition("\n")[0] if record.name == "asyncio" and not settings.DEBUG else line


def hear_threads() -> None:
    """What ends a thread goes to the log in the same form, instead of to stderr as it is."""
    if threading.excepthook is threading.__excepthook__:  # else somebody listens already, such as a test runner
        threading.excepthook = _ended


def _ended(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is None or issubclass(what.exc_type, SystemExit):
        return
    name = what.thread.name if what.thread else ""
    error = (what.exc_type, what.exc_value, what.exc_traceback)
    logger.error("a thread ended", exc_info=error, extra={"action": "thread_ended", "thread_name": name})


def _chain(error: BaseException) -> list[str]:
    parts = [_one(error)]
    for _ in range(MOST_LINKS):
        if error.__cause__ is not None:
            error, joint = error.__cause__, _CAUSED
        elif error.__context__ is not None and not error.__suppress_context__:
            error, joint = error.__context__, _DURING
        else:
            break
        parts += [joint, _one(error)]
    return parts[::-1]


def _one(error: BaseException) -> str:
    """The frames show code, which is ours; the last line says what describe() keeps for jobs."""
    from jobs.errors import describe  # late: logging is set up before there are apps

    stack = StackSummary.extract(walk_tb(error.__traceback__))
    head = "Traceback (most recent call last):\n" if stack else ""
    return f"{head}{''.join(stack.format())}{describe(error)}\n"
