from django.db import migrations, models


class Migration(migrations.Migration):
    """Keys that the same columns' TenantForeignKey checks as well, and indexes that another one begins with."""

    dependencies = [("crm", "0004_workspace_trigrams"), ("inbox", "0003_thread_notes")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="channel",
            field=models.ForeignKey(
                db_constraint=False, on_delete=models.deletion.PROTECT, related_name="+", to="inbox.channel"
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="conversation",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="messages",
                to="inbox.conversation",
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="workspace",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="+",
                to="crm.workspace",
            ),
        ),
    ]
