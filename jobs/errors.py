"""What can go wrong with a job, and how it is written down: enough to find the cause, nothing about a person."""

import traceback
from pathlib import Path

from django.db import Error as DatabaseError

from config.errors import Conflict, DomainError, NotFound

TEXT_LIMIT = 300
FRAMES = 3
ROOT = Path(__file__).resolve().parent.parent


class ProviderError(Exception):
    """A call to the outside failed. `message` is ours and safe to show, never the peer's body.

    `permanent`: trying again cannot help. `maybe_sent`: the call may have had its effect, so it is never repeated
    blindly. `retry_after`: seconds the peer asked us to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        code: str = "",
        maybe_sent: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.code = code
        self.maybe_sent = maybe_sent
        self.retry_after = retry_after


class RetryLater(Exception):
    """Not now: come back `after` seconds. Costs an attempt only when `counts`. `frees_lane`: what this job waits for,
    such as the outcome of a call that broke off, is no reason for the next in its lane to wait."""

    code = "retry_later"

    def __init__(self, reason: str, after: float, counts: bool = False, *, frees_lane: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after
        self.counts = counts
        self.frees_lane = frees_lane


class LeaseLost(Exception):
    """Somebody else has taken the job up meanwhile; whatever this holder was about to commit must not."""


class WorkerDied(Exception):
    """The lease ran out on the last attempt: its worker was killed or hung."""

    code = "worker_died"

    def __init__(self) -> None:
        super().__init__("the worker died")


class UnknownTask(LookupError):
    """No handler of that name is registered in this release."""

    code = "unknown_task"


class NoSuchJob(NotFound):
    code = "job_not_found"
    message = "There is no such job."


class Stopped(DomainError):
    """What a job that was never done is told to its task's `on_failed`."""

    code = "stopped"
    message = "A person stopped this before it was done."


class MoveRefused(Conflict):
    """`data["status"]` is where the job stands now."""

    code = "job_move_refused"
    message = "A job in this state cannot be moved there."


# Their texts are written by us to be shown; any other exception may quote a phone number or a body.
_AUTHORED = (ProviderError, RetryLater, WorkerDied, UnknownTask, DomainError)


def code_of(error: BaseException) -> str:
    if isinstance(error, ProviderError):
        return error.code or ("maybe_sent" if error.maybe_sent else "provider_error")
    return error.code if isinstance(error, _AUTHORED) else "error"


def describe(error: BaseException) -> str:
    """The type and a text that is safe to keep and log: our own words, or else only the place in the code."""
    name = type(error).__name__
    if isinstance(error, _AUTHORED):
        return f"{name}: {' '.join(str(error).split())}"[:TEXT_LIMIT]
    return " ".join(part for part in (name, _constraint(error), _place(error)) if part)[:TEXT_LIMIT]


def _constraint(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    diagnostics = getattr(cause, "diag", None)
    words = (getattr(diagnostics, "sqlstate", None), getattr(diagnostics, "constraint_name", None))
    return " ".join(word for word in words if word)


def _place(error: BaseException) -> str:
    frames = [
        f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    return f"at {' < '.join(reversed(frames[-FRAMES:]))}" if frames else ""


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else "/".join(path.parts[-2:])
