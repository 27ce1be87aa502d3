"""Workspaces and who belongs to them."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Upper
from django.utils.translation import gettext_lazy as _

from crm.ids import uuid7
from crm.models.people import User
from crm.roles import Role

DEFAULT_LEAD_STATUSES = ["new", "contacted", "qualified", "customer", "lost"]


def default_lead_statuses() -> list[str]:
    return list(DEFAULT_LEAD_STATUSES)


class Workspace(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=60, default="UTC")
    # ISO country whose dialling habits apply to numbers typed without a country code
    default_region = models.CharField(max_length=2, default="US")
    # Columns of the contacts' board, in order; a contact may carry another word, which stands at the end
    lead_statuses = ArrayField(
        models.CharField(max_length=40), default=default_lead_statuses, db_default=DEFAULT_LEAD_STATUSES
    )
    settings = models.JSONField(default=dict, blank=True, db_default={})
    # Feature switches: name to on or off; a missing name is on
    features = models.JSONField(default=dict, blank=True)
    # Somebody subscribes to `workspace.<slug>`. Here, since every announcement has read this row anyhow
    is_feed_open = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("slug"), name="workspace_slug_once"),
            models.CheckConstraint(condition=models.Q(slug=Lower("slug")), name="workspace_slug_lower"),
        ]
        indexes = [
            # The admin finds them by any part of their name
            GinIndex(
                OpClass(Upper("slug"), name="gin_trgm_ops"),
                OpClass(Upper("name"), name="gin_trgm_ops"),
                name="workspace_trigrams",
            )
        ]

    def __str__(self) -> str:
        return self.slug


class Availability(models.TextChoices):
    ONLINE = "online", _("Online")
    AWAY = "away", _("Away")
    HANDING = "handing", _("Away, hand my conversations back")


class Member(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    availability = models.CharField(
        max_length=10, choices=Availability.choices, default=Availability.ONLINE, db_default=Availability.ONLINE
    )
    preferences = models.JSONField(default=dict, blank=True, db_default={})  # notices, sound, order of the list
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="member_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.workspace_id}"
