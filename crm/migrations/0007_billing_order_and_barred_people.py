from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0006_workspace_feed"),
    ]

    operations = [
        migrations.AddField(
            model_name="billingaccount",
            name="owner_event_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="subscription_created_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="billingaccount",
            name="subscription_event_rank",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="useridentity",
            name="barred_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
