"""A file of contacts on its way in: what was mapped to what, how far it is, and every row that was refused."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from crm.models.contacts import Contact
from crm.models.people import User
from crm.tenancy import TenantModel, tenant_key


class ImportState(models.TextChoices):
    UPLOADED = "uploaded"
    CHECKING = "checking"  # the dry run
    CHECKED = "checked"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ContactImport(TenantModel):
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    filename = models.CharField(max_length=255)
    storage_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()  # bytes
    encoding = models.CharField(max_length=20, blank=True)
    dialect = models.JSONField(default=dict, blank=True)  # delimiter, quote
    columns = models.JSONField(default=list, blank=True)  # the file's header
    mapping = models.JSONField(default=dict, blank=True)  # column of the file to field of the contact
    options = models.JSONField(default=dict, blank=True)  # what happens to a known contact: skip, update
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED)
    error = models.CharField(max_length=300, blank=True)
    total_rows = models.PositiveIntegerField(null=True, blank=True)
    # Where the next batch begins; moves in the transaction that writes the batch, so that a stop repeats nothing
    done_rows = models.PositiveIntegerField(default=0)
    created_rows = models.PositiveIntegerField(default=0)
    updated_rows = models.PositiveIntegerField(default=0)
    skipped_rows = models.PositiveIntegerField(default=0)
    refused_rows = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            tenant_key("contact_import"),
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="contact_import_state_known"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ContactImportProblem(models.Model):
    """Why a row was refused. Keeps the row's number, not its text."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    contact_import = models.ForeignKey(ContactImport, on_delete=models.CASCADE, related_name="problems")
    row = models.PositiveIntegerField()  # 1 is the first row under the header
    column = models.CharField(max_length=120, blank=True)
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact_import", "row", "column"], name="contact_import_problem_once")
        ]

    def __str__(self) -> str:
        return f"{self.code} in row {self.row}"


class ContactImportLine(models.Model):
    """That a row of a file made or changed a contact: what the contact's history tells of it."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Stays when the import itself is removed from the list
    contact_import = models.ForeignKey(ContactImport, null=True, on_delete=models.SET_NULL, related_name="lines")
    row = models.PositiveIntegerField()  # the first of its batch that spoke of the contact
    is_new = models.BooleanField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(F("contact"), F("at").desc(), name="contact_import_line_of")]

    def __str__(self) -> str:
        return f"row {self.row} of {self.contact_import_id}"
