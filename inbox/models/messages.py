"""Messages, notes and activity lines of a conversation; what the provider said of each; attachments' place."""

from collections.abc import Sequence

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from crm.encryption import EncryptedJSONField
from crm.models import User
from crm.tenancy import TenantModel, tenant_key
from inbox.models.channels import Channel
from inbox.models.conversations import Conversation
from inbox.states import Direction, MessageStatus, SenderKind

STATUSES_OF = {
    Direction.IN: (MessageStatus.RECEIVED,),
    Direction.OUT: tuple(status for status in MessageStatus if status is not MessageStatus.RECEIVED),
    Direction.NOTE: (MessageStatus.RECEIVED,),
    Direction.ACTIVITY: (MessageStatus.RECEIVED,),
}


class Message(TenantModel):
    """The table that grows: each row is checked once. `TenantForeignKey` to conversation and channel holds what simple
    keys would, and `message_tenant_key` and `message_thread` begin with the columns that have no index of their own."""

    workspace = models.ForeignKey(
        "crm.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False, db_constraint=False
    )
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    direction = models.CharField(max_length=8, choices=Direction.choices)
    sender_kind = models.CharField(max_length=8, choices=SenderKind.choices)
    sender_user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    type = models.CharField(max_length=24, default="text")
    body = models.TextField(blank=True)
    detail = models.JSONField(default=dict, blank=True)  # the provider's own object for what is not text
    reply_to = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    client_id = models.UUIDField(null=True, blank=True)  # made by the sender's client, for optimistic sending
    provider_id = models.CharField(max_length=255, blank=True)
    provider_time = models.DateTimeField(null=True, blank=True)

    # The body's words, so that all history can be searched; kept by the services that write the body
    search = SearchVectorField(null=True, editable=False)

    status = models.CharField(max_length=10, choices=MessageStatus.choices)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    send_attempt = models.PositiveSmallIntegerField(default=0)  # counts a person's retries; part of the job's key
    sending_since = models.DateTimeField(null=True, blank=True)  # when the call to the provider began
    send_after = models.DateTimeField(null=True, blank=True)  # its turn at the channel's pace
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    edited_at = models.DateTimeField(null=True, blank=True)  # by the customer, on the provider's clock
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            tenant_key("message"),
            models.UniqueConstraint(
                fields=["channel", "provider_id"], condition=~Q(provider_id=""), name="message_provider_once"
            ),
            models.UniqueConstraint(
                fields=["workspace", "client_id"], condition=~Q(client_id=None), name="message_client_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    *[Q(direction=way, status__in=known) for way, known in STATUSES_OF.items()], _connector=Q.OR
                ),
                name="message_status_fits",
            ),
        ]
        indexes = [
            models.Index(F("conversation"), F("id").desc(), name="message_thread"),
            GinIndex(F("workspace"), F("search"), name="message_search"),
            models.Index(
                F("conversation"),
                F("id").desc(),
                condition=Q(direction=Direction.NOTE, deleted_at=None),
                name="message_thread_notes",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def known_files(self, files: "Sequence[Attachment]") -> None:
        """Who has just made them spares everybody the query."""
        known = self.attachments.all()
        known._result_cache = list(files)
        self._prefetched_objects_cache = {"attachments": known}


class MessageReceipt(models.Model):
    """What a provider said of one of our messages. Kept even when it comes before we know the provider's id for it."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    provider_id = models.CharField(max_length=255)
    status = models.CharField(max_length=10, choices=MessageStatus.choices)
    at = models.DateTimeField()
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "provider_id", "status"], name="message_receipt_once"),
        ]

    def __str__(self) -> str:
        return f"{self.status} of {self.provider_id}"


class AttachmentState(models.TextChoices):
    PENDING = "pending"  # still with the provider
    STORED = "stored"
    FAILED = "failed"


class Attachment(TenantModel):
    """A file of a message. Uploaded by a member it has no message until it is sent; unsent ones are cleared away."""

    message = models.ForeignKey(Message, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments")
    uploaded_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=12)  # image, audio, video, document, sticker
    name = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=120, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True)  # bytes
    sha256 = models.CharField(max_length=64, blank=True, db_default="")
    provider_media_id = models.CharField(max_length=255, blank=True)
    # Where the provider keeps it, {"url": ...}: such an address may work without any credential, so it is a secret
    source = EncryptedJSONField(null=True, blank=True)  # type: ignore[misc]  # rows from before it have none
    storage_name = models.CharField(
        max_length=255, blank=True, db_default=""
    )  # in the storage; empty until it is stored
    state = models.CharField(max_length=8, choices=AttachmentState.choices, default=AttachmentState.PENDING)
    fetch_attempt = models.PositiveSmallIntegerField(
        default=0, db_default=0
    )  # counts a person's tries; part of the job's key
    error_code = models.CharField(max_length=60, blank=True, db_default="")
    error_message = models.CharField(max_length=300, blank=True, db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            tenant_key("attachment"),
            models.UniqueConstraint(fields=["message", "position"], name="attachment_position_once"),
            models.CheckConstraint(
                condition=Q(message__isnull=False) | Q(uploaded_by__isnull=False), name="attachment_has_owner"
            ),
        ]
        indexes = [models.Index(fields=["created_at"], condition=Q(message=None), name="attachment_unsent")]

    def __str__(self) -> str:
        return str(self.pk)
