"""Jobs, their tries and the crons in Django admin: to read. What a person may do to a job is added above, where
messages and workspaces are known."""

from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from unfold.contrib.filters.admin import DropdownFilter, FieldTextFilter

from config.admin.base import Admin, column
from config.admin.words import milliseconds, span, statistics
from jobs import crons
from jobs.models import Job, JobAttempt, JobMeta
from jobs.states import Status

STATES = {
    Status.PENDING: "info",
    Status.PROCESSING: "warning",
    Status.COMPLETED: "success",
    Status.FAILED: "danger",
}
# Each type once, read from the index a value at a time.
_TYPES = """
WITH RECURSIVE found AS (
    (SELECT type FROM job ORDER BY type LIMIT 1)
    UNION ALL
    SELECT (SELECT type FROM job WHERE type > found.type ORDER BY type LIMIT 1) FROM found WHERE found.type IS NOT NULL
)
SELECT type FROM found WHERE type IS NOT NULL LIMIT 500
"""


def types() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TYPES)
        return [row[0] for row in cursor.fetchall()]


class ByState(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """With the types beside it, since the index of states begins with them."""

    title = lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Status.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.value() not in Status.values:
            return queryset
        return queryset.filter(type__in=types(), status=self.value())


class JobAdmin(Admin):
    list_display = ("id", "type", "state", "attempts", "error_code", "created_at", "next_attempt", "completed_at")
    list_filter: Any = (ByState, ("type", FieldTextFilter))
    search_fields = ("id", "key")
    search_help_text = lazy("The number or the whole key of a job")
    # A payload may hold what somebody wrote, so the outbox shows it, and only to those who manage the workspace.
    texts = ("key", "type", "lane", "last_error", "error_code")

    @column(lazy("state"), label=STATES)
    def state(self, job: Job) -> str:
        return job.status


@admin.register(JobAttempt)
class JobAttemptAdmin(Admin):
    list_display = ("id", "job_id", "attempt", "at", "took", "error_code")
    search_fields = ("id", "job_id")
    search_help_text = lazy("The number of a job")
    texts = ("error", "error_code")


@admin.register(JobMeta)
class CronAdmin(Admin):
    """Every schedule of the product: a row is its guard as well, and stands there before its first run."""

    list_display = ("name", "how_often", "last_run", "took", "last_status", "standing", "statistics")
    ordering = ("name",)
    search_fields = ("name",)
    texts = ("last_status", "last_error", "stats")

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobMeta]:
        return super().get_queryset(request).filter(name__in=list(crons.registered()))

    @column(lazy("every"))
    def how_often(self, row: JobMeta) -> str:
        return span(crons.registered()[row.name].every)

    @column(lazy("last run"))
    def last_run(self, row: JobMeta) -> str:
        return _("%s ago") % span(timezone.now() - row.last_run_at) if row.last_run_at else _("never")

    @column(lazy("took"))
    def took(self, row: JobMeta) -> str:
        return milliseconds(row.last_duration) if row.last_duration else ""

    @column(lazy("standing"), label={"on time": "success", "overdue": "danger"})
    def standing(self, row: JobMeta) -> tuple[str, str]:
        if crons.registered()[row.name].is_overdue(row.last_run_at, timezone.now()):
            return "overdue", _("overdue")
        return "on time", _("on time")

    @column(lazy("statistics"))
    def statistics(self, row: JobMeta) -> str:
        return statistics(row.stats)


admin.site.register(Job, JobAdmin)
