from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running writers

    dependencies = [("crm", "0012_what_duplicates_share")]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=GinIndex(
                models.F("workspace"),
                OpClass(models.F("attributes"), name="jsonb_path_ops"),
                name="contact_attribute_values",
            ),
        ),
    ]
