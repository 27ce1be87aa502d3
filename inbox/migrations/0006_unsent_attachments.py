from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("inbox", "0005_sending_same_workspace")]

    operations = [
        AddIndexConcurrently(
            model_name="attachment",
            index=models.Index(condition=models.Q(("message", None)), fields=["created_at"], name="attachment_unsent"),
        ),
    ]
