from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside running writers

    dependencies = [("inbox", "0011_desk_and_people_same_workspace")]

    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("snoozed_until", None), _negated=True),
                fields=["snoozed_until"],
                name="conversation_snoozed",
            ),
        ),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                models.F("workspace"),
                models.F("team"),
                models.F("status"),
                models.OrderBy(models.F("last_activity_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("deleted_at", None), ("scope", "support"), models.Q(("team", None), _negated=True)),
                name="conversation_list_team",
            ),
        ),
        AddConstraintNotValid(
            model_name="conversation",
            constraint=models.CheckConstraint(
                condition=models.Q(("rating", None), models.Q(("rating__gte", 1), ("rating__lte", 5)), _connector="OR"),
                name="conversation_rating_range",
            ),
        ),
        ValidateConstraint(model_name="conversation", name="conversation_rating_range"),
    ]
