"""Reminders of exams that are about to begin."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from crm.tenancy import TenantModel, tenant_key
from proctoring.models.exams import Enrolment, Exam
from proctoring.states import ReminderState


class ExamReminder(TenantModel):
    """One for each student, distance and beginning, however often the clock asks. Moved to another day, the exam is
    reminded of anew."""

    exam = models.ForeignKey(Exam, on_delete=models.CASCADE, related_name="+")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="+")
    offset_minutes = models.PositiveIntegerField()
    starts_at = models.DateTimeField()  # of the exam, when this was made
    state = models.CharField(max_length=10, choices=ReminderState.choices, default=ReminderState.WAITING)
    via = models.CharField(max_length=10, blank=True)  # email or message
    reason = models.CharField(max_length=60, blank=True)  # why it was not sent
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            tenant_key("exam_reminder"),
            models.UniqueConstraint(
                fields=["exam", "enrolment", "offset_minutes", "starts_at"], name="exam_reminder_once"
            ),
            models.CheckConstraint(condition=Q(state__in=ReminderState.values), name="exam_reminder_state_known"),
        ]
        indexes = [models.Index(F("exam"), F("id").desc(), name="exam_reminder_newest")]

    def __str__(self) -> str:
        return str(self.pk)
