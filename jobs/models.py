"""The table of jobs, which is the truth about them, and one row per cron. Moved only by conditional updates."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from jobs.states import ENDED, Status


class Job(models.Model):
    id = models.BigAutoField(primary_key=True)
    key = models.TextField()
    type = models.TextField()
    lane = models.TextField(blank=True, db_default="")
    # Does its handler call a provider? Such jobs run on threads of their own, so that a slow provider holds up nobody.
    outgoing = models.BooleanField(db_default=False)
    workspace_id = models.UUIDField(null=True, blank=True)
    payload = models.JSONField(default=dict, db_default={})
    status = models.TextField(choices=Status.choices, default=Status.PENDING, db_default=Status.PENDING)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    max_attempts = models.PositiveIntegerField(default=8, db_default=8)
    next_attempt = models.DateTimeField(db_default=Now())
    # While backing off it holds its lane until then, counted from the first failure.
    blocks_until = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, db_default="")
    error_code = models.TextField(blank=True, db_default="")
    result = models.JSONField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # Rises with every claim: whoever holds an older number has lost the job.
    lease_token = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "job"
        constraints: ClassVar = [
            # Not unique=True, which would make a second index for LIKE.
            models.UniqueConstraint(name="job_once_per_key", fields=["key"]),
            models.CheckConstraint(name="job_status_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(
                name="job_lease_while_processing",
                condition=Q(status=Status.PROCESSING, lease_until__isnull=False)
                | (~Q(status=Status.PROCESSING) & Q(lease_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_ended_has_time",
                condition=Q(status__in=sorted(ENDED), completed_at__isnull=False)
                | (~Q(status__in=sorted(ENDED)) & Q(completed_at__isnull=True)),
            ),
            models.CheckConstraint(name="job_tries_at_least_once", condition=Q(max_attempts__gte=1)),
            models.UniqueConstraint(
                name="job_one_running_per_lane",
                fields=["lane"],
                condition=Q(status=Status.PROCESSING) & ~Q(lane=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="job_due", fields=["outgoing", "next_attempt", "id"], condition=Q(status=Status.PENDING)),
            models.Index(name="job_lane_head", fields=["lane", "id"], condition=Q(status=Status.PENDING) & ~Q(lane="")),
            models.Index(name="job_lease", fields=["lease_until"], condition=Q(status=Status.PROCESSING)),
            models.Index(name="job_done", fields=["completed_at"], condition=Q(status=Status.COMPLETED)),
            models.Index(name="job_by_type", fields=["type", "status", "id"]),
            models.Index(name="job_by_workspace", fields=["workspace_id", "status", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.key}"


class JobAttempt(models.Model):
    """A try that did not work. Written by the engine, for people who ask why; a try that works leaves no row."""

    id = models.BigAutoField(primary_key=True)
    # No foreign key: rows are swept away after their job, and writing one locks no job.
    job_id = models.BigIntegerField()
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    took = models.DurationField(null=True, blank=True)
    error = models.TextField()
    error_code = models.TextField(blank=True, db_default="")

    class Meta:
        db_table = "job_attempt"
        indexes: ClassVar = [models.Index(name="job_attempt_of_job", fields=["job_id", "id"])]

    def __str__(self) -> str:
        return f"{self.job_id} {self.attempt}"


class JobMeta(models.Model):
    """One row per cron: when it ran, how it went, and the guard against running twice."""

    name = models.TextField(primary_key=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_duration = models.DurationField(null=True, blank=True)
    last_status = models.TextField(blank=True, db_default="")
    last_error = models.TextField(blank=True, db_default="")
    stats = models.JSONField(default=dict, db_default={})
    running_since = models.DateTimeField(null=True, blank=True)
    run_token = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = "cron"
        verbose_name_plural = "crons"
        db_table = "job_meta"

    def __str__(self) -> str:
        return self.name
