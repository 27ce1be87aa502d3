from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Who is open, counted without reading the conversations themselves."""

    atomic = False

    dependencies = [("inbox", "0005_rare_lists")]

    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                fields=["workspace", "assignee"],
                condition=Q(
                    ("deleted_at", None),
                    ("merged_into", None),
                    ("scope", "support"),
                    ("spam_at", None),
                    ("status", "open"),
                ),
                name="conversation_open",
            ),
        ),
    ]
