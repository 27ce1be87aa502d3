"""What tutors tell a student's client to do or to show, and how far that has come."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from crm.models import User
from crm.tenancy import TenantModel, tenant_key
from proctoring.models.devices import SessionDevice
from proctoring.models.sessions import ExamSession
from proctoring.states import CommandState, CommandType


class Command(TenantModel):
    session = models.ForeignKey(ExamSession, on_delete=models.CASCADE, related_name="commands")
    batch = models.UUIDField()  # one action of a tutor, however many students it is for: the tutor's client_id
    type = models.CharField(max_length=14, choices=CommandType.choices)
    body = models.TextField(blank=True)
    reason = models.CharField(max_length=500, blank=True)
    seconds = models.PositiveIntegerField(default=0)  # of extra time
    is_urgent = models.BooleanField(default=False)
    # Of one that is for a single device of the session
    device = models.ForeignKey(
        SessionDevice, null=True, blank=True, db_index=False, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=10, choices=CommandState.choices, default=CommandState.QUEUED)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            tenant_key("exam_command"),
            models.UniqueConstraint(fields=["session", "batch"], name="exam_command_once"),
            models.CheckConstraint(condition=Q(state__in=CommandState.values), name="exam_command_state_known"),
            models.CheckConstraint(condition=Q(type__in=CommandType.values), name="exam_command_type_known"),
        ]
        indexes = [
            models.Index(F("session"), F("id").desc(), name="exam_command_of_session"),
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=[CommandState.QUEUED, CommandState.DELIVERED]),
                name="exam_command_open",
            ),
            models.Index(fields=["device"], condition=~Q(device=None), name="exam_command_of_device"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
