from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("live", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="livepresence",
            name="idle_since",
            field=models.DateTimeField(null=True),
        ),
    ]
