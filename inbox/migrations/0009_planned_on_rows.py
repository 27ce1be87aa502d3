from django.db import migrations, models

# Those few that have something planned by now
FILL = """
update inbox_conversation c set planned_state = planned.state
from (
    select conversation_id, case when bool_or(state = 'held') then 'held' else 'waiting' end as state
    from inbox_plannedmessage where state in ('waiting', 'held') group by conversation_id
) as planned
where c.id = planned.conversation_id
"""


class Migration(migrations.Migration):
    """A row of the list says that something goes out later, and costs no query for it."""

    dependencies = [("inbox", "0008_notice_of_contact_note")]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="planned_state",
            field=models.CharField(blank=True, db_default="", max_length=10),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
