"""Takes the demo out again: its workspaces with all that anybody did in them, and the people with public passwords."""

from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models

from config.live.identity import publish_access_change
from config.live.unit import on_commit, unit_of_work
from config.run.demo.boards import QUIZ_CODE
from config.run.demo.exams import SLUG as EXAM
from config.run.demo.people import USERS, WORKSPACES
from crm.models import IssuerAccount, User, Workspace
from inbox import storage
from inbox.models import Attachment, ChannelPace
from proctoring import topics
from proctoring.models import LeaderboardTally

# Topics of a workspace bear its name; all others bear the id of what they are about.
NAMED_TOPICS = ("inbox", "workspace", "presence.workspace")


@dataclass(frozen=True, slots=True)
class Purged:
    workspaces: int
    users: int


@unit_of_work
def purge() -> Purged:
    """Open sockets of the demo's people are closed. Finds nothing to do when run again."""
    workspaces = [workspace.id for workspace in WORKSPACES]
    with connection.cursor() as cursor:
        cursor.execute("set constraints all deferred")  # so that the order of the tables does not matter
    ids = [user.id for user in USERS.values()]
    gone: list[UUID] = [*ids]
    _forget_attempts(workspaces)
    ChannelPace.objects.filter(
        channel__workspace_id__in=workspaces
    ).delete()  # the one table that knows its channel alone
    files = list(
        Attachment.objects.filter(workspace_id__in=workspaces)
        .exclude(storage_name="")
        .values_list("storage_name", flat=True)
    )
    on_commit(lambda: _remove(files))
    for model in _tenant_models():
        gone += _delete(model, workspaces)
    LeaderboardTally.objects.filter(board_id__in=gone).delete()  # counted by triggers, and bound to nothing
    found = Workspace.objects.filter(pk__in=workspaces)
    count = found.count()
    found.delete()
    _forget_topics(gone)
    for user_id in User.objects.filter(pk__in=ids).values_list("pk", flat=True):
        publish_access_change(f"user:{user_id}")
    _, deleted = User.objects.filter(pk__in=ids).delete()
    IssuerAccount.objects.filter(user_id__in=ids).delete()
    return Purged(workspaces=count, users=deleted.get(User._meta.label, 0))


def _remove(files: list[str]) -> None:
    for name in files:
        storage.remove(name)


def _forget_attempts(workspaces: list[UUID]) -> None:
    """Notes on tries name their job and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from job_attempt where job_id in (select id from job where workspace_id = any(%s))", [workspaces]
        )


def _tenant_models() -> list[type[models.Model]]:
    """Every table with a workspace column, so that one added later is not forgotten."""
    return [model for model in apps.get_models() if _workspace_column(model) and model._meta.managed]


def _workspace_column(model: type[models.Model]) -> str:
    for name in ("workspace", "workspace_id"):
        try:
            return str(model._meta.get_field(name).column)  # type: ignore[union-attr]
        except FieldDoesNotExist:
            continue
    return ""


def _delete(model: type[models.Model], workspaces: list[UUID]) -> list[UUID]:
    """Past the ORM, which would load every row to follow its relations. Answers the ids of what went."""
    quote = connection.ops.quote_name
    table, column, key = quote(model._meta.db_table), quote(_workspace_column(model)), quote(model._meta.pk.attname)
    with connection.cursor() as cursor:
        cursor.execute(
            f"delete from {table} where {column} = any(%s) returning {key}",  # noqa: S608 - names of our own models
            [workspaces],
        )
        return [row[0] for row in cursor.fetchall() if isinstance(row[0], UUID)]


def _forget_topics(gone: list[UUID]) -> None:
    """What was told of them: numbers begin anew, and a reader from before is told to load the snapshot."""
    named = [f"{prefix}.{workspace.slug}" for prefix in NAMED_TOPICS for workspace in WORKSPACES]
    named += [topics.leaderboard(QUIZ_CODE), topics.exam(EXAM), topics.presence(EXAM)]
    about = [str(one) for one in gone]
    with connection.cursor() as cursor:
        cursor.execute(
            "with doomed as (delete from live_topic where name = any(%s)"
            " or substring(name from '[^.]+$') = any(%s) returning name)"
            " delete from live_event using doomed where topic = doomed.name",
            [named, about],
        )
