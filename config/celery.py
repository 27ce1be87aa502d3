"""The Celery application: `python -m celery -A config worker` and `… beat`. Empty nudges and the clock; see jobs/."""

import os

import django
from celery import Celery
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Celery alone imports this module, and its own set-up would come after the settings below.
django.setup()

from config.run.demo.guard import check_demo_allowed  # noqa: E402 - needs the apps
from jobs import nudge, worker  # noqa: E402

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    # A child process per task would not reach the runner, whose threads live in the worker itself.
    worker_pool="threads",
    task_queues=[Queue(app.conf.task_default_queue), Queue(nudge.queue_name())],
    beat_schedule=worker.beat_schedule(),
    # Keeps nothing on disk: job_meta remembers when each cron last ran.
    beat_scheduler="celery.beat:Scheduler",
)
app.steps["worker"].add(worker.RunnerStep)


@worker_init.connect
@beat_init.connect
def _refuse_demo_data(**_: object) -> None:
    """Demo data has public passwords: nothing serves it as if it were real."""
    try:
        check_demo_allowed()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None
