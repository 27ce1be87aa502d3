"""What is known about a contact, apart from it, in tables of their own: their writers never wait for each other."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from crm.models.contacts import Contact
from crm.models.people import User
from crm.tenancy import TenantModel, tenant_key


class BurnoutBand(models.TextChoices):
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    SEVERE = "severe"


class ContactProfile(models.Model):
    """Slow-changing facts. Written by assessments and assistants, never by a message."""

    contact = models.OneToOneField(Contact, primary_key=True, on_delete=models.CASCADE, related_name="profile")
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    first_name = models.CharField(max_length=120, blank=True)
    relationship = models.CharField(max_length=60, blank=True)
    zip_code = models.CharField(max_length=20, blank=True)
    journey_phase = models.CharField(max_length=60, blank=True)
    burnout_score = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    burnout_band = models.CharField(max_length=10, choices=BurnoutBand.choices, blank=True)
    pressure_zones = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    last_contact_at = models.DateTimeField(null=True, blank=True)
    assessment = models.JSONField(default=dict, blank=True)  # the one in progress, as its assistant keeps it
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "journey_phase", "contact"], name="profile_phase"),
            models.Index(
                F("workspace"), F("burnout_band"), F("last_contact_at").desc(), F("contact"), name="profile_band"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ContactMemory(models.Model):
    """The AI's running memory (the old system's conversation state), and how much there has been to remember."""

    contact = models.OneToOneField(Contact, primary_key=True, on_delete=models.CASCADE, related_name="memory")
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    # As the old system kept them; the product's own answers read the messages themselves
    recent_messages = models.JSONField(default=list, blank=True)
    historical_summary = models.TextField(blank=True)
    conversation_started_at = models.DateTimeField(null=True, blank=True)
    total_interactions = models.PositiveIntegerField(default=0, db_default=0)  # messages, in and out
    last_message_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "contact memories"
        indexes = [
            models.Index(F("workspace"), F("last_message_at").desc(nulls_last=True), F("contact"), name="memory_seen")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ContactNote(TenantModel):
    """What the team tells itself about a contact. No customer ever sees it."""

    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    body = models.TextField()
    mentions = ArrayField(models.UUIDField(), default=list, blank=True)  # members and teams of the workspace
    search = SearchVectorField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [tenant_key("contact_note")]
        indexes = [
            models.Index(F("contact"), F("id").desc(), condition=Q(deleted_at=None), name="contact_note_newest"),
            GinIndex(F("workspace"), F("search"), name="contact_note_search"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class AttributeType(models.TextChoices):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    URL = "url"


class AttributeDefinition(TenantModel):
    """A field that a workspace adds to its contacts. Values are in `contact.attributes`, by key, already checked."""

    key = models.SlugField(max_length=60)
    label = models.CharField(max_length=120)
    type = models.CharField(max_length=10, choices=AttributeType.choices)
    choices = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)  # no longer asked for; old values stay
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            tenant_key("attribute_definition"),
            models.UniqueConstraint(fields=["workspace", "key"], name="attribute_key_once"),
            models.CheckConstraint(condition=Q(type__in=AttributeType.values), name="attribute_type_known"),
        ]

    def __str__(self) -> str:
        return self.key
