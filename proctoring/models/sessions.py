"""Sittings: the session itself, its pulse (which every beat writes), its consent, its room and its summary."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from crm.models import User
from crm.tenancy import TenantModel, tenant_key
from inbox.models import Conversation
from proctoring.models.exams import Enrolment, Exam
from proctoring.states import LIVE, SessionStatus


class ExamSession(TenantModel):
    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    exam = models.ForeignKey(Exam, on_delete=models.CASCADE, related_name="sessions")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="sessions")
    attempt = models.PositiveSmallIntegerField(default=1)
    # As enrolled: a user's id, or the exam system's word for somebody. The name is as of the start
    student_user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    student = models.CharField(max_length=120)
    student_name = models.CharField(max_length=200, blank=True)
    group = models.CharField(max_length=80, blank=True)

    status = models.CharField(max_length=10, choices=SessionStatus.choices, default=SessionStatus.ACTIVE)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=200, blank=True, db_default="")
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_seconds = models.PositiveIntegerField(default=0, db_default=0)
    extra_seconds = models.PositiveIntegerField(default=0, db_default=0)  # given by tutors during the exam
    lost_seconds = models.PositiveIntegerField(default=0, db_default=0)  # of the ledger, pauses left out
    given_back_seconds = models.PositiveIntegerField(default=0, db_default=0)
    hand_raised_at = models.DateTimeField(null=True, blank=True)
    hand_note = models.CharField(max_length=300, blank=True, db_default="")
    consent_withdrawn_at = models.DateTimeField(null=True, blank=True)  # nothing is captured from then on
    evidence_removed_at = models.DateTimeField(null=True, blank=True)  # its log was past its days; its totals stay

    # Kept here so that a card of the grid costs no query; written under the row's lock
    violation_count = models.PositiveIntegerField(default=0, db_default=0)  # all but info
    low_count = models.PositiveIntegerField(default=0, db_default=0)
    medium_count = models.PositiveIntegerField(default=0, db_default=0)
    high_count = models.PositiveIntegerField(default=0, db_default=0)
    critical_count = models.PositiveIntegerField(default=0, db_default=0)
    unreviewed_count = models.PositiveIntegerField(default=0, db_default=0)
    last_violation_seq = models.BigIntegerField(default=0, db_default=0)  # the client's counter
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            tenant_key("exam_session"),
            models.UniqueConstraint(fields=["exam", "enrolment", "attempt"], name="exam_session_attempt_once"),
            models.UniqueConstraint(
                fields=["exam", "enrolment"], condition=Q(status__in=sorted(LIVE)), name="exam_session_live_once"
            ),
            models.CheckConstraint(condition=Q(status__in=SessionStatus.values), name="exam_session_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=sorted(LIVE), ended_at=None) | (~Q(status__in=sorted(LIVE)) & ~Q(ended_at=None)),
                name="exam_session_ended_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status=SessionStatus.PAUSED, paused_at__isnull=False)
                | (~Q(status=SessionStatus.PAUSED) & Q(paused_at=None)),
                name="exam_session_paused_has_time",
            ),
            models.CheckConstraint(
                condition=Q(violation_count=F("low_count") + F("medium_count") + F("high_count") + F("critical_count")),
                name="exam_session_counts_agree",
            ),
        ]
        indexes = [
            models.Index(fields=["exam", "id"], name="exam_session_of_exam"),
            models.Index(fields=["exam", "student"], name="exam_session_of_student"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class SessionPulse(models.Model):
    """What every beat writes. No index on what changes, and room in the pages: an update stays on its page."""

    session = models.OneToOneField(ExamSession, primary_key=True, on_delete=models.CASCADE, related_name="pulse")
    workspace = models.ForeignKey("crm.Workspace", on_delete=models.CASCADE, related_name="+")
    is_live = models.BooleanField(default=True, db_default=True)  # the session takes beats
    seen_at = models.DateTimeField(db_default=Now())  # last sign of life: start, resume or beat
    last_heartbeat = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True)  # the edge to disconnected was written, silent since
    beats = models.PositiveIntegerField(default=0, db_default=0)
    current_question = models.PositiveIntegerField(null=True, blank=True)
    answered_count = models.PositiveIntegerField(default=0, db_default=0)
    is_hidden = models.BooleanField(default=False, db_default=False)  # the page was not in view
    timer_delay_ms = models.PositiveIntegerField(default=0, db_default=0)  # how late the client's own timer fired
    idle_ms = models.PositiveIntegerField(default=0, db_default=0)  # since the last key or pointer
    rtt_ms = models.PositiveIntegerField(null=True, blank=True)
    network = models.CharField(max_length=20, blank=True, db_default="")  # wifi, 4g and the like
    skew_ms = models.BigIntegerField(null=True, blank=True)  # the client's clock less ours
    client_seq = models.BigIntegerField(default=0, db_default=0)
    device = models.CharField(max_length=64, blank=True, db_default="")  # the client's own name for itself
    user_agent = models.CharField(max_length=200, blank=True, db_default="")
    has_commands = models.BooleanField(default=False, db_default=False)
    # The newest beats, for the plot: epoch seconds, and round trips in milliseconds (-1 unknown)
    trail_at = ArrayField(models.IntegerField(), default=list, db_default=[])
    trail_rtt = ArrayField(models.IntegerField(), default=list, db_default=[])

    class Meta:
        indexes = [models.Index(fields=["session"], condition=Q(is_live=True), name="session_pulse_live")]

    def __str__(self) -> str:
        return str(self.session_id)


class ConsentRecord(TenantModel):
    """That somebody agreed, to what, from when and until when. Kept as long as the session; agreeing again after a
    withdrawal is a record of its own."""

    session = models.ForeignKey(ExamSession, on_delete=models.CASCADE, related_name="consents")
    policy_version = models.CharField(max_length=40)
    has_guardian = models.BooleanField(default=False)
    given_at = models.DateTimeField(db_default=Now())
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            tenant_key("consent_record"),
            models.UniqueConstraint(
                fields=["session", "policy_version"], condition=Q(withdrawn_at=None), name="consent_stands_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ExamRoom(TenantModel):
    """The conversation of a session. The inbox knows nothing of it."""

    session = models.ForeignKey(ExamSession, on_delete=models.CASCADE, related_name="rooms")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            tenant_key("exam_room"),
            models.UniqueConstraint(fields=["session"], name="exam_room_session_once"),
            models.UniqueConstraint(fields=["conversation"], name="exam_room_conversation_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class SessionSummary(TenantModel):
    """What stays of an ended session, and whether the exam system has it."""

    session = models.OneToOneField(ExamSession, on_delete=models.CASCADE, related_name="summary")
    version = models.PositiveIntegerField(default=1, db_default=1)  # rises when reviews change it
    duration_seconds = models.PositiveIntegerField(default=0)
    data = models.JSONField(default=dict)  # as it is pushed
    pushed_version = models.PositiveIntegerField(default=0, db_default=0)
    pushed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "session summaries"
        constraints = [tenant_key("session_summary")]

    def __str__(self) -> str:
        return str(self.pk)
