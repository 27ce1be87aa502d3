from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside running writers

    dependencies = [("inbox", "0008_message_search")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=GinIndex(models.F("workspace"), models.F("search"), name="message_search"),
        ),
    ]
