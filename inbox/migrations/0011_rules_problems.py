from django.db import migrations, models


class Migration(migrations.Migration):
    """Why a rule could not run can be said in any language."""

    dependencies = [
        ("inbox", "0010_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="rule",
            name="problem_values",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
    ]
