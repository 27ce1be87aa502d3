"""Customers, and every known way to recognise one."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Right, Upper

from crm.models.people import User
from crm.tenancy import TenantModel, tenant_key


class ContactQuerySet(models.QuerySet["Contact"]):
    def alive(self) -> "ContactQuerySet":
        return self.filter(deleted_at=None)


class Contact(TenantModel):
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    phone = models.CharField(max_length=40, blank=True)  # as typed
    phone_normalized = models.CharField(max_length=20, blank=True)  # E.164
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    lead_status = models.CharField(max_length=40, blank=True)
    lead_score = models.PositiveSmallIntegerField(null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    attributes = models.JSONField(default=dict, blank=True, db_default={})  # the workspace's own fields, by key
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    blocked_at = models.DateTimeField(null=True, blank=True)  # what they write is kept and shown to nobody
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    # Words of name, e-mail and numbers; kept by the services that write them
    search = SearchVectorField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints = [
            tenant_key("contact"),
            models.UniqueConstraint(
                fields=["workspace", "phone_normalized"],
                condition=Q(deleted_at=None) & ~Q(phone_normalized=""),
                name="contact_phone_once",
            ),
            models.CheckConstraint(condition=Q(lead_score=None) | Q(lead_score__lte=100), name="contact_score_range"),
        ]
        indexes = [
            models.Index(F("workspace"), F("created_at").desc(), F("id").desc(), name="contact_newest"),
            GinIndex(fields=["tags"], name="contact_tags"),
            models.Index(
                F("workspace"),
                F("lead_status"),
                F("created_at").desc(),
                F("id").desc(),
                condition=Q(deleted_at=None),
                name="contact_by_status",
            ),
            models.Index(
                F("workspace"),
                F("owner"),
                F("created_at").desc(),
                F("id").desc(),
                condition=Q(deleted_at=None),
                name="contact_by_owner",
            ),
            models.Index(
                F("workspace"),
                F("lead_score").desc(nulls_last=True),
                F("id").desc(),
                condition=Q(deleted_at=None),
                name="contact_by_score",
            ),
            models.Index(F("workspace"), F("name"), F("id"), condition=Q(deleted_at=None), name="contact_by_name"),
            # What duplicates share
            models.Index(
                F("workspace"), Lower("email"), condition=Q(deleted_at=None) & ~Q(email=""), name="contact_by_email"
            ),
            models.Index(
                F("workspace"),
                Right("phone_normalized", 7),
                condition=Q(deleted_at=None) & ~Q(phone_normalized=""),
                name="contact_by_last_digits",
            ),
            GinIndex(F("workspace"), F("search"), name="contact_search"),
            GinIndex(F("workspace"), OpClass(F("attributes"), name="jsonb_path_ops"), name="contact_attribute_values"),
            GinIndex(
                F("workspace"),
                OpClass(Upper("name"), name="gin_trgm_ops"),
                OpClass(Upper("email"), name="gin_trgm_ops"),
                OpClass(F("phone_normalized"), name="gin_trgm_ops"),
                name="contact_trigrams",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def display_name(self) -> str:
        return self.name or self.phone_normalized or self.phone or self.email or "Someone"


class IdentityKind(models.TextChoices):
    # Digits shared by the variants of one number (Brazil's ninth digit, Mexico's 1): what makes a number unique
    MATCH = "match"
    PHONE = "phone"  # E.164; or the short code or name that operators show instead
    WHATSAPP = "whatsapp"  # the id as WhatsApp sent it, digits only: replies go here
    BSUID = "bsuid"  # WhatsApp's business-scoped user id
    EMAIL = "email"
    SITE = "site"  # <channel>:<id> as a site that we chat on names its customer, when it signed that
    USER = "user"  # the id of a user of ours who chats as a customer


class ContactIdentity(TenantModel):
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=12, choices=IdentityKind.choices)
    value = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "contact identities"
        constraints = [
            tenant_key("contact_identity"),
            models.UniqueConstraint(fields=["workspace", "kind", "value"], name="contact_identity_once"),
        ]
        indexes = [models.Index(fields=["contact"], name="contact_identity_contact")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.contact_id}"
