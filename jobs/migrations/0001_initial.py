import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.TextField()),
                ("type", models.TextField()),
                ("lane", models.TextField(blank=True, db_default="")),
                ("outgoing", models.BooleanField(db_default=False)),
                ("workspace_id", models.UUIDField(blank=True, null=True)),
                ("payload", models.JSONField(db_default={}, default=dict)),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("pending", "Pending"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("dismissed", "Dismissed"),
                        ],
                        db_default="pending",
                        default="pending",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("max_attempts", models.PositiveIntegerField(db_default=8, default=8)),
                ("next_attempt", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("blocks_until", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.TextField(blank=True, db_default="")),
                ("error_code", models.TextField(blank=True, db_default="")),
                ("result", models.JSONField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("lease_token", models.BigIntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "job",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["outgoing", "next_attempt", "id"],
                        name="job_due",
                    ),
                    models.Index(
                        condition=models.Q(("status", "pending"), models.Q(("lane", ""), _negated=True)),
                        fields=["lane", "id"],
                        name="job_lane_head",
                    ),
                    models.Index(
                        condition=models.Q(("status", "processing")), fields=["lease_until"], name="job_lease"
                    ),
                    models.Index(condition=models.Q(("status", "completed")), fields=["completed_at"], name="job_done"),
                    models.Index(fields=["type", "status", "id"], name="job_by_type"),
                    models.Index(fields=["workspace_id", "status", "id"], name="job_by_workspace"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("key",), name="job_once_per_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["pending", "processing", "completed", "failed", "dismissed"])
                        ),
                        name="job_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease_until__isnull", False), ("status", "processing")),
                            models.Q(models.Q(("status", "processing"), _negated=True), ("lease_until__isnull", True)),
                            _connector="OR",
                        ),
                        name="job_lease_while_processing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("completed_at__isnull", False), ("status__in", ["completed", "dismissed", "failed"])
                            ),
                            models.Q(
                                models.Q(("status__in", ["completed", "dismissed", "failed"]), _negated=True),
                                ("completed_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="job_ended_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("max_attempts__gte", 1)), name="job_tries_at_least_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "processing"), models.Q(("lane", ""), _negated=True)),
                        fields=("lane",),
                        name="job_one_running_per_lane",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JobAttempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job_id", models.BigIntegerField()),
                ("attempt", models.PositiveIntegerField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("took", models.DurationField(blank=True, null=True)),
                ("error", models.TextField()),
                ("error_code", models.TextField(blank=True, db_default="")),
            ],
            options={
                "db_table": "job_attempt",
                "indexes": [models.Index(fields=["job_id", "id"], name="job_attempt_of_job")],
            },
        ),
        migrations.CreateModel(
            name="JobMeta",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("last_duration", models.DurationField(blank=True, null=True)),
                ("last_status", models.TextField(blank=True, db_default="")),
                ("last_error", models.TextField(blank=True, db_default="")),
                ("stats", models.JSONField(db_default={}, default=dict)),
                ("running_since", models.DateTimeField(blank=True, null=True)),
                ("run_token", models.BigIntegerField(db_default=0, default=0)),
            ],
            options={
                "db_table": "job_meta",
            },
        ),
        migrations.RunSQL(
            sql="ALTER TABLE job SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_analyze_scale_factor = 0.05)",
            reverse_sql="",
        ),
    ]
