import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crm.encryption
import crm.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("crm", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "provider",
                    models.CharField(
                        choices=[
                            ("kapso", "Kapso"),
                            ("twilio", "Twilio"),
                            ("stripe", "Stripe"),
                            ("identity", "Identity"),
                            ("scores", "Scores"),
                        ],
                        max_length=10,
                    ),
                ),
                ("channel_id", models.UUIDField(blank=True, null=True)),
                ("workspace_id", models.UUIDField(blank=True, null=True)),
                ("event_key", models.CharField(max_length=255)),
                ("event", models.CharField(blank=True, max_length=80)),
                ("headers", models.JSONField(default=dict)),
                ("body", models.BinaryField()),
                ("received_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("kept", "Kept"),
                            ("applied", "Applied"),
                            ("unhandled", "Unhandled"),
                            ("failed", "Failed"),
                        ],
                        default="kept",
                        max_length=10,
                    ),
                ),
                ("outcome", models.JSONField(default=dict)),
                ("replays", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("replayed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("workspace_id"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="delivery_newest",
                    ),
                    models.Index(
                        models.F("workspace_id"),
                        models.F("state"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="delivery_by_state",
                    ),
                    models.Index(condition=models.Q(("state", "kept")), fields=["id"], name="delivery_kept"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "channel_id", "event_key"), name="delivery_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                ("url", models.CharField(max_length=2000)),
                ("description", models.CharField(blank=True, max_length=200)),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("secrets", crm.encryption.EncryptedJSONField(default=dict)),
                ("is_active", models.BooleanField(default=True)),
                ("disabled_reason", models.CharField(blank=True, max_length=200)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("cursor", models.BigIntegerField(default=0)),
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("deleted_at", None), ("is_active", True)),
                        fields=["workspace"],
                        name="subscription_active",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("workspace", "id"), name="subscription_tenant_key")],
            },
        ),
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="calls", to="webhooks.subscription"
                    ),
                ),
                ("seq", models.BigIntegerField()),
                ("event_type", models.CharField(max_length=60)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("delivered", "Delivered"), ("failed", "Failed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("redeliveries", models.PositiveSmallIntegerField(default=0)),
                ("status_code", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("took_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("workspace"), models.OrderBy(models.F("id"), descending=True), name="call_newest"
                    ),
                    models.Index(
                        models.F("subscription"),
                        models.F("state"),
                        models.OrderBy(models.F("id"), descending=True),
                        name="call_of_subscription",
                    ),
                    models.Index(fields=["created_at"], name="call_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="call_tenant_key"),
                    models.UniqueConstraint(fields=("subscription", "seq"), name="call_once"),
                ],
            },
        ),
    ]
