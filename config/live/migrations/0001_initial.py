from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="LiveTopic",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
            ],
            options={
                "db_table": "live_topic",
            },
        ),
        migrations.CreateModel(
            name="LiveEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "topic", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("topic", models.TextField()),
                ("seq", models.BigIntegerField()),
                ("type", models.TextField()),
                ("version", models.SmallIntegerField()),
                ("data", models.TextField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "live_event",
                "indexes": [models.Index(fields=["at"], name="live_event_at")],
            },
        ),
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
        migrations.RunSQL(
            sql="ALTER TABLE live_presence SET UNLOGGED",
            reverse_sql="ALTER TABLE live_presence SET LOGGED",
        ),
    ]
