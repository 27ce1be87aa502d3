from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("crm", "0003_imports_and_refunds")]

    operations = [
        AddIndexConcurrently(
            model_name="workspace",
            index=GinIndex(
                OpClass(Upper("slug"), name="gin_trgm_ops"),
                OpClass(Upper("name"), name="gin_trgm_ops"),
                name="workspace_trigrams",
            ),
        )
    ]
