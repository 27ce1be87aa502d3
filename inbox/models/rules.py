"""What the inbox does by itself."""

from django.db import models
from django.db.models import Q

from crm.models import SavedView, User
from crm.tenancy import TenantModel, tenant_key
from inbox.models.desk import Macro
from inbox.states import RuleEvent


class Rule(TenantModel):
    """When something happens to a conversation that fits, a macro is run with it."""

    name = models.CharField(max_length=120)
    event = models.CharField(max_length=10, choices=RuleEvent.choices)
    view = models.ForeignKey(SavedView, null=True, blank=True, on_delete=models.CASCADE, related_name="+")  # it is in
    words = models.JSONField(default=list, blank=True)  # of the customer's message: any of these
    macro = models.ForeignKey(Macro, on_delete=models.CASCADE, related_name="+")
    is_on = models.BooleanField(default=True)
    is_last = models.BooleanField(default=False)  # where it fits, none after it is looked at
    position = models.PositiveSmallIntegerField(default=0)
    saved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")  # answers for it
    runs = models.PositiveIntegerField(default=0)
    last_run_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True)  # of the last run: a sentence, to be said in any language
    problem_values = models.JSONField(default=dict, blank=True, db_default={})  # what is put into it
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            tenant_key("rule"),
            models.CheckConstraint(condition=Q(event__in=RuleEvent.values), name="rule_event_known"),
        ]
        indexes = [models.Index(fields=["workspace", "position", "id"], name="rule_order")]

    def __str__(self) -> str:
        return self.name
