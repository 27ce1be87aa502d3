"""Customers and what is known about them. To look up and to understand; they are changed where people work."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, FieldTextFilter

from config.admin.base import column
from crm.admin.base import CrmAdmin
from crm.models import (
    BillingAccount,
    Contact,
    ContactIdentity,
    ContactImport,
    ContactImportLine,
    ContactMerge,
    ContactNote,
    PaymentAttempt,
    ProviderEvent,
)


@admin.register(Contact)
class ContactAdmin(CrmAdmin):
    list_display = ("display_name", "phone_normalized", "workspace", "lead_status", "owner", "created_at", "deleted_at")
    list_select_related = ("workspace", "owner")
    list_filter = (("lead_status", FieldTextFilter), ("owner", AutocompleteSelectFilter))
    search_fields = ("id", "supabase_id", "name__icontains", "email__icontains", "phone_normalized__contains")
    search_help_text = lazy("Three letters of a name or e-mail address, digits of a number, or an id")

    @column(lazy("name"))
    def display_name(self, contact: Contact) -> str:
        return contact.display_name


@admin.register(ContactIdentity)
class ContactIdentityAdmin(CrmAdmin):
    list_display = ("id", "kind", "contact", "workspace", "created_at")
    list_select_related = ("workspace", "contact")
    search_fields = ("id", "contact")


@admin.register(ContactNote)
class ContactNoteAdmin(CrmAdmin):
    """What was written stays with the team that wrote it."""

    list_display = ("id", "contact", "author", "workspace", "created_at", "deleted_at")
    list_select_related = ("workspace", "contact", "author")
    search_fields = ("id", "contact")


@admin.register(ContactMerge)
class ContactMergeAdmin(CrmAdmin):
    list_display = ("id", "winner", "loser", "workspace", "merged_by", "merged_at", "undone_at")
    list_select_related = ("workspace", "winner", "loser", "merged_by")
    search_fields = ("id", "winner")


@admin.register(ContactImport)
class ContactImportAdmin(CrmAdmin):
    list_display = ("filename", "workspace", "state", "done_rows", "total_rows", "refused_rows", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("state",)
    hidden = ("storage_name",)
    texts = ("mapping", "options", "columns")


@admin.register(ContactImportLine)
class ContactImportLineAdmin(CrmAdmin):
    list_display = ("id", "contact_import", "row", "contact", "is_new", "workspace", "at")
    list_select_related = ("workspace", "contact", "contact_import")
    search_fields = ("id", "contact", "contact_import")


@admin.register(BillingAccount)
class BillingAccountAdmin(CrmAdmin):
    """Written by Stripe's events alone."""

    list_display = ("stripe_customer_id", "workspace", "status", "period_end", "payment_failed_at", "updated_at")
    list_select_related = ("workspace",)
    list_filter = ("status",)
    search_fields = ("id", "stripe_customer_id", "contact", "user")
    search_help_text = lazy("A customer's id at Stripe, or an id of a contact, a user or the account")


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(CrmAdmin):
    list_display = ("payment_id", "workspace", "provider", "status", "amount", "currency", "created_at", "deleted_at")
    list_select_related = ("workspace",)
    list_filter = ("provider", "status")
    search_fields = ("id", "payment_id", "payer_id", "user")
    search_help_text = lazy("A payment, a payer as the provider names them, or an id")


@admin.register(ProviderEvent)
class ProviderEventAdmin(CrmAdmin):
    list_display = ("id", "provider", "type", "workspace", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("id",)
