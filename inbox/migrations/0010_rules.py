import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crm.ids
from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    """What the inbox does by itself."""

    dependencies = [
        ("crm", "0005_names_of_tables"),
        ("inbox", "0009_planned_on_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Rule",
            fields=[
                ("id", models.UUIDField(default=crm.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("begun", "A conversation begins"),
                            ("wrote", "The customer writes"),
                            ("came_back", "The customer comes back to one that was resolved or snoozed"),
                            ("assignee", "It is assigned, or nobody's any more"),
                            ("team", "It is given to a team"),
                            ("status", "Its status changes"),
                            ("priority", "Its priority changes"),
                            ("labels", "Its labels change"),
                        ],
                        max_length=10,
                    ),
                ),
                ("words", models.JSONField(blank=True, default=list)),
                ("is_on", models.BooleanField(default=True)),
                ("is_last", models.BooleanField(default=False)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("runs", models.PositiveIntegerField(default=0)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("problem", models.CharField(blank=True, max_length=500)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "macro",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inbox.macro"),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "view",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.savedview",
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
                "indexes": [models.Index(fields=["workspace", "position", "id"], name="rule_order")],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "id"), name="rule_tenant_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "event__in",
                                ["begun", "wrote", "came_back", "assignee", "team", "status", "priority", "labels"],
                            )
                        ),
                        name="rule_event_known",
                    ),
                ],
            },
        ),
        TenantForeignKey("inbox_rule", "view_id", "crm_savedview", on_delete="CASCADE"),
        TenantForeignKey("inbox_rule", "macro_id", "inbox_macro", on_delete="CASCADE"),
    ]
