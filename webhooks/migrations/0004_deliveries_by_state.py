from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("webhooks", "0003_calls_same_workspace")]

    operations = [
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(
                models.F("workspace_id"),
                models.F("state"),
                models.OrderBy(models.F("id"), descending=True),
                name="delivery_by_state",
            ),
        ),
    ]
