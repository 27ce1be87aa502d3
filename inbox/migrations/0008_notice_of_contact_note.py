from django.db import migrations, models

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    """Who is mentioned in a note about a contact has a notice of it."""

    dependencies = [("crm", "0005_names_of_tables"), ("inbox", "0007_planned_messages")]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="note",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=models.deletion.CASCADE,
                related_name="+",
                to="crm.contactnote",
            ),
        ),
        TenantForeignKey("inbox_notice", "note_id", "crm_contactnote", on_delete="CASCADE"),
    ]
