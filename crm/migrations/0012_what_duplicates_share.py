from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Lower, Right


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside running writers

    dependencies = [("crm", "0011_teams_and_availability")]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("workspace"),
                Lower("email"),
                condition=models.Q(("deleted_at", None)) & ~models.Q(("email", "")),
                name="contact_by_email",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("workspace"),
                Right("phone_normalized", 7),
                condition=models.Q(("deleted_at", None)) & ~models.Q(("phone_normalized", "")),
                name="contact_by_last_digits",
            ),
        ),
    ]
