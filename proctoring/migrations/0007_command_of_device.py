from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Devices go before the commands that were for them."""

    atomic = False  # the index is made beside the writers

    dependencies = [("proctoring", "0006_command_device")]

    operations = [
        AddIndexConcurrently(
            model_name="command",
            index=models.Index(
                condition=models.Q(("device", None), _negated=True), fields=["device"], name="exam_command_of_device"
            ),
        ),
    ]
