import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import crm.ids
from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    """The browsers of a sitting."""

    dependencies = [
        ("proctoring", "0004_evidence_removed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SessionDevice",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=64)),
                ("user_agent", models.CharField(blank=True, db_default="", max_length=200)),
                ("first_seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="devices",
                        to="proctoring.examsession",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.workspace"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="session_device_tenant_key"),
                    models.UniqueConstraint(fields=("session", "name"), name="session_device_once"),
                ],
            },
        ),
        TenantForeignKey("proctoring_sessiondevice", "session_id", "proctoring_examsession", on_delete="CASCADE"),
    ]
