from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """Lists of what few conversations are."""

    atomic = False

    dependencies = [("inbox", "0004_message_checks_once")]

    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                F("workspace"),
                F("priority"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(("deleted_at", None), ("scope", "support"), Q(("priority", "none"), _negated=True)),
                name="conversation_list_priority",
            ),
        ),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                F("workspace"),
                F("last_activity_at").desc(),
                F("id").desc(),
                condition=Q(("deleted_at", None), ("scope", "support"), Q(("spam_at", None), _negated=True)),
                name="conversation_list_spam",
            ),
        ),
    ]
