"""A conversation with one contact on one channel, and how far each member has read it."""

from collections.abc import Sequence

from django.db import models
from django.db.models import F, Q

from crm.models import Contact, User
from crm.tenancy import TenantModel, tenant_key
from inbox.models.channels import Channel
from inbox.states import ConversationStatus, Priority, Scope
from inbox.windows import Window, window_for


class Conversation(TenantModel):
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="conversations")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.SUPPORT)
    status = models.CharField(max_length=10, choices=ConversationStatus.choices, default=ConversationStatus.OPEN)
    assignee = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    priority = models.CharField(max_length=10, choices=Priority.choices, default=Priority.NONE)
    team = models.ForeignKey("crm.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    labels = models.ManyToManyField("inbox.Label", through="inbox.ConversationLabel", related_name="+")

    # Where replies go: the id the customer wrote from, never a repaired form of it
    peer_address = models.CharField(max_length=160, blank=True)

    # Denormalised so that a row of the list costs no query; written under the row's lock
    last_message = models.ForeignKey("inbox.Message", null=True, on_delete=models.SET_NULL, related_name="+")
    last_activity_at = models.DateTimeField()
    last_inbound_at = models.DateTimeField(null=True, blank=True)  # opens the provider's 24-hour window
    waiting_since = models.DateTimeField(null=True, blank=True)  # cleared by a person's reply
    inbound_count = models.PositiveIntegerField(default=0)  # unread is this less the reader's seen_count
    planned_state = models.CharField(max_length=10, blank=True, db_default="")  # of replies that go out later

    # Snoozed without a time: until the customer writes
    snoozed_until = models.DateTimeField(null=True, blank=True)
    spam_at = models.DateTimeField(null=True, blank=True)
    first_reply_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)  # the customer's, 1 to 5, at the end of a chat
    rating_comment = models.CharField(max_length=2000, blank=True, db_default="")

    # Of chats: the newest incoming message that somebody of the team has seen, and what the customer was last told of
    # the conversation as a whole, so that they hear of it again only when that has changed
    team_seen_up_to = models.UUIDField(null=True, blank=True)
    told_customer = models.CharField(max_length=200, blank=True, db_default="")

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            tenant_key("conversation"),
            models.UniqueConstraint(
                fields=["channel", "contact"],
                condition=Q(scope=Scope.SUPPORT, deleted_at=None, merged_into=None)
                & ~Q(status=ConversationStatus.RESOLVED),
                name="conversation_open_once",
            ),
            models.CheckConstraint(condition=Q(status__in=ConversationStatus.values), name="conversation_status_known"),
            models.CheckConstraint(
                condition=Q(rating=None) | Q(rating__gte=1, rating__lte=5), name="conversation_rating_range"
            ),
        ]
        indexes = [
            # The list's tabs, newest first
            models.Index(
                F("workspace"),
                F("status"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(scope=Scope.SUPPORT, deleted_at=None),
                name="conversation_list",
            ),
            models.Index(
                F("workspace"),
                F("assignee"),
                F("status"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(scope=Scope.SUPPORT, deleted_at=None),
                name="conversation_list_assignee",
            ),
            models.Index(
                F("workspace"),
                F("status"),
                F("waiting_since"),
                F("id"),
                condition=Q(scope=Scope.SUPPORT, deleted_at=None) & ~Q(waiting_since=None),
                name="conversation_waiting",
            ),
            models.Index(F("contact"), F("last_activity_at").desc(), name="conversation_of_contact"),
            models.Index(fields=["snoozed_until"], condition=~Q(snoozed_until=None), name="conversation_snoozed"),
            models.Index(
                F("workspace"),
                F("team"),
                F("status"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(scope=Scope.SUPPORT, deleted_at=None) & ~Q(team=None),
                name="conversation_list_team",
            ),
            # The same tabs with any status
            models.Index(
                F("workspace"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(scope=Scope.SUPPORT, deleted_at=None),
                name="conversation_list_any",
            ),
            models.Index(
                F("workspace"),
                F("assignee"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(scope=Scope.SUPPORT, deleted_at=None),
                name="conversation_list_any_assignee",
            ),
            # What few of them are: found without reading all the others
            models.Index(
                F("workspace"),
                F("priority"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(scope=Scope.SUPPORT, deleted_at=None) & ~Q(priority=Priority.NONE),
                name="conversation_list_priority",
            ),
            models.Index(
                F("workspace"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(scope=Scope.SUPPORT, deleted_at=None) & ~Q(spam_at=None),
                name="conversation_list_spam",
            ),
            # The counts beside the tabs, without reading a conversation
            models.Index(
                fields=["workspace", "assignee"],
                condition=Q(
                    scope=Scope.SUPPORT,
                    deleted_at=None,
                    merged_into=None,
                    spam_at=None,
                    status=ConversationStatus.OPEN,
                ),
                name="conversation_open",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def window(self) -> Window:
        """Reads `channel`: select it with the conversation."""
        return window_for(self.channel.kind, self.peer_address, self.last_inbound_at)

    def known_labels(self, labels: "Sequence[Label]") -> "Conversation":
        """Who has just opened it spares everybody the query."""
        known = self.labels.all()
        known._result_cache = list(labels)
        self._prefetched_objects_cache = {"labels": known}
        return self

    @property
    def lane(self) -> str:
        """What goes out to one person on one channel keeps its order."""
        return f"out:{self.channel_id}:{self.contact_id}"


class ConversationReader(models.Model):
    """How many of a conversation's incoming messages a member has seen."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="readers")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    seen_count = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "user"], name="conversation_reader_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.conversation_id}"


class Label(TenantModel):
    name = models.CharField(max_length=60)
    hue = models.PositiveSmallIntegerField(default=1)  # one of the eight hues of the design tokens

    class Meta:
        constraints = [
            tenant_key("label"),
            models.UniqueConstraint(fields=["workspace", "name"], name="label_once"),
            models.CheckConstraint(condition=Q(hue__gte=1, hue__lte=8), name="label_hue_range"),
        ]

    def __str__(self) -> str:
        return self.name


class ConversationLabel(models.Model):
    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "label"], name="conversation_label_once")]

    def __str__(self) -> str:
        return f"{self.label_id} on {self.conversation_id}"
