from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0010_contact_lookups"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="blocked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="member",
            name="availability",
            field=models.CharField(
                choices=[("online", "Online"), ("away", "Away"), ("handing", "Away, hand my conversations back")],
                db_default="online",
                default="online",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="preferences",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="team",
            name="assigns_itself",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="team",
            name="most_open",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="teammember",
            name="last_assigned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
