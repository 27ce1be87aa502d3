"""What happened in a session that somebody may want to look at, and what people said of it."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from crm.models import User
from crm.tenancy import TenantModel, tenant_key
from proctoring.models.sessions import ExamSession
from proctoring.states import Review, Severity, Source


class Violation(TenantModel):
    session = models.ForeignKey(ExamSession, on_delete=models.CASCADE, related_name="violations")
    client_id = models.UUIDField()  # ours are derived from what they tell of: none comes twice
    seq = models.BigIntegerField(null=True, blank=True)  # the client's counter; a hole is something that never came
    type = models.CharField(max_length=40)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    source = models.CharField(max_length=6, choices=Source.choices, default=Source.CLIENT)
    occurred_at = models.DateTimeField()  # on the client's clock
    corrected_at = models.DateTimeField()  # the same on ours
    received_at = models.DateTimeField(db_default=Now())
    skew_ms = models.BigIntegerField(default=0, db_default=0)
    detail = models.JSONField(default=dict, blank=True)

    # The same again soon after belongs to the first of its burst
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    merged_count = models.PositiveIntegerField(default=1, db_default=1)
    last_at = models.DateTimeField()  # of the burst, corrected

    review = models.CharField(max_length=24, choices=Review.choices, default=Review.NOT_REVIEWED)
    reviewed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_reason = models.CharField(max_length=500, blank=True, db_default="")
    explanation = models.CharField(max_length=1000, blank=True, db_default="")
    explained_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            tenant_key("violation"),
            models.UniqueConstraint(fields=["session", "client_id"], name="violation_client_once"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="violation_severity_known"),
            models.CheckConstraint(condition=Q(review__in=Review.values), name="violation_review_known"),
            models.CheckConstraint(condition=Q(merged_count__gte=1), name="violation_merged_least"),
        ]
        indexes = [
            models.Index(F("session"), F("corrected_at").desc(), F("id").desc(), name="violation_of_session"),
            models.Index(F("session"), F("type"), F("last_at").desc(), name="violation_burst"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ViolationReview(TenantModel):
    """One change of a review: the trail of who, when and why."""

    violation = models.ForeignKey(Violation, on_delete=models.CASCADE, related_name="reviews")
    before = models.CharField(max_length=24, choices=Review.choices)
    after = models.CharField(max_length=24, choices=Review.choices)
    by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [tenant_key("violation_review")]
        indexes = [models.Index(fields=["violation", "id"], name="violation_review_trail")]

    def __str__(self) -> str:
        return str(self.pk)
