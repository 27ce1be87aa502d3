import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_job_and_cron_rows")]

    operations = [
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
    ]
