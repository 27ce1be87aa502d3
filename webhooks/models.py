"""The journal: every signed delivery, kept before it is acknowledged. Prunable, so no foreign key points at it."""

from django.db import models
from django.db.models import F, Q


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
    UNREADABLE = "unreadable"  # not in the provider's form


class Delivery(models.Model):
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
    outcome = models.JSONField(default=dict)  # what it became: item keys, or why not

    class Meta:
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
            models.Index(fields=["id"], condition=Q(state=DeliveryState.KEPT), name="delivery_kept"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event} {self.pk}"
