from django.db import migrations, models


class Migration(migrations.Migration):
    """When the log of a sitting was removed for being past its days."""

    dependencies = [("proctoring", "0003_consent_withdrawn")]

    operations = [
        migrations.AddField(
            model_name="examsession",
            name="evidence_removed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
