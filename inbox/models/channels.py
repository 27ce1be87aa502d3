"""One connected number or widget. Its outside name is globally unique, since providers call it by that alone."""

from django.db import models
from django.db.models.functions import Lower

from crm.encryption import EncryptedJSONField
from crm.tenancy import TenantModel, tenant_key
from inbox.states import ChannelKind


class Channel(TenantModel):
    slug = models.SlugField(max_length=60)
    kind = models.CharField(max_length=10, choices=ChannelKind.choices)
    name = models.CharField(max_length=120)
    identifier = models.CharField(max_length=120, blank=True)  # phone number id, account sid
    phone = models.CharField(max_length=20, blank=True)  # E.164
    # kapso: api_key, webhook_secrets (newest first), app_secrets (Meta), verify_tokens
    credentials = EncryptedJSONField(default=dict, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            tenant_key("channel"),
            models.UniqueConstraint(Lower("slug"), name="channel_slug_once"),
            models.CheckConstraint(condition=models.Q(slug=Lower("slug")), name="channel_slug_lower"),
        ]

    def __str__(self) -> str:
        return self.slug
