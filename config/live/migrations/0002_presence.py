from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("live", "0001_event_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="LivePresence",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "topic", "person", "tab", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("topic", models.TextField()),
                ("person", models.TextField()),
                ("tab", models.TextField()),
                ("kind", models.TextField()),
                ("name", models.TextField()),
                ("role", models.TextField()),
                ("state", models.TextField()),
                ("draft", models.BooleanField()),
                ("since", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "live_presence",
                "indexes": [models.Index(fields=["expires_at"], name="live_presence_over")],
            },
        ),
        # Rewritten every few seconds and worth nothing after a crash
        migrations.RunSQL("ALTER TABLE live_presence SET UNLOGGED", "ALTER TABLE live_presence SET LOGGED"),
    ]
