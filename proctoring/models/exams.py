"""Exams, who supervises them, who sits them, and what counts in them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from crm.encryption import EncryptedJSONField
from crm.models import User
from crm.tenancy import TenantModel, tenant_key
from proctoring.states import AutoAction, Severity


class Exam(TenantModel):
    slug = models.SlugField(max_length=60)
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    title = models.CharField(max_length=200)
    starts_at = models.DateTimeField(null=True, blank=True)  # open from the beginning
    ends_at = models.DateTimeField(null=True, blank=True)  # open until somebody closes it
    closed_at = models.DateTimeField(null=True, blank=True)  # ended by hand
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)  # of each student's sitting
    question_count = models.PositiveIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=1, db_default=1)  # unless the enrolment says otherwise

    # Minutes before `starts_at` at which the enrolled are reminded
    reminder_minutes = ArrayField(models.PositiveIntegerField(), default=list, blank=True, db_default=[])

    # Consent and what is kept of it all
    requires_consent = models.BooleanField(default=False, db_default=False)
    requires_guardian = models.BooleanField(default=False, db_default=False)
    policy_version = models.CharField(max_length=40, default="1", db_default="1")
    keep_violations_days = models.PositiveSmallIntegerField(default=60, db_default=60)
    keep_network_days = models.PositiveSmallIntegerField(default=14, db_default=14)
    keep_chat_days = models.PositiveSmallIntegerField(default=60, db_default=60)
    keep_sessions_days = models.PositiveSmallIntegerField(default=365, db_default=365)
    is_chat_open = models.BooleanField(default=True, db_default=True)
    merge_seconds = models.PositiveSmallIntegerField(default=10, db_default=10)  # the same again within is one burst

    # The exam system: {"signing": [secrets, newest first]} signs what it sends us and what we send back
    secrets = EncryptedJSONField(default=dict, blank=True)
    summary_url = models.URLField(max_length=500, blank=True, db_default="")
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            tenant_key("exam"),
            models.UniqueConstraint(Lower("slug"), name="exam_slug_once"),
            models.CheckConstraint(condition=Q(slug=Lower("slug")), name="exam_slug_lower"),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="exam_ends_after"
            ),
            models.CheckConstraint(condition=Q(attempts__gte=1), name="exam_attempts_least"),
        ]
        indexes = [models.Index(F("workspace"), F("id").desc(), name="exam_newest")]

    def __str__(self) -> str:
        return self.slug


class ExamRule(TenantModel):
    """How one type of violation weighs in one exam, where it is not as usual."""

    exam = models.ForeignKey(Exam, on_delete=models.CASCADE, related_name="rules")
    type = models.CharField(max_length=40)
    is_counted = models.BooleanField(default=True)  # else it is kept as info
    severity = models.CharField(max_length=10, choices=Severity.choices, blank=True)  # empty: as usual
    threshold = models.PositiveSmallIntegerField(default=0)  # so many of it set off the action; 0 never
    action = models.CharField(max_length=10, choices=AutoAction.choices, default=AutoAction.NONE)

    class Meta:
        constraints = [
            tenant_key("exam_rule"),
            models.UniqueConstraint(fields=["exam", "type"], name="exam_rule_once"),
            models.CheckConstraint(condition=Q(severity__in=["", *Severity.values]), name="exam_rule_severity_known"),
            models.CheckConstraint(condition=Q(action__in=AutoAction.values), name="exam_rule_action_known"),
            models.CheckConstraint(
                condition=Q(action=AutoAction.NONE) | Q(threshold__gte=1), name="exam_rule_action_has_threshold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} in {self.exam_id}"


class ExamTutor(TenantModel):
    """Membership alone gives no exam: this row does, as long as its user is a member."""

    exam = models.ForeignKey(Exam, on_delete=models.CASCADE, related_name="tutors")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    added_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)  # of a row that the exam system's word made
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            tenant_key("exam_tutor"),
            models.UniqueConstraint(fields=["exam", "user"], name="exam_tutor_once"),
        ]
        indexes = [models.Index(fields=["user", "exam"], name="exam_tutor_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.exam_id}"


class Enrolment(TenantModel):
    """Who may sit the exam: a user, or somebody whom only the exam system knows."""

    exam = models.ForeignKey(Exam, on_delete=models.CASCADE, related_name="enrolments")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=200, blank=True)
    group = models.CharField(max_length=80, blank=True)
    extra_seconds = models.PositiveIntegerField(default=0, db_default=0)
    attempts = models.PositiveSmallIntegerField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            tenant_key("enrolment"),
            models.UniqueConstraint(fields=["exam", "user"], condition=~Q(user=None), name="enrolment_user_once"),
            models.UniqueConstraint(
                fields=["exam", "external_id"], condition=~Q(external_id=""), name="enrolment_external_once"
            ),
            models.CheckConstraint(condition=~Q(user=None) | ~Q(external_id=""), name="enrolment_names_somebody"),
        ]
        indexes = [models.Index(fields=["user", "exam"], name="enrolment_of_user")]

    def __str__(self) -> str:
        return str(self.pk)
