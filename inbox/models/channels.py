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
    # twilio: auth_tokens (newest first; the first one signs our calls too), shared_keys (webhook key's name to secret)
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


class ChannelPace(models.Model):
    """How fast a channel may send: a bucket of tokens, and until when its provider asked us to wait.

    A row of its own, since every send writes it and the channel's row is read everywhere.
    """

    channel = models.OneToOneField(Channel, primary_key=True, on_delete=models.CASCADE, related_name="+")
    tokens = models.FloatField(default=0)
    filled_at = models.DateTimeField(auto_now_add=True)
    held_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.channel_id)


class OptOut(TenantModel):
    """A customer told one of our senders to stop. Per sender: another number of ours may still write to them."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    sender = models.CharField(max_length=80)  # our number, or the messaging service's id
    address = models.CharField(max_length=80)  # the customer's, as received
    opted_out_at = models.DateTimeField(null=True, blank=True)
    opted_in_at = models.DateTimeField(null=True, blank=True)
    keyword = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            tenant_key("opt_out"),
            models.UniqueConstraint(fields=["channel", "sender", "address"], name="opt_out_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class TemplateStatus(models.TextChoices):
    APPROVED = "approved"
    PENDING = "pending"
    REJECTED = "rejected"
    PAUSED = "paused"


class MessageTemplate(TenantModel):
    """A text the provider has approved for writing outside the 24-hour window; fetched from there, never edited."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="templates")
    name = models.CharField(max_length=512)
    language = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=255, blank=True)  # Twilio: the ContentSid
    category = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=10, choices=TemplateStatus.choices)
    # Kapso: Meta's components. Twilio: the content's `types`. Placeholders are in the text as the provider writes them
    components = models.JSONField(default=list)
    # Every blank to fill, in order: {"key": "body.1", "where": "header|body|button", "name": "1", "example": "Ada"}
    variables = models.JSONField(default=list)
    synced_at = models.DateTimeField()

    class Meta:
        constraints = [
            tenant_key("message_template"),
            models.UniqueConstraint(fields=["channel", "name", "language"], name="message_template_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.language}"
