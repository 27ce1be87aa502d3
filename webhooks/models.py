"""The journal of what comes in, kept before it is acknowledged; and what goes out to other systems' webhooks."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from crm.encryption import EncryptedJSONField
from crm.models import User
from crm.tenancy import TenantModel, tenant_key


class Provider(models.TextChoices):
    KAPSO = "kapso"
    TWILIO = "twilio"
    STRIPE = "stripe"
    IDENTITY = "identity"
    SCORES = "scores"


class DeliveryState(models.TextChoices):
    KEPT = "kept"  # not yet unpacked
    APPLIED = "applied"  # became jobs, or there was nothing to do
    UNHANDLED = "unhandled"  # a kind that is kept and not acted on
    FAILED = "failed"  # the signature was right and the content was not: `outcome.reason` says how


class Delivery(models.Model):
    """A signed delivery as it came. Prunable, so no foreign key points at it."""

    id = models.BigAutoField(primary_key=True)
    provider = models.CharField(max_length=10, choices=Provider.choices)
    channel_id = models.UUIDField(null=True, blank=True)
    workspace_id = models.UUIDField(null=True, blank=True)
    event_key = models.CharField(max_length=255)  # the provider's idempotency key, or the body's digest
    event = models.CharField(max_length=80, blank=True)
    headers = models.JSONField(default=dict)  # without secrets
    body = models.BinaryField()
    received_at = models.DateTimeField(auto_now_add=True, db_index=True)
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.KEPT)
    outcome = models.JSONField(default=dict)  # what it became: {"items": [job keys], "unhandled": [...], "reason": ...}
    replays = models.PositiveSmallIntegerField(default=0, db_default=0)  # how often a person had it read anew
    replayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            # For providers without a channel the event key alone is unique.
            models.UniqueConstraint(
                fields=["provider", "channel_id", "event_key"],
                name="delivery_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(F("workspace_id"), F("id").desc(), name="delivery_newest"),
            models.Index(F("workspace_id"), F("state"), F("id").desc(), name="delivery_by_state"),
            models.Index(fields=["id"], condition=Q(state=DeliveryState.KEPT), name="delivery_kept"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event} {self.pk}"


class Subscription(TenantModel):
    """Another system that wants to hear what happens in a workspace, by signed calls to its address."""

    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(models.CharField(max_length=60), default=list, blank=True)  # empty: all of them
    secrets = EncryptedJSONField(default=dict)  # {"secrets": ["whsec_..."]}, newest first; all of them sign
    is_active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    cursor = models.BigIntegerField(default=0)  # the newest number of the feed that has become calls
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [tenant_key("subscription")]
        indexes = [
            models.Index(fields=["workspace"], condition=Q(is_active=True, deleted_at=None), name="subscription_active")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class CallState(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Call(TenantModel):
    """One event on its way to one subscription, with how that went. The log people look at, and redeliver from."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="calls")
    seq = models.BigIntegerField()  # the event's number in the workspace's feed
    event_type = models.CharField(max_length=60)
    body = models.TextField()  # exactly what is signed and sent
    state = models.CharField(max_length=10, choices=CallState.choices, default=CallState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    redeliveries = models.PositiveSmallIntegerField(default=0)  # part of the job's key
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)  # the last answer
    error = models.CharField(max_length=300, blank=True)
    took_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            tenant_key("call"),
            models.UniqueConstraint(fields=["subscription", "seq"], name="call_once"),
        ]
        indexes = [
            models.Index(F("workspace"), F("id").desc(), name="call_newest"),
            models.Index(F("subscription"), F("state"), F("id").desc(), name="call_of_subscription"),
            models.Index(fields=["created_at"], name="call_age"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
