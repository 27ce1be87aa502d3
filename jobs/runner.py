"""The threads of one worker process: one that claims, some that run, one that renews leases.

Jobs that only touch our database and jobs that call a provider have a crew each, so that a provider that hangs holds up
no incoming message. The claiming thread looks when the bell rings and every second besides, whatever Redis does.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import connections

from jobs import claims, engine, leases, nudge, tasks
from jobs.errors import describe
from jobs.running import RunningJob
from jobs.tasks import Task

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
RENEW_EVERY_SECONDS = 1.0
# More would only wait for each other and for the process's few database connections.
QUICK_THREADS = 4
# Claimed ahead for each quick thread: a claim is spread over several jobs, and few are lost with a killed worker.
AHEAD = 4
OUTGOING_THREADS = 8


class Runner:
    def __init__(self, *, quick: int = QUICK_THREADS, outgoing: int = OUTGOING_THREADS) -> None:
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        known = list(tasks.registered().values())
        self._crews = [
            Crew("quick", [task for task in known if task.atomic], quick, quick * AHEAD, self._bell),
            Crew("outgoing", [task for task in known if task.outgoing], outgoing, outgoing, self._bell),
        ]
        self._own = [
            threading.Thread(target=self._claim, name="jobs-claim", daemon=True),
            threading.Thread(target=self._renew, name="jobs-renew", daemon=True),
        ]

    def start(self) -> None:
        nudge.listen(self._bell)
        for thread in (*self._own, *(thread for crew in self._crews for thread in crew.threads)):
            thread.start()
        self._bell.set()

    def stop(self, seconds: float) -> bool:
        """Claims no more, gives back what has not begun, and waits for what has; False when that took too long.
        What is left then is taken up elsewhere when its lease runs out."""
        deadline = time.monotonic() + seconds
        nudge.unlisten(self._bell)
        self._stopping.set()
        self._bell.set()
        self._own[0].join(max(0.0, deadline - time.monotonic()))
        for crew in self._crews:
            crew.close()
        in_time = [crew.join(deadline) for crew in self._crews]
        self._ended.set()
        return all(in_time)

    def _claim(self) -> None:
        while not self._stopping.is_set():
            self._bell.wait(LOOK_EVERY_SECONDS)
            self._bell.clear()
            _guarded("claim", self._fill)
            connections.close_all()

    def _fill(self) -> None:
        for crew in self._crews:
            if not self._stopping.is_set():
                crew.fill()

    def _renew(self) -> None:
        # Until the very end: jobs that finish during a shutdown are still ours.
        while not self._ended.wait(RENEW_EVERY_SECONDS):
            _guarded("renew", self._renew_due)
            connections.close_all()

    def _renew_due(self) -> None:
        due = [holding for crew in self._crews for holding in crew.to_renew()]
        if due:
            leases.renew(due)


class Crew:
    """Threads for one kind of job and what they have in hand."""

    def __init__(self, name: str, known: list[Task], size: int, capacity: int, bell: threading.Event) -> None:
        self._known = {task.name: task for task in known}
        self._outgoing = name == "outgoing"
        self._capacity = capacity
        self._least_room = 1 if self._outgoing else (capacity + 1) // 2
        self._bell = bell
        self._more = False
        self._lock = threading.Lock()
        self._held: dict[tuple[int, int], Holding] = {}
        self._queue: queue.SimpleQueue[RunningJob | None] = queue.SimpleQueue()
        self.threads = [
            threading.Thread(target=self._work, name=f"jobs-{name}-{number}", daemon=True) for number in range(size)
        ]

    def fill(self) -> None:
        room = self._capacity - len(self._held)
        # While half is still in hand nobody waits, and a claim for every finished job would cost as much as the job.
        if room < self._least_room:
            self._more = True
        elif self._known:
            jobs = claims.claim(list(self._known.values()), outgoing=self._outgoing, limit=room)
            self._more = len(jobs) == room
            self._take(jobs)

    def _take(self, jobs: list[RunningJob]) -> None:
        with self._lock:
            self._held |= {(job.id, job.lease_token): Holding(job, self._known[job.type]) for job in jobs}
        for job in jobs:
            self._queue.put(job)

    def to_renew(self) -> list[tuple[int, int, timedelta]]:
        with self._lock:
            due = [holding for holding in self._held.values() if holding.is_due()]
        return [holding.renewed() for holding in due]

    def close(self) -> None:
        self._give_back()
        for _ in self.threads:
            self._queue.put(None)

    def join(self, deadline: float) -> bool:
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)

    def _give_back(self) -> None:
        """What no thread has begun, at the head of the queue."""
        waiting: list[RunningJob] = []
        while True:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job:
                waiting.append(job)
        if waiting:
            _guarded("release", partial(leases.release, [(job.id, job.lease_token) for job in waiting]))
            connections.close_all()

    def _work(self) -> None:
        while job := self._queue.get():
            _guarded("run", partial(engine.run, job))
            with self._lock:
                self._held.pop((job.id, job.lease_token), None)
            if self._more or job.lane:
                self._bell.set()
            if self._outgoing or self._queue.empty():
                connections.close_all()
        connections.close_all()


class Holding:
    """A job in hand and when its lease was last known to be fresh."""

    def __init__(self, job: RunningJob, task: Task) -> None:
        self.job = job
        self.lease = task.lease
        self.fresh_at = time.monotonic()
        self.give_up_at = self.fresh_at + task.longest_run.total_seconds()

    def is_due(self) -> bool:
        now = time.monotonic()
        return now < self.give_up_at and now - self.fresh_at > self.lease.total_seconds() / 3

    def renewed(self) -> tuple[int, int, timedelta]:
        self.fresh_at = time.monotonic()
        return self.job.id, self.job.lease_token, self.lease


def _guarded(what: str, do: Callable[[], None]) -> None:
    """The outermost guard of a thread that must go on: the database may be away for a while."""
    try:
        do()
    except BaseException as error:  # noqa: BLE001 - not even a handler's sys.exit() may end a thread of the worker
        logger.error("jobs_%s_failed: %s", what, describe(error), extra={"action": f"jobs_{what}_failed"})
        connections.close_all()  # whatever state the failure left it in
