import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("proctoring", "0006_boards_counted")]

    operations = [
        AddIndexConcurrently(
            model_name="leaderboardentry",
            index=models.Index(
                models.F("board"), django.db.models.functions.text.Lower("nickname"), name="leaderboard_nickname"
            ),
        ),
        AddIndexConcurrently(
            model_name="leaderboardentry",
            index=models.Index(models.F("board"), models.F("created_at"), name="leaderboard_age"),
        ),
    ]
