"""The Celery application: `python -m celery -A config worker` and `… beat`. Empty nudges and the clock; see jobs/."""

import os

import django
from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Celery alone imports this module, and its own set-up would come after the settings below.
django.setup()

from jobs import nudge, worker  # noqa: E402 - needs the apps

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
