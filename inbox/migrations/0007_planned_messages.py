import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crm.ids
from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    """Replies that go out later."""

    dependencies = [
        ("crm", "0005_names_of_tables"),
        ("inbox", "0006_counting_the_open"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PlannedMessage",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("client_id", models.UUIDField()),
                ("body", models.TextField()),
                ("send_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("held", "Held"),
                            ("sent", "Sent"),
                            ("taken_back", "Taken Back"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_message", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.conversation"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["send_at"], name="planned_message_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="planned_message_tenant_key"),
                    models.UniqueConstraint(fields=("workspace", "client_id"), name="planned_message_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "held", "sent", "taken_back"])),
                        name="planned_message_state_known",
                    ),
                ],
            },
        ),
        TenantForeignKey("inbox_plannedmessage", "conversation_id", "inbox_conversation", on_delete="CASCADE"),
        TenantForeignKey(
            "inbox_plannedmessage", "user_id", "crm_member", target_column="user_id", on_delete="SET NULL"
        ),
    ]
