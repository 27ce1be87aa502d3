"""The browsers that a sitting was opened in."""

from django.db import models
from django.db.models.functions import Now

from crm.models import User
from crm.tenancy import TenantModel, tenant_key
from proctoring.models.sessions import ExamSession


class SessionDevice(TenantModel):
    session = models.ForeignKey(ExamSession, on_delete=models.CASCADE, related_name="devices")
    name = models.CharField(max_length=64)  # the client's own for itself
    user_agent = models.CharField(max_length=200, blank=True, db_default="")  # empty of one that has only beaten
    first_seen_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)  # the sitting goes on, and not here
    ended_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            tenant_key("session_device"),
            models.UniqueConstraint(fields=["session", "name"], name="session_device_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
