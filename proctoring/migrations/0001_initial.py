import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import crm.encryption
import crm.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("crm", "0001_initial"),
        ("inbox", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Leaderboard",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("quiz_code", models.CharField(max_length=40)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("exam_id", models.CharField(blank=True, max_length=255)),
                ("is_open", models.BooleanField(default=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("is_hidden", models.BooleanField(db_default=False, default=False)),
                ("join_code", models.CharField(blank=True, db_default="", max_length=40)),
                ("keep_days", models.PositiveSmallIntegerField(db_default=365, default=365)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="leaderboard_tenant_key"),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("quiz_code"), name="leaderboard_code_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LeaderboardEntry",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "board",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="proctoring.leaderboard"
                    ),
                ),
                ("submission_id", models.CharField(max_length=255)),
                ("exam_id", models.CharField(blank=True, max_length=255)),
                ("nickname", models.CharField(max_length=60)),
                ("score", models.DecimalField(decimal_places=3, max_digits=12)),
                ("max_score", models.DecimalField(decimal_places=3, max_digits=12)),
                ("percentage", models.DecimalField(decimal_places=3, max_digits=6)),
                ("submitted_at", models.DateTimeField()),
                ("conflicts", models.PositiveIntegerField(default=0)),
                ("revision", models.PositiveIntegerField(db_default=0, default=0)),
                ("is_hidden", models.BooleanField(db_default=False, default=False)),
                ("is_renamed", models.BooleanField(db_default=False, default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("board"),
                        models.OrderBy(models.F("score"), descending=True),
                        models.F("submitted_at"),
                        models.F("id"),
                        name="leaderboard_order",
                    ),
                    models.Index(
                        models.F("board"),
                        django.db.models.functions.text.Lower("nickname"),
                        name="leaderboard_nickname",
                    ),
                    models.Index(models.F("board"), models.F("created_at"), name="leaderboard_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="leaderboard_entry_tenant_key"),
                    models.UniqueConstraint(fields=("workspace", "submission_id"), name="leaderboard_submission_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("max_score__gt", 0), ("score__gte", 0), ("score__lte", models.F("max_score"))
                        ),
                        name="leaderboard_score_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScoreCorrection",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="proctoring.leaderboardentry",
                    ),
                ),
                ("correction_id", models.CharField(max_length=255)),
                ("score_before", models.DecimalField(decimal_places=3, max_digits=12)),
                ("score_after", models.DecimalField(decimal_places=3, max_digits=12)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="score_correction_tenant_key"),
                    models.UniqueConstraint(fields=("workspace", "correction_id"), name="score_correction_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LeaderboardTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("board_id", models.UUIDField()),
                ("level", models.PositiveSmallIntegerField()),
                ("bucket", models.BigIntegerField()),
                ("count", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("board_id", "level", "bucket"), name="leaderboard_tally_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="BoardSnapshot",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "board",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="snapshots",
                        to="proctoring.leaderboard",
                    ),
                ),
                ("players", models.PositiveIntegerField()),
                ("rows", models.JSONField(default=list)),
                ("taken_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("board"),
                        models.OrderBy(models.F("taken_at"), descending=True),
                        name="board_snapshot_newest",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("workspace", "id"), name="board_snapshot_tenant_key")],
            },
        ),
        migrations.CreateModel(
            name="Exam",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("slug", models.SlugField(max_length=60)),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("duration_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("question_count", models.PositiveIntegerField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(db_default=1, default=1)),
                (
                    "reminder_minutes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(), blank=True, db_default=[], default=list, size=None
                    ),
                ),
                ("requires_consent", models.BooleanField(db_default=False, default=False)),
                ("requires_guardian", models.BooleanField(db_default=False, default=False)),
                ("policy_version", models.CharField(db_default="1", default="1", max_length=40)),
                ("keep_violations_days", models.PositiveSmallIntegerField(db_default=60, default=60)),
                ("keep_network_days", models.PositiveSmallIntegerField(db_default=14, default=14)),
                ("keep_chat_days", models.PositiveSmallIntegerField(db_default=60, default=60)),
                ("keep_sessions_days", models.PositiveSmallIntegerField(db_default=365, default=365)),
                ("is_chat_open", models.BooleanField(db_default=True, default=True)),
                ("merge_seconds", models.PositiveSmallIntegerField(db_default=10, default=10)),
                ("secrets", crm.encryption.EncryptedJSONField(blank=True, default=dict)),
                ("summary_url", models.URLField(blank=True, db_default="", max_length=500)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("workspace"), models.OrderBy(models.F("id"), descending=True), name="exam_newest"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="exam_tenant_key"),
                    models.UniqueConstraint(django.db.models.functions.text.Lower("slug"), name="exam_slug_once"),
                    models.CheckConstraint(
                        condition=models.Q(("slug", django.db.models.functions.text.Lower("slug"))),
                        name="exam_slug_lower",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at", None),
                            ("ends_at", None),
                            ("ends_at__gt", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="exam_ends_after",
                    ),
                    models.CheckConstraint(condition=models.Q(("attempts__gte", 1)), name="exam_attempts_least"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExamRule",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rules", to="proctoring.exam"
                    ),
                ),
                ("type", models.CharField(max_length=40)),
                ("is_counted", models.BooleanField(default=True)),
                (
                    "severity",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("info", "Info"),
                            ("low", "Low"),
                            ("medium", "Medium"),
                            ("high", "High"),
                            ("critical", "Critical"),
                        ],
                        max_length=10,
                    ),
                ),
                ("threshold", models.PositiveSmallIntegerField(default=0)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("none", "Nothing"),
                            ("attention", "Ask for attention"),
                            ("pause", "Pause the session"),
                        ],
                        default="none",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="exam_rule_tenant_key"),
                    models.UniqueConstraint(fields=("exam", "type"), name="exam_rule_once"),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["", "info", "low", "medium", "high", "critical"])),
                        name="exam_rule_severity_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("action__in", ["none", "attention", "pause"])),
                        name="exam_rule_action_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("action", "none"), ("threshold__gte", 1), _connector="OR"),
                        name="exam_rule_action_has_threshold",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExamTutor",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tutors", to="proctoring.exam"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["user", "exam"], name="exam_tutor_of_user")],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="exam_tutor_tenant_key"),
                    models.UniqueConstraint(fields=("exam", "user"), name="exam_tutor_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Enrolment",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="enrolments", to="proctoring.exam"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("external_id", models.CharField(blank=True, max_length=120)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("group", models.CharField(blank=True, max_length=80)),
                ("extra_seconds", models.PositiveIntegerField(db_default=0, default=0)),
                ("attempts", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["user", "exam"], name="enrolment_of_user")],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="enrolment_tenant_key"),
                    models.UniqueConstraint(
                        condition=models.Q(("user", None), _negated=True),
                        fields=("exam", "user"),
                        name="enrolment_user_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("exam", "external_id"),
                        name="enrolment_external_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("user", None), _negated=True),
                            models.Q(("external_id", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="enrolment_names_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExamSession",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("supabase_id", models.UUIDField(blank=True, null=True, unique=True)),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to="proctoring.exam"
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sessions", to="proctoring.enrolment"
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(default=1)),
                (
                    "student_user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("student", models.CharField(max_length=120)),
                ("student_name", models.CharField(blank=True, max_length=200)),
                ("group", models.CharField(blank=True, max_length=80)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("submitted", "Submitted"),
                            ("terminated", "Ended by a tutor"),
                            ("expired", "Expired"),
                        ],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("end_reason", models.CharField(blank=True, db_default="", max_length=200)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("paused_seconds", models.PositiveIntegerField(db_default=0, default=0)),
                ("extra_seconds", models.PositiveIntegerField(db_default=0, default=0)),
                ("lost_seconds", models.PositiveIntegerField(db_default=0, default=0)),
                ("given_back_seconds", models.PositiveIntegerField(db_default=0, default=0)),
                ("hand_raised_at", models.DateTimeField(blank=True, null=True)),
                ("hand_note", models.CharField(blank=True, db_default="", max_length=300)),
                ("violation_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("low_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("medium_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("high_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("critical_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("unreviewed_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("last_violation_seq", models.BigIntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["exam", "id"], name="exam_session_of_exam"),
                    models.Index(fields=["exam", "student"], name="exam_session_of_student"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="exam_session_tenant_key"),
                    models.UniqueConstraint(fields=("exam", "enrolment", "attempt"), name="exam_session_attempt_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["active", "paused"])),
                        fields=("exam", "enrolment"),
                        name="exam_session_live_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "paused", "submitted", "terminated", "expired"])),
                        name="exam_session_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("status__in", ["active", "paused"])),
                            models.Q(
                                models.Q(("status__in", ["active", "paused"]), _negated=True),
                                models.Q(("ended_at", None), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="exam_session_ended_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("paused_at__isnull", False), ("status", "paused")),
                            models.Q(models.Q(("status", "paused"), _negated=True), ("paused_at", None)),
                            _connector="OR",
                        ),
                        name="exam_session_paused_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "violation_count",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("low_count"), "+", models.F("medium_count")
                                        ),
                                        "+",
                                        models.F("high_count"),
                                    ),
                                    "+",
                                    models.F("critical_count"),
                                ),
                            )
                        ),
                        name="exam_session_counts_agree",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SessionPulse",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pulse",
                        serialize=False,
                        to="proctoring.examsession",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("is_live", models.BooleanField(db_default=True, default=True)),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("last_heartbeat", models.DateTimeField(blank=True, null=True)),
                ("lost_at", models.DateTimeField(blank=True, null=True)),
                ("beats", models.PositiveIntegerField(db_default=0, default=0)),
                ("current_question", models.PositiveIntegerField(blank=True, null=True)),
                ("answered_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("is_hidden", models.BooleanField(db_default=False, default=False)),
                ("timer_delay_ms", models.PositiveIntegerField(db_default=0, default=0)),
                ("idle_ms", models.PositiveIntegerField(db_default=0, default=0)),
                ("rtt_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("network", models.CharField(blank=True, db_default="", max_length=20)),
                ("skew_ms", models.BigIntegerField(blank=True, null=True)),
                ("client_seq", models.BigIntegerField(db_default=0, default=0)),
                ("device", models.CharField(blank=True, db_default="", max_length=64)),
                ("user_agent", models.CharField(blank=True, db_default="", max_length=200)),
                ("has_commands", models.BooleanField(db_default=False, default=False)),
                (
                    "trail_at",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), db_default=[], default=list, size=None
                    ),
                ),
                (
                    "trail_rtt",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), db_default=[], default=list, size=None
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("is_live", True)), fields=["session"], name="session_pulse_live")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="proctoring.examsession",
                    ),
                ),
                ("policy_version", models.CharField(max_length=40)),
                ("has_guardian", models.BooleanField(default=False)),
                ("given_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="consent_record_tenant_key"),
                    models.UniqueConstraint(fields=("session", "policy_version"), name="consent_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExamRoom",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rooms", to="proctoring.examsession"
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.conversation"
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="exam_room_tenant_key"),
                    models.UniqueConstraint(fields=("session",), name="exam_room_session_once"),
                    models.UniqueConstraint(fields=("conversation",), name="exam_room_conversation_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SessionSummary",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="summary", to="proctoring.examsession"
                    ),
                ),
                ("version", models.PositiveIntegerField(db_default=1, default=1)),
                ("duration_seconds", models.PositiveIntegerField(default=0)),
                ("data", models.JSONField(default=dict)),
                ("pushed_version", models.PositiveIntegerField(db_default=0, default=0)),
                ("pushed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "id"), name="session_summary_tenant_key")],
            },
        ),
        migrations.CreateModel(
            name="Command",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="commands",
                        to="proctoring.examsession",
                    ),
                ),
                ("batch", models.UUIDField()),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("message", "Message"),
                            ("announcement", "Announcement"),
                            ("pause", "Pause"),
                            ("resume", "Resume"),
                            ("terminate", "End the session"),
                            ("extra_time", "More time"),
                            ("attention", "Request attention"),
                            ("note", "Private note"),
                        ],
                        max_length=14,
                    ),
                ),
                ("body", models.TextField(blank=True)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("seconds", models.PositiveIntegerField(default=0)),
                ("is_urgent", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("delivered", "Delivered"),
                            ("seen", "Seen"),
                            ("expired", "Expired"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("session"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="exam_command_of_session",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "delivered"])),
                        fields=["expires_at"],
                        name="exam_command_open",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="exam_command_tenant_key"),
                    models.UniqueConstraint(fields=("session", "batch"), name="exam_command_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "delivered", "seen", "expired"])),
                        name="exam_command_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "type__in",
                                [
                                    "message",
                                    "announcement",
                                    "pause",
                                    "resume",
                                    "terminate",
                                    "extra_time",
                                    "attention",
                                    "note",
                                ],
                            )
                        ),
                        name="exam_command_type_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SessionGap",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="gaps", to="proctoring.examsession"
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("connection", "The student's connection"),
                            ("service", "Our own outage"),
                            ("pause", "Paused by a tutor"),
                        ],
                        max_length=10,
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("given_back_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="session_gap_tenant_key"),
                    models.UniqueConstraint(fields=("session", "cause", "began_at"), name="session_gap_once"),
                    models.CheckConstraint(
                        condition=models.Q(("ended_at__gte", models.F("began_at"))), name="session_gap_forward"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cause__in", ["connection", "service", "pause"])),
                        name="session_gap_cause_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceMark",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("alive_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("back_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="service_mark_single")],
            },
        ),
        migrations.CreateModel(
            name="ExamReminder",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "exam",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="proctoring.exam"
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="proctoring.enrolment"
                    ),
                ),
                ("offset_minutes", models.PositiveIntegerField()),
                ("starts_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sent", "Sent"),
                            ("stopped", "Stopped"),
                            ("unsent", "Not sent"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("via", models.CharField(blank=True, max_length=10)),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("exam"), models.OrderBy(models.F("id"), descending=True), name="exam_reminder_newest"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="exam_reminder_tenant_key"),
                    models.UniqueConstraint(
                        fields=("exam", "enrolment", "offset_minutes", "starts_at"), name="exam_reminder_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "sent", "stopped", "unsent"])),
                        name="exam_reminder_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Violation",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="violations",
                        to="proctoring.examsession",
                    ),
                ),
                ("client_id", models.UUIDField()),
                ("seq", models.BigIntegerField(blank=True, null=True)),
                ("type", models.CharField(max_length=40)),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("info", "Info"),
                            ("low", "Low"),
                            ("medium", "Medium"),
                            ("high", "High"),
                            ("critical", "Critical"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("client", "Client"), ("server", "Server"), ("tutor", "Tutor")],
                        default="client",
                        max_length=6,
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("corrected_at", models.DateTimeField()),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("skew_ms", models.BigIntegerField(db_default=0, default=0)),
                ("detail", models.JSONField(blank=True, default=dict)),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="proctoring.violation",
                    ),
                ),
                ("merged_count", models.PositiveIntegerField(db_default=1, default=1)),
                ("last_at", models.DateTimeField()),
                (
                    "review",
                    models.CharField(
                        choices=[
                            ("not_reviewed", "To review"),
                            ("dismissed", "Forgiven"),
                            ("suspicious", "Suspicious"),
                            ("violation", "Confirmed"),
                            ("verified", "Verified"),
                            ("second_review_required", "Needs a second look"),
                        ],
                        default="not_reviewed",
                        max_length=24,
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                ("review_reason", models.CharField(blank=True, db_default="", max_length=500)),
                ("explanation", models.CharField(blank=True, db_default="", max_length=1000)),
                ("explained_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("session"),
                        models.OrderBy(models.F("corrected_at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="violation_of_session",
                    ),
                    models.Index(
                        models.F("session"),
                        models.F("type"),
                        models.OrderBy(models.F("last_at"), descending=True),
                        name="violation_burst",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="violation_tenant_key"),
                    models.UniqueConstraint(fields=("session", "client_id"), name="violation_client_once"),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["info", "low", "medium", "high", "critical"])),
                        name="violation_severity_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "review__in",
                                [
                                    "not_reviewed",
                                    "dismissed",
                                    "suspicious",
                                    "violation",
                                    "verified",
                                    "second_review_required",
                                ],
                            )
                        ),
                        name="violation_review_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("merged_count__gte", 1)), name="violation_merged_least"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ViolationReview",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "violation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reviews", to="proctoring.violation"
                    ),
                ),
                (
                    "before",
                    models.CharField(
                        choices=[
                            ("not_reviewed", "To review"),
                            ("dismissed", "Forgiven"),
                            ("suspicious", "Suspicious"),
                            ("violation", "Confirmed"),
                            ("verified", "Verified"),
                            ("second_review_required", "Needs a second look"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        choices=[
                            ("not_reviewed", "To review"),
                            ("dismissed", "Forgiven"),
                            ("suspicious", "Suspicious"),
                            ("violation", "Confirmed"),
                            ("verified", "Verified"),
                            ("second_review_required", "Needs a second look"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "indexes": [models.Index(fields=["violation", "id"], name="violation_review_trail")],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="violation_review_tenant_key")
                ],
            },
        ),
        migrations.RunSQL(
            sql="ALTER TABLE proctoring_sessionpulse SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)",
            reverse_sql="ALTER TABLE proctoring_sessionpulse RESET (fillfactor, autovacuum_vacuum_scale_factor)",
        ),
        migrations.RunSQL(
            sql="\nCREATE FUNCTION leaderboard_tally_of(board uuid, score numeric)\nRETURNS TABLE (board_id uuid, level smallint, bucket bigint) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$\n    SELECT board, level::smallint, floor(score * 1000 / width)::bigint\n    FROM (VALUES (0, 1::numeric), (1, 1000), (2, 1000000), (3, 1000000000)) AS wide (level, width)\n$$;\n\nCREATE FUNCTION leaderboard_tally_add() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    INSERT INTO proctoring_leaderboardtally AS tally (board_id, level, bucket, count)\n    SELECT t.board_id, t.level, t.bucket, count(*) FROM new_rows AS n, leaderboard_tally_of(n.board_id, n.score) AS t\n    WHERE NOT n.is_hidden GROUP BY 1, 2, 3 ORDER BY 1, 2, 3\n    ON CONFLICT (board_id, level, bucket) DO UPDATE SET count = tally.count + excluded.count;\n    RETURN NULL;\nEND $$;\n\nCREATE FUNCTION leaderboard_tally_take() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    INSERT INTO proctoring_leaderboardtally AS tally (board_id, level, bucket, count)\n    SELECT t.board_id, t.level, t.bucket, -count(*) FROM old_rows AS o, leaderboard_tally_of(o.board_id, o.score) AS t\n    WHERE NOT o.is_hidden GROUP BY 1, 2, 3 ORDER BY 1, 2, 3\n    ON CONFLICT (board_id, level, bucket) DO UPDATE SET count = tally.count + excluded.count;\n    RETURN NULL;\nEND $$;\n\nCREATE FUNCTION leaderboard_tally_move() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    INSERT INTO proctoring_leaderboardtally AS tally (board_id, level, bucket, count)\n    SELECT t.board_id, t.level, t.bucket, sum(x.one)\n    FROM (\n        SELECT board_id, score, -1 AS one FROM old_rows WHERE NOT is_hidden\n        UNION ALL SELECT board_id, score, 1 FROM new_rows WHERE NOT is_hidden\n    ) AS x, leaderboard_tally_of(x.board_id, x.score) AS t\n    GROUP BY 1, 2, 3 HAVING sum(x.one) <> 0 ORDER BY 1, 2, 3\n    ON CONFLICT (board_id, level, bucket) DO UPDATE SET count = tally.count + excluded.count;\n    RETURN NULL;\nEND $$;\n\nCREATE TRIGGER leaderboard_tally_add AFTER INSERT ON proctoring_leaderboardentry\n    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION leaderboard_tally_add();\nCREATE TRIGGER leaderboard_tally_take AFTER DELETE ON proctoring_leaderboardentry\n    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION leaderboard_tally_take();\nCREATE TRIGGER leaderboard_tally_move AFTER UPDATE ON proctoring_leaderboardentry\n    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows\n    FOR EACH STATEMENT EXECUTE FUNCTION leaderboard_tally_move();\n\nINSERT INTO proctoring_leaderboardtally (board_id, level, bucket, count)\nSELECT t.board_id, t.level, t.bucket, count(*)\nFROM proctoring_leaderboardentry AS e, leaderboard_tally_of(e.board_id, e.score) AS t\nWHERE NOT e.is_hidden GROUP BY 1, 2, 3;\n",
            reverse_sql="\nDROP TRIGGER leaderboard_tally_add ON proctoring_leaderboardentry;\nDROP TRIGGER leaderboard_tally_take ON proctoring_leaderboardentry;\nDROP TRIGGER leaderboard_tally_move ON proctoring_leaderboardentry;\nDROP FUNCTION leaderboard_tally_add();\nDROP FUNCTION leaderboard_tally_take();\nDROP FUNCTION leaderboard_tally_move();\nDROP FUNCTION leaderboard_tally_of(uuid, numeric);\n",
        ),
    ]
