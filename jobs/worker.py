"""What Celery knows of us: an empty nudge, the crons' names, and a step that keeps a Runner in each worker.

Celery brings process, signals, broker and clock. It holds no job, no result and no retry; the table does.
"""

import logging
from datetime import timedelta
from typing import Any

from celery import bootsteps, shared_task
from django.db import connections

from jobs import crons, nudge
from jobs.runner import Runner

logger = logging.getLogger(__name__)

CRON_TASK = "jobs.cron"
# A warm shutdown waits so long for running jobs; later their leases run out and another worker takes them up.
SHUTDOWN_SECONDS = 12.0


@shared_task(name=nudge.TASK, ignore_result=True)
def drain() -> None:
    """A nudge: the runner of this process looks at once."""
    nudge.ring_here()


@shared_task(name=CRON_TASK, ignore_result=True)
def run_cron(name: str) -> None:
    try:
        crons.run(name)
    finally:
        connections.close_all()


class RunnerStep(bootsteps.StartStopStep):
    """Started before Celery looks for its broker, so that jobs run without one."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.runner: Runner | None = None

    def start(self, worker: Any) -> None:
        self.runner = Runner(outgoing=worker.concurrency)
        self.runner.start()
        logger.info("worker_started", extra={"action": "worker_started"})

    def stop(self, worker: Any) -> None:
        if self.runner and not self.runner.stop(SHUTDOWN_SECONDS):
            logger.warning("worker_left_jobs", extra={"action": "worker_left_jobs"})
        self.runner = None

    def terminate(self, worker: Any) -> None:
        """A cold shutdown waits for nobody."""


def beat_schedule() -> dict[str, dict[str, Any]]:
    """One entry per cron. A message that nobody took before the next one is sent is thrown away."""
    return {
        known.name: {
            "task": CRON_TASK,
            "args": (known.name,),
            "schedule": known.ask_every,
            "options": {"expires": max(known.ask_every, timedelta(seconds=10)).total_seconds()},
        }
        for known in crons.registered().values()
    }
