from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside running writers

    dependencies = [("crm", "0009_people_contacts_same_workspace")]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("workspace"),
                models.F("lead_status"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="contact_by_status",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("workspace"),
                models.F("owner"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="contact_by_owner",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("workspace"),
                models.OrderBy(models.F("lead_score"), descending=True, nulls_last=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None)),
                name="contact_by_score",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                models.F("workspace"),
                models.F("name"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="contact_by_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=GinIndex(models.F("workspace"), models.F("search"), name="contact_search"),
        ),
        AddIndexConcurrently(
            model_name="contact",
            index=GinIndex(
                models.F("workspace"),
                OpClass(Upper("name"), name="gin_trgm_ops"),
                OpClass(Upper("email"), name="gin_trgm_ops"),
                OpClass(models.F("phone_normalized"), name="gin_trgm_ops"),
                name="contact_trigrams",
            ),
        ),
    ]
