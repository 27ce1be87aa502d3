"""How people and machines get in, and the record of who changed what."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from crm.models.people import User
from crm.models.workspaces import Workspace
from crm.roles import Role
from crm.tenancy import TenantModel, tenant_key


class Invitation(TenantModel):
    """A seat kept for an address. Its token is shown once, in the link; only the digest is kept."""

    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices)
    digest = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            tenant_key("invitation"),
            models.UniqueConstraint(
                F("workspace"),
                Lower("email"),
                condition=Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


# Of a key that nobody set another for: an assistant reads the context of call after call, a hundred a second at most
KEY_PER_MINUTE = 6_000


class ApiKey(TenantModel):
    """A machine's way in. Shown once when made; afterwards only its prefix, and a digest to know it by.

    It may do what its scopes say, and never more than its creator's role allows at that moment.
    """

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16)  # the visible beginning
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256: the key is random, so it needs no slow hash
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    rate_per_minute = models.PositiveIntegerField(default=KEY_PER_MINUTE)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the minute
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        constraints = [tenant_key("api_key")]
        indexes = [models.Index(F("workspace"), F("id").desc(), name="api_key_newest")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditEntry(models.Model):
    """Who changed what, when. Written with the change, never altered. Carries ids and settings, no message text."""

    id = models.BigAutoField(primary_key=True)
    # Empty for changes of the platform: its admins, its workspaces
    workspace = models.ForeignKey(Workspace, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    actor_kind = models.CharField(max_length=12)  # member, api_key, platform, system
    actor_id = models.UUIDField(null=True, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=60)  # member.role_changed
    target_kind = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)  # {"role": ["agent", "admin"]}

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(F("workspace"), F("id").desc(), name="audit_newest"),
            models.Index(F("workspace"), F("target_kind"), F("target_id"), F("id").desc(), name="audit_of_target"),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.target_kind}"
