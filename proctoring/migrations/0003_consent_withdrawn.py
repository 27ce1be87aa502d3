from django.db import migrations, models

STANDS_ONCE = models.UniqueConstraint(
    condition=models.Q(("withdrawn_at", None)), fields=("session", "policy_version"), name="consent_stands_once"
)


class Migration(migrations.Migration):
    """A consent given again after its withdrawal is a record of its own."""

    atomic = False  # the new index is made beside the writers

    dependencies = [
        ("crm", "0004_workspace_trigrams"),
        ("proctoring", "0002_same_workspace"),
    ]

    operations = [
        migrations.AddField(
            model_name="examsession",
            name="consent_withdrawn_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "create unique index concurrently if not exists consent_stands_once"
                    " on proctoring_consentrecord (session_id, policy_version) where withdrawn_at is null",
                    "drop index concurrently if exists consent_stands_once",
                )
            ],
            state_operations=[migrations.AddConstraint(model_name="consentrecord", constraint=STANDS_ONCE)],
        ),
        migrations.RemoveConstraint(model_name="consentrecord", name="consent_once"),
    ]
