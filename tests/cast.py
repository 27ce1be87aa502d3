"""The standing cast, named as the demo data. Every test makes its own: a workspace of its own keeps tests apart."""

import itertools
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from crm.access import member_for
from crm.actors import Member as MemberActor
from crm.actors import System
from crm.ids import uuid7
from crm.models import Member, User, UserIdentity, Workspace
from crm.phones import from_international
from crm.roles import Role
from crm.services.contacts import Sender
from inbox.models import Channel, Conversation
from inbox.services.inbound import Incoming, receive_message
from inbox.states import ChannelKind

KAPSO_SECRET = "test-kapso-secret"
_number = itertools.count(1)


def unique(word: str) -> str:
    return f"{word}-{os.getpid()}-{next(_number)}"


@dataclass
class Cast:
    """Ada owns, Ben and Bea are on the team, Tia tutors, Vic only reads, Sam sits the exam, Cleo is a stranger."""

    workspace: Workspace
    elsewhere: Workspace
    channel: Channel
    ada: User
    ben: User
    bea: User
    tia: User
    vic: User
    sam: User
    cleo: User

    def actor(self, user: User, workspace: Workspace | None = None) -> MemberActor:
        return member_for(user.pk, (workspace or self.workspace).slug)

    @property
    def system(self) -> System:
        return System(self.workspace.pk, "test")


def make_user(name: str) -> User:
    return make_users(name)[0]


def make_users(*names: str) -> list[User]:
    """In two statements: nearly every test begins with some."""
    users = [User(pk=uuid7(), name=name.title(), email=f"{unique(name)}@demo.example") for name in names]
    User.objects.bulk_create(users)
    UserIdentity.objects.bulk_create(
        UserIdentity(user=user, provider="supabase", subject=str(user.pk)) for user in users
    )
    return users


def make_workspace(word: str) -> Workspace:
    slug = unique(word)
    return Workspace.objects.create(slug=slug, name=slug.title())


def make_channel(workspace: Workspace, kind: ChannelKind = ChannelKind.KAPSO) -> Channel:
    return Channel.objects.create(
        workspace=workspace,
        slug=unique(f"{kind.value}"),
        kind=kind,
        name="Reception",
        identifier="100000000000001",
        phone="+15550100001",
        credentials={"api_key": "test-kapso-key", "webhook_secrets": [KAPSO_SECRET], "verify_tokens": ["test-verify"]},
    )


def make_cast() -> Cast:
    names = ("ada", "ben", "bea", "tia", "vic", "sam", "cleo")
    workspace, elsewhere = make_workspace("demo"), make_workspace("elsewhere")
    people = dict(zip(names, make_users(*names), strict=True))
    roles = {"ada": Role.OWNER, "ben": Role.AGENT, "bea": Role.AGENT, "tia": Role.TUTOR, "vic": Role.VIEWER}
    members = [Member(workspace=workspace, user=people[name], role=role) for name, role in roles.items()]
    Member.objects.bulk_create([*members, Member(workspace=elsewhere, user=people["cleo"], role=Role.OWNER)])
    return Cast(workspace=workspace, elsewhere=elsewhere, channel=make_channel(workspace), **people)


def sender(number: str = "", name: str = "Lucía") -> Sender:
    digits = number or f"34600{next(_number):06d}"
    return Sender(name=name, phone=from_international(digits), whatsapp=digits)


def incoming(
    body: str = "Hola", *, who: Sender | None = None, at: datetime | None = None, **fields: object
) -> Incoming:
    who = who or sender()
    values: dict[str, object] = {
        "sender": who,
        "provider_id": unique("wamid"),
        "at": at or datetime.now(UTC),
        "received_at": datetime.now(UTC),
        "type": "text",
        "body": body,
        "peer_address": who.whatsapp or who.bsuid,
        **fields,
    }
    return Incoming(**values)  # type: ignore[arg-type]


def receive(cast: Cast, body: str = "Hola", *, channel: Channel | None = None, **fields: object) -> Conversation:
    """A customer wrote; the conversation it went into."""
    channel = Channel.objects.select_related("workspace").get(pk=(channel or cast.channel).pk)
    message = receive_message(
        actor=System(channel.workspace_id, "test"),
        channel=channel,
        incoming=incoming(body, **fields),  # type: ignore[arg-type]
    )
    assert message is not None
    return Conversation.objects.get(pk=message.conversation_id)


def long_ago(**delta: float) -> datetime:
    return datetime.now(UTC) - timedelta(**delta)


def new_id() -> UUID:
    return uuid7()
