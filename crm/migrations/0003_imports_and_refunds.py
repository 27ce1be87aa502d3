import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0002_same_workspace"),
    ]

    operations = [
        migrations.AddField(
            model_name="billingaccount",
            name="collection_paused",
            field=models.CharField(blank=True, db_default="", max_length=30),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="collection_resumes_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="paymentattempt",
            name="refunded_amount",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="ContactImportLine",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("row", models.PositiveIntegerField()),
                ("is_new", models.BooleanField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.contact"
                    ),
                ),
                (
                    "contact_import",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="lines",
                        to="crm.contactimport",
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
                        models.F("contact"),
                        models.OrderBy(models.F("at"), descending=True),
                        name="contact_import_line_of",
                    )
                ],
            },
        ),
        TenantForeignKey("crm_contactimportline", "contact_id", "crm_contact", on_delete="CASCADE"),
        TenantForeignKey("crm_contactimportline", "contact_import_id", "crm_contactimport", on_delete="SET NULL"),
    ]
