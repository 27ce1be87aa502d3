"""Two contacts that are one person, and everything that moved when they became one: enough to take it back."""

from django.db import models
from django.db.models import F, Q

from crm.models.contacts import Contact
from crm.models.people import User
from crm.tenancy import TenantModel, tenant_key


class ContactMerge(TenantModel):
    winner = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    loser = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    merged_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    merged_at = models.DateTimeField(auto_now_add=True)
    undone_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            tenant_key("contact_merge"),
            models.UniqueConstraint(fields=["loser"], condition=Q(undone_at=None), name="contact_merge_loser_once"),
            models.CheckConstraint(condition=~Q(winner=F("loser")), name="contact_merge_two_contacts"),
        ]
        indexes = [models.Index(F("winner"), F("id").desc(), name="contact_merge_of_winner")]

    def __str__(self) -> str:
        return str(self.pk)


class ContactMergeMove(models.Model):
    """One column of one row before and after. Undoing replays them backwards and leaves later rows alone."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    merge = models.ForeignKey(ContactMerge, on_delete=models.CASCADE, related_name="moves")
    table = models.CharField(max_length=63)
    row = models.CharField(max_length=64)  # the row's primary key
    column = models.CharField(max_length=63)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["merge", "id"], name="contact_merge_move_order")]

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


class Erasure(TenantModel):
    """That a contact was erased at somebody's request. Says when, by whom and how much; nothing of whom."""

    contact_ref = models.UUIDField()  # the id the contact had; names nobody any more
    erased_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    rows = models.JSONField(default=dict)  # table to number of rows
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [tenant_key("erasure")]

    def __str__(self) -> str:
        return str(self.pk)


class ErasedTrace(models.Model):
    """A keyed hash of something erased (a provider's message id, an event), so that a replay brings nothing back."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "digest"], name="erased_trace_once")]

    def __str__(self) -> str:
        return self.kind
