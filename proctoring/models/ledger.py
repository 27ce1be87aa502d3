"""Time that a student could not use, and when our own service was there."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from crm.tenancy import TenantModel, tenant_key
from proctoring.models.sessions import ExamSession
from proctoring.states import GapCause


class SessionGap(TenantModel):
    """One line of the lost-time ledger."""

    session = models.ForeignKey(ExamSession, on_delete=models.CASCADE, related_name="gaps")
    cause = models.CharField(max_length=10, choices=GapCause.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    given_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            tenant_key("session_gap"),
            models.UniqueConstraint(fields=["session", "cause", "began_at"], name="session_gap_once"),
            models.CheckConstraint(condition=Q(ended_at__gte=F("began_at")), name="session_gap_forward"),
            models.CheckConstraint(condition=Q(cause__in=GapCause.values), name="session_gap_cause_known"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ServiceMark(models.Model):
    """One row: until when our web processes were there, and since when they are back. Silence during an outage of
    ours is nobody's fault."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    alive_at = models.DateTimeField(db_default=Now())
    back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="service_mark_single")]

    def __str__(self) -> str:
        return str(self.alive_at)
