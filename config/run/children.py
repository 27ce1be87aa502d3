"""The processes of the product, as data: what is started, after what, and how each is asked to end."""

import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from config.run.embedded import Postgres, Valkey

Signal = signal.Signals
WORKER_THREADS = 8


class Starts(IntEnum):
    """Earlier ones are ready before later ones begin."""

    SERVERS = 0
    WEB = 1
    BACKGROUND = 2  # once the web answers, so that the sign-in page has the processor to itself


class Ends(IntEnum):
    """Earlier ones are gone before later ones are asked: nobody loses what it still needs to finish."""

    DOORS = 0  # takes no new requests, wakes no new work
    WORK = 1
    OUTSIDE = 2
    REDIS = 3
    DATABASE = 4


@dataclass(frozen=True)
class Child:
    name: str
    command: Callable[[], Sequence[str]]
    starts: Starts
    ends: Ends
    # Each signal with the seconds it is given; SIGKILL follows the last.
    endings: tuple[tuple[Signal, float], ...] = ((Signal.SIGTERM, 8.0),)
    # What the kernel sends it when we die without a word.
    orphaned: Signal = Signal.SIGKILL
    pass_fds: tuple[int, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    # For servers: whether it answers; why it never will, from what it printed (None: try again); what to do before.
    answers: Callable[[], bool] | None = None
    refusal: Callable[[Sequence[str], float], str | None] | None = None
    before: Callable[[], None] | None = None
    # The longest pause before a child that keeps dying is tried again
    longest_pause: float = 30.0

    @property
    def is_server(self) -> bool:
        return self.starts is Starts.SERVERS


def postgres(server: Postgres) -> Child:
    return Child(
        name="postgres",
        command=server.command,
        starts=Starts.SERVERS,
        ends=Ends.DATABASE,
        endings=((Signal.SIGINT, 10.0), (Signal.SIGQUIT, 3.0)),  # fast shutdown, then immediate
        orphaned=Signal.SIGINT,
        answers=server.ready,
        refusal=server.refusal,
        before=server.disown_stale_lock,
        longest_pause=2.0,
    )


def valkey(server: Valkey) -> Child:
    return Child(
        name="valkey",
        command=server.command,
        starts=Starts.SERVERS,
        ends=Ends.REDIS,
        answers=server.ready,
        refusal=server.refusal,
        longest_pause=2.0,
    )


def web(number: int, of: int, listener: int) -> Child:
    return Child(
        name=f"web.{number}" if of > 1 else "web",
        command=_python("-m", "config.servers.start", "--fd", str(listener)),
        starts=Starts.WEB,
        ends=Ends.DOORS,
        pass_fds=(listener,),
    )


def worker() -> Child:
    lean = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return Child(
        name="worker",
        command=_celery("worker", "--pool=threads", "-c", str(WORKER_THREADS), *lean),
        starts=Starts.BACKGROUND,
        ends=Ends.WORK,
        endings=((Signal.SIGTERM, 15.0),),  # runs to the end what it has begun
        # Being root is the operator's choice, and nothing here reads pickles, of which Celery warns.
        environment={"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"},
    )


def beat() -> Child:
    return Child(
        name="beat",
        command=_celery("beat"),
        starts=Starts.BACKGROUND,
        ends=Ends.DOORS,
    )


def simulator() -> Child:
    return Child(
        name="simulator",
        command=_python("-m", "webhooks.simulator"),
        starts=Starts.BACKGROUND,
        ends=Ends.OUTSIDE,
    )


def prepare() -> Child:
    return Child(name="prepare", command=_python("-m", "config.run.prepare"), starts=Starts.WEB, ends=Ends.DOORS)


def _celery(*words: str) -> Callable[[], Sequence[str]]:
    return _python("-m", "celery", "--quiet", "-A", "config", *words, "-l", "WARNING")


def _python(*words: str) -> Callable[[], Sequence[str]]:
    return lambda: (sys.executable, *words)
