from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the index is built beside running writers

    dependencies = [("inbox", "0002_same_workspace")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                models.F("conversation"),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None), ("direction", "note")),
                name="message_thread_notes",
            ),
        ),
    ]
