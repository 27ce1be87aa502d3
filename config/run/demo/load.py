"""Writes the demo in one transaction: all of it or nothing, and nothing when it is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.db.models.expressions import DatabaseDefault
from django.utils import timezone

from config.run.demo.boards import QUIZ_CODE, create_board
from config.run.demo.desk import create_desk
from config.run.demo.dossiers import create_dossiers
from config.run.demo.exams import SLUG, create_exam
from config.run.demo.featured import featured_files, featured_threads
from config.run.demo.files import KeptFile, drop_files, keep_files
from config.run.demo.guard import has_demo_data
from config.run.demo.outbox import create_outbox
from config.run.demo.people import DEMO, ELSEWHERE, PASSWORD, USERS, WORKSPACES, DemoWorkspace
from config.run.demo.persons import Crowd
from config.run.demo.rows import Maker, Rows
from config.run.demo.templates import demo_templates
from config.run.demo.threads import Thread, demo_threads, elsewhere_threads
from crm.ids import uuid7_at
from crm.issuer.accounts import create_account
from crm.models import Contact, ContactIdentity, IssuerAccount, Member, User, UserIdentity, Workspace
from inbox.models import (
    Attachment,
    Channel,
    Conversation,
    ConversationLabel,
    ConversationReader,
    Label,
    Message,
    MessageTemplate,
)
from proctoring.models import Exam, Leaderboard

SEED = 20
# Older than the oldest conversation: what came before a member joined counts as read.
SINCE = timedelta(days=900)

M = TypeVar("M", bound=models.Model)


class NameTaken(Exception):
    """Somebody's own workspace, channel, exam or board has a name that the demo needs."""


@dataclass(frozen=True, slots=True)
class Loaded:
    contacts: int
    conversations: int
    messages: int


def load() -> Loaded | None:
    """None when the demo is there already. Raises NameTaken."""
    if has_demo_data():
        return None
    now, rng = timezone.now(), Random(SEED)  # noqa: S311 - the same stories in every copy
    crowd = Crowd(rng)
    told = (
        (DEMO, featured_threads(now, rng, crowd) + demo_threads(now, rng, crowd)),
        (ELSEWHERE, elsewhere_threads(now, rng, crowd)),
    )
    files = keep_files(featured_files(), DEMO.id)
    try:
        with transaction.atomic():
            _check_names()
            _create_users(now)
            _create_accounts()
            made = [_create_workspace(workspace, threads, now, rng, files) for workspace, threads in told]
            create_dossiers(now)
            create_desk()
            create_board(now)
            create_exam(now)
            create_outbox(now)
            _analyze()
    except BaseException:
        drop_files(files)
        raise
    return Loaded(*(sum(map(len, part)) for part in zip(*made, strict=True)))


def _check_names() -> None:
    taken = [
        *Workspace.objects.filter(slug__in=[workspace.slug for workspace in WORKSPACES]).values_list("slug", flat=True),
        *Channel.objects.filter(
            slug__in=[channel.slug for workspace in WORKSPACES for channel in workspace.channels]
        ).values_list("slug", flat=True),
        *Exam.objects.filter(slug=SLUG).values_list("slug", flat=True),
        *Leaderboard.objects.filter(quiz_code__iexact=QUIZ_CODE).values_list("quiz_code", flat=True),
    ]
    if taken:
        raise NameTaken(", ".join(sorted(taken)))


def _create_users(now: datetime) -> None:
    """A token from before a purge may have brought a user back: that row is taken over."""
    User.objects.bulk_create(
        [User(id=user.id, email=user.email, name=user.name) for user in USERS.values()],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["email", "name"],
    )
    User.objects.filter(pk__in=[user.id for user in USERS.values()]).update(created_at=now - SINCE)
    UserIdentity.objects.bulk_create(
        [UserIdentity(user_id=user.id, provider="supabase", subject=str(user.id)) for user in USERS.values()],
        ignore_conflicts=True,
    )


def _create_accounts() -> None:
    """The password is hashed once for all: it is public anyway, and hashing is slow on purpose."""
    IssuerAccount.objects.filter(user_id__in=[user.id for user in USERS.values()]).delete()
    first, *others = USERS.values()
    account = create_account(first.id, first.email, PASSWORD, first.name)
    IssuerAccount.objects.bulk_create(
        [
            IssuerAccount(
                user_id=user.id,
                email=user.email,
                password=account.password,
                metadata={**account.metadata, "full_name": user.name},
                confirmed_at=account.confirmed_at,
            )
            for user in others
        ]
    )


def _create_workspace(
    of: DemoWorkspace, threads: list[Thread], now: datetime, rng: Random, files: Mapping[str, KeptFile]
) -> tuple[list[object], ...]:
    since = now - SINCE
    _copy(Workspace, [Workspace(id=of.id, slug=of.slug, name=of.name, created_at=since)])
    _copy(
        Member,
        [
            Member(id=uuid7_at(since), workspace_id=of.id, user_id=USERS[key].id, role=role, created_at=since)
            for key, role in of.members.items()
        ],
    )
    channels = _create_channels(of, since)
    labels = {
        name: Label(id=uuid7_at(since), workspace_id=of.id, name=name, hue=hue) for name, hue in of.labels.items()
    }
    _copy(Label, list(labels.values()))
    maker = Maker(of, channels, labels, now, rng, files)
    maker.add(threads)
    _write(maker.rows)
    return [*maker.rows.contacts], [*maker.rows.conversations], [*maker.rows.messages]


def _create_channels(of: DemoWorkspace, since: datetime) -> dict[str, Channel]:
    channels = {
        channel.slug: Channel(
            id=uuid7_at(since),
            workspace_id=of.id,
            slug=channel.slug,
            kind=channel.kind,
            name=channel.name,
            identifier=channel.identifier,
            phone=channel.phone,
            credentials=channel.credentials,
            settings=channel.settings,
            created_at=since,
        )
        for channel in of.channels
    }
    _copy(Channel, list(channels.values()))
    _copy(MessageTemplate, demo_templates(of.id, list(channels.values()), since))
    return channels


def _write(rows: Rows) -> None:
    _copy(Contact, rows.contacts)
    _copy(ContactIdentity, rows.identities)
    with connection.cursor() as cursor:  # a conversation names its last message, which comes after it
        cursor.execute("set constraints inbox_conversation_last_message_id_same_workspace deferred")
    _copy(Conversation, rows.conversations)
    _copy(Message, rows.messages)
    _copy(Attachment, rows.attachments)
    _copy(ConversationReader, rows.readers)
    _copy(ConversationLabel, rows.labels)


def _copy(model: type[M], rows: Sequence[M]) -> None:
    """As they are, where the ORM would set every `auto_now` to now; and several times as fast."""
    fields = [field for field in model._meta.concrete_fields if not _is_left_out(field, rows)]
    columns = ", ".join(connection.ops.quote_name(field.attname) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor, cursor.copy(f"copy {table} ({columns}) from stdin") as copy:
        for row in rows:
            copy.write_row([_value(field, getattr(row, field.attname)) for field in fields])


def _is_left_out(field: "models.Field[Any, Any]", rows: Sequence[models.Model]) -> bool:
    """What the database fills in by itself."""
    if isinstance(field, models.AutoField):
        return True
    return bool(rows) and all(isinstance(getattr(row, field.attname), DatabaseDefault) for row in rows)


def _analyze() -> None:
    """Until Postgres has counted, it plans as if the tables were empty."""
    tables = (model._meta.db_table for model in (Contact, ContactIdentity, Conversation, Message, ConversationReader))
    with connection.cursor() as cursor:
        cursor.execute(f"analyze {', '.join(map(connection.ops.quote_name, tables))}")


def _value(field: "models.Field[Any, Any]", value: object) -> object:
    return field.get_db_prep_save(value, connection) if isinstance(value, dict | list) else value
