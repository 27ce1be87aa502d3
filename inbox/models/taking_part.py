"""Who takes part in a conversation besides its assignee: watchers, students, signed-in customers, visitors."""

from django.db import models
from django.db.models import Q

from crm.models import Contact, User
from crm.tenancy import TenantModel, tenant_key
from inbox.models.channels import Channel
from inbox.models.conversations import Conversation


class Visitor(TenantModel):
    """A browser that chats through a widget, known by a token that can be taken back. Only its digest is kept."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    # Set once the site's own signature or a Supabase token has said who it is
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    digest = models.BinaryField(max_length=32, unique=True)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    external_id = models.CharField(max_length=255, blank=True)  # as the site names its customer, when it signed that
    answers = models.JSONField(default=dict, blank=True)  # to the questions before the chat
    page_url = models.CharField(max_length=500, blank=True)
    language = models.CharField(max_length=20, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [tenant_key("visitor")]
        indexes = [models.Index(fields=["contact"], condition=~Q(contact=None), name="visitor_of_contact")]

    def __str__(self) -> str:
        return str(self.pk)


class ParticipantRole(models.TextChoices):
    WATCHER = "watcher"  # a member who wants to hear of it
    TUTOR = "tutor"
    STUDENT = "student"
    CUSTOMER = "customer"  # a signed-in user who is no member
    VISITOR = "visitor"


class Participant(TenantModel):
    """Exactly one of a user and a visitor. What somebody may see of a conversation from outside hangs on this row."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="participants")
    role = models.CharField(max_length=10, choices=ParticipantRole.choices)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    visitor = models.ForeignKey(Visitor, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    seen_count = models.PositiveIntegerField(default=0)  # of our messages, for customers and students
    last_read_at = models.DateTimeField(null=True, blank=True)
    started_with = models.UUIDField(null=True, blank=True)  # the client's id for starting the chat: once, however often
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            tenant_key("participant"),
            models.UniqueConstraint(
                fields=["conversation", "user"], condition=~Q(user=None), name="participant_user_once"
            ),
            models.UniqueConstraint(
                fields=["conversation", "visitor"], condition=~Q(visitor=None), name="participant_visitor_once"
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False, visitor=None) | Q(user=None, visitor__isnull=False),
                name="participant_one_of_two",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "conversation"], condition=~Q(user=None), name="participant_of_user"),
            models.Index(fields=["visitor", "conversation"], condition=~Q(visitor=None), name="participant_of_visitor"),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.conversation_id}"
