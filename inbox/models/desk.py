"""What lies on an agent's desk: drafts, saved replies, macros, notices and the browsers that may be woken."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from crm.encryption import EncryptedJSONField
from crm.models import ContactNote, Team, User, ViewAudience
from crm.tenancy import TenantModel, tenant_key
from inbox.models.conversations import Conversation
from inbox.models.messages import Message
from inbox.states import PlannedState


class Draft(models.Model):
    """What somebody has begun to write. The version tells an older device's save from a newer one's."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    is_note = models.BooleanField(default=False)
    body = models.TextField(blank=True)
    detail = models.JSONField(default=dict, blank=True)  # {"reply_to", "attachments", "template"}
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "conversation"], name="draft_once")]
        indexes = [models.Index(fields=["conversation"], name="draft_of_conversation")]

    def __str__(self) -> str:
        return f"of {self.user_id} in {self.conversation_id}"


class PlannedMessage(TenantModel):
    """A reply that is to go out later. What it becomes has its `client_id`, so that it goes out once."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    client_id = models.UUIDField()
    body = models.TextField()
    send_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=PlannedState.choices, default=PlannedState.WAITING)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            tenant_key("planned_message"),
            models.UniqueConstraint(fields=["workspace", "client_id"], name="planned_message_once"),
            models.CheckConstraint(condition=Q(state__in=PlannedState.values), name="planned_message_state_known"),
        ]
        indexes = [
            models.Index(fields=["send_at"], condition=Q(state=PlannedState.WAITING), name="planned_message_due"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


def _audience_fits(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(audience=ViewAudience.MINE, team=None, owner__isnull=False)
        | Q(audience=ViewAudience.TEAM, team__isnull=False)
        | Q(audience=ViewAudience.EVERYONE, team=None),
        name=name,
    )


class SavedReply(TenantModel):
    """A text typed by a shortcut, `{{contact.first_name}}` and the like filled in."""

    shortcut = models.SlugField(max_length=40)
    title = models.CharField(max_length=120)
    body = models.TextField()
    audience = models.CharField(max_length=10, choices=ViewAudience.choices, default=ViewAudience.EVERYONE)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    uses = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "saved replies"
        constraints = [
            tenant_key("saved_reply"),
            models.UniqueConstraint(
                F("workspace"),
                Lower("shortcut"),
                condition=~Q(audience=ViewAudience.MINE),
                name="saved_reply_shared_shortcut_once",
            ),
            models.UniqueConstraint(
                F("owner"),
                F("workspace"),
                Lower("shortcut"),
                condition=Q(audience=ViewAudience.MINE),
                name="saved_reply_own_shortcut_once",
            ),
            _audience_fits("saved_reply_audience_fits"),
        ]

    def __str__(self) -> str:
        return self.shortcut


class Macro(TenantModel):
    """Several steps at one click: a text, labels, an assignee, a status. Each step is what a person could do."""

    name = models.CharField(max_length=120)
    steps = models.JSONField(default=list)  # [{"do": "label", "value": "…"}, {"do": "reply", "value": "…"}]
    audience = models.CharField(max_length=10, choices=ViewAudience.choices, default=ViewAudience.EVERYONE)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [tenant_key("macro"), _audience_fits("macro_audience_fits")]

    def __str__(self) -> str:
        return self.name


class Notice(TenantModel):
    """Something that concerns one person: a mention, an assignment, a reply to what is theirs."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    conversation = models.ForeignKey(Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    # What is about a contact, and not about a conversation; its TenantForeignKey checks it as well
    note = models.ForeignKey(
        ContactNote,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    key = models.CharField(max_length=120)  # the same thing is told once
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            tenant_key("notice"),
            models.UniqueConstraint(fields=["workspace", "user", "key"], name="notice_once"),
        ]
        indexes = [models.Index(F("user"), F("workspace"), F("id").desc(), name="notice_newest")]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class PushSubscription(models.Model):
    """A browser that asked to be woken. Its address works without any other credential, so it is a secret."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32, unique=True)  # of the address, to know it again
    subscription = EncryptedJSONField()  # {"endpoint", "keys": {"p256dh", "auth"}}
    created_at = models.DateTimeField(auto_now_add=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.pk)
