from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("proctoring", "0001_leaderboard")]

    operations = [
        TenantForeignKey("proctoring_leaderboardentry", "board_id", "proctoring_leaderboard", on_delete="CASCADE"),
        TenantForeignKey("proctoring_scorecorrection", "entry_id", "proctoring_leaderboardentry", on_delete="CASCADE"),
    ]
