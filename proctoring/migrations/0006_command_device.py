import django.db.models.deletion
from django.db import migrations, models

from crm.tenancy import TenantForeignKey

TYPES = [
    "message",
    "announcement",
    "pause",
    "resume",
    "terminate",
    "extra_time",
    "attention",
    "note",
]
NAME = "exam_command_type_known"


def known(types: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(("type__in", types)), name=NAME)


def tightened(types: list[str]) -> str:
    """Anew without a look at the rows, which the old one has let in; they are looked at without a lock on writers."""
    words = ", ".join(f"'{one}'" for one in types)
    return (
        f"alter table proctoring_command drop constraint {NAME},"
        f" add constraint {NAME} check (type in ({words})) not valid;"
        f" alter table proctoring_command validate constraint {NAME}"
    )


class Migration(migrations.Migration):
    """Ending a sitting on one of its devices."""

    dependencies = [("proctoring", "0005_session_devices")]

    operations = [
        migrations.AddField(
            model_name="command",
            name="device",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="proctoring.sessiondevice",
            ),
        ),
        TenantForeignKey("proctoring_command", "device_id", "proctoring_sessiondevice", on_delete="SET NULL"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(tightened([*TYPES, "end_device"]), tightened(TYPES))],
            state_operations=[
                migrations.RemoveConstraint(model_name="command", name=NAME),
                migrations.AddConstraint(model_name="command", constraint=known([*TYPES, "end_device"])),
                migrations.AlterField(
                    model_name="command",
                    name="type",
                    field=models.CharField(
                        choices=[
                            ("message", "Message"),
                            ("announcement", "Announcement"),
                            ("pause", "Pause"),
                            ("resume", "Resume"),
                            ("terminate", "End the session"),
                            ("extra_time", "More time"),
                            ("attention", "Request attention"),
                            ("note", "Private note"),
                            ("end_device", "End on a device"),
                        ],
                        max_length=14,
                    ),
                ),
            ],
        ),
    ]
