"""The threads of one worker process: two crews that claim and run jobs, and one thread that renews their leases.

Jobs that only touch our database and jobs that call a provider have a crew each, so that a provider that hangs holds up
no incoming message. A crew looks when its bell rings and every second besides, whatever Redis does.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from logging import getLogger

from django.db import connections

from jobs import claims, engine, leases, nudge, tasks
from jobs.errors import describe
from jobs.running import RunningJob
from jobs.tasks import Task

logger = getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
RENEW_EVERY_SECONDS = 1.0
# More would only wait for each other and for the process's few database connections.
QUICK_THREADS = 4
# Claimed ahead for each quick thread: a claim is spread over many jobs, and few wait for the lease of a killed worker.
AHEAD = 8
OUTGOING_THREADS = 8
# So many jobs of one lane, then those that were claimed before get their turn.
IN_A_ROW = 32
# So many jobs of one group in a transaction: a bad one costs all of them a second run.
TOGETHER = 32


class Runner:
    def __init__(self, *, quick: int = QUICK_THREADS, outgoing: int = OUTGOING_THREADS) -> None:
        known = tasks.registered()
        self._crews = [
            Crew(known, outgoing=False, size=quick, capacity=quick * AHEAD),
            # Nothing ahead: a call may take its ten seconds, and the one behind it as many.
            Crew(known, outgoing=True, size=outgoing, capacity=outgoing),
        ]
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="jobs-renew", daemon=True)

    def start(self) -> None:
        for crew in self._crews:
            crew.start()
        self._renewer.start()

    def stop(self, seconds: float) -> bool:
        """Claims no more, gives back what has not begun, and waits for what has; False when that took too long.
        What is left then is taken up elsewhere when its lease runs out."""
        deadline = time.monotonic() + seconds
        for crew in self._crews:
            crew.close()
        in_time = [crew.join(deadline) for crew in self._crews]
        self._ended.set()
        return all(in_time)

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
    """Threads for one kind of job, one that claims for them, and what they have in hand."""

    def __init__(self, known: Mapping[str, Task], *, outgoing: bool, size: int, capacity: int) -> None:
        self._known = {name: task for name, task in known.items() if task.outgoing == outgoing}
        self._outgoing = outgoing
        self._capacity = capacity
        # While half is still in hand nobody waits, and a claim for every finished job would cost as much as the job.
        self._least_room = 1 if outgoing else capacity // 2
        self._bell = threading.Event()
        self._more = False
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._held: dict[tuple[int, int], Holding] = {}
        self._groups: dict[str, list[RunningJob]] = {}  # that a thread is busy with, and what goes along next
        self._queue: queue.SimpleQueue[RunningJob | None] = queue.SimpleQueue()
        name = "outgoing" if outgoing else "quick"
        self._claimer = threading.Thread(target=self._claim, name=f"jobs-{name}-claim", daemon=True)
        self._workers = [
            threading.Thread(target=self._work, name=f"jobs-{name}-{number}", daemon=True) for number in range(size)
        ]

    def start(self) -> None:
        nudge.listen(self._hear)
        self._bell.set()
        for thread in (self._claimer, *self._workers):
            thread.start()

    def close(self) -> None:
        nudge.unlisten(self._hear)
        self._closing.set()
        self._bell.set()

    def join(self, deadline: float) -> bool:
        """The claimer first: it gives back what it claimed last, then dismisses the others."""
        for thread in (self._claimer, *self._workers):
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._workers)

    def to_renew(self) -> list[tuple[int, int, timedelta]]:
        with self._lock:
            due = [holding for holding in self._held.values() if holding.is_due()]
        return [holding.renewed() for holding in due]

    def _hear(self, outgoing: bool | None) -> None:
        if outgoing in (None, self._outgoing):
            self._bell.set()

    def _claim(self) -> None:
        while not self._closing.is_set():
            self._bell.wait(LOOK_EVERY_SECONDS)
            self._bell.clear()
            _guarded("claim", self._fill)
            connections.close_all()
        _guarded("release", self._give_back)
        connections.close_all()
        for _ in self._workers:
            self._queue.put(None)

    def _fill(self) -> None:
        room = self._capacity - len(self._held)
        if room < self._least_room:
            self._more = True
        elif self._known and not self._closing.is_set():
            jobs = claims.claim(self._known.values(), outgoing=self._outgoing, limit=room)
            self._more = len(jobs) == room
            for job in jobs:
                self._hold(job)
                self._queue.put(job)

    def _give_back(self) -> None:
        """What no thread has begun."""
        waiting: list[tuple[int, int]] = []
        while not self._queue.empty():
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job:
                waiting.append((job.id, job.lease_token))
        if waiting:
            leases.release(waiting)

    def _work(self) -> None:
        while job := self._queue.get():
            group = engine.group_of(job)
            if group:
                self._run_together(group, job)
            else:
                self._run_in_a_row(job)
            if self._more or job.lane:
                self._bell.set()
            if self._outgoing or self._queue.empty():
                connections.close_all()
        connections.close_all()

    def _run_together(self, group: str, job: RunningJob) -> None:
        """Of a group one thread at a time. What the others meet meanwhile goes along in its next transaction."""
        with self._lock:
            if group in self._groups:
                self._groups[group].append(job)
                return
            self._groups[group] = []
        jobs = [job]
        while jobs:
            self._run_all(jobs)
            with self._lock:
                waiting = self._groups[group]
                jobs, self._groups[group] = waiting[:TOGETHER], waiting[TOGETHER:]
                if not jobs:
                    del self._groups[group]

    def _run_all(self, jobs: list[RunningJob]) -> None:
        if not engine.run_together(jobs):
            for job in jobs:
                self._run_in_a_row(job)
            return
        for job in jobs:
            self._let_go(job)
        if any(job.followed for job in jobs):
            self._bell.set()

    def _run_in_a_row(self, job: RunningJob) -> None:
        """A job and then the next of its lane: else a deep lane would cost a look at the whole backlog for each."""
        for _ in range(IN_A_ROW):
            _guarded("run", partial(engine.run, job))
            follower = self._follower(job) if job.followed and not self._closing.is_set() else None
            self._let_go(job)
            if follower is None:
                return
            job = follower
        self._queue.put(job)

    def _follower(self, job: RunningJob) -> RunningJob | None:
        found: list[RunningJob] = []

        def claim() -> None:
            head = claims.claim_next(self._known.values(), outgoing=self._outgoing, lane=job.lane)
            if head:
                self._hold(head)
                found.append(head)

        _guarded("claim", claim)
        if not found:
            nudge.ring_here()  # its head may be for the other crew
        return found[0] if found else None

    def _hold(self, job: RunningJob) -> None:
        with self._lock:
            self._held[job.id, job.lease_token] = Holding(job, self._known[job.type])

    def _let_go(self, job: RunningJob) -> None:
        with self._lock:
            self._held.pop((job.id, job.lease_token), None)


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
