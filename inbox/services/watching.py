"""Members who take part in a conversation that is not theirs: they hear of it as if it were.

Who answers in one, or is mentioned in its notes, takes part from then on, until they say they don't.
"""

from collections.abc import Iterable
from typing import TypedDict
from uuid import UUID

from config.errors import Invalid, Said
from config.live.events import signal
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Caller, Member
from crm.models import Member as Membership
from crm.roles import Action, Role, is_allowed
from inbox import topics
from inbox.access import conversation_for
from inbox.models import Conversation, Participant, ParticipantRole
from jobs.compiled import Compiled

MOST = 100
_READERS = [role for role in Role if is_allowed(role, Action.READ_INBOX)]


class ParticipantPayload(TypedDict):
    id: UUID
    name: str


def list_participants(actor: Caller, conversation_id: UUID) -> list[ParticipantPayload]:
    return _shown(conversation_for(actor, conversation_id))


def _shown(conversation: Conversation) -> list[ParticipantPayload]:
    """Who has left the workspace takes part in nothing."""
    members = Membership.objects.filter(
        workspace_id=conversation.workspace_id, role__in=_READERS, user__deactivated_at=None
    )
    rows = Participant.objects.select_related("user").filter(
        conversation=conversation, role=ParticipantRole.WATCHER, user_id__in=members.values("user_id")
    )
    return [{"id": row.user.pk, "name": row.user.display_name} for row in rows.order_by("pk") if row.user]


@unit_of_work
def take_part(*, actor: Caller, conversation_id: UUID, user_id: UUID) -> list[ParticipantPayload]:
    """Oneself, or a colleague who should hear of it, which is for those who may assign."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    _check_may(actor, user_id)
    able = Membership.objects.filter(
        workspace_id=actor.workspace_id, user_id=user_id, role__in=_READERS, user__deactivated_at=None
    )
    if not able.exists():
        raise Invalid(errors={"user": "Not a member who can read conversations here."})
    if Participant.objects.filter(conversation=conversation, role=ParticipantRole.WATCHER).count() >= MOST:
        raise Invalid(errors={"user": Said("At most {most} people.", most=MOST)})
    join_all(conversation, {user_id})
    return _shown(conversation)


@unit_of_work
def stop(*, actor: Caller, conversation_id: UUID, user_id: UUID) -> list[ParticipantPayload]:
    conversation = conversation_for(actor, conversation_id, for_update=True)
    _check_may(actor, user_id)
    rows = Participant.objects.filter(conversation=conversation, user_id=user_id, role=ParticipantRole.WATCHER)
    if rows.delete()[0]:
        _announce(conversation)
    return _shown(conversation)


def _check_may(actor: Caller, user_id: UUID) -> None:
    if not (isinstance(actor, Member) and actor.user_id == user_id):
        check(actor, Action.ASSIGN)


# Asked with every message.
_TAKING_PART = Compiled(
    lambda conversation: (
        Participant.objects.filter(conversation=conversation).exclude(user=None).values_list("user_id")
    ),
    UUID,
)


def join_all(conversation: Conversation, users: Iterable[UUID]) -> None:
    """Inside the unit of work, with the conversation locked. Who is its customer as well stays that."""
    wanted = set(users)
    known = {user_id for (user_id,) in _TAKING_PART.tuples(conversation.pk)} if wanted else set()
    new = sorted(wanted - known)
    if not new:
        return
    Participant.objects.bulk_create(
        [
            Participant(
                workspace_id=conversation.workspace_id,
                conversation=conversation,
                user_id=user_id,
                role=ParticipantRole.WATCHER,
            )
            for user_id in new
        ]
    )
    _announce(conversation)


def _announce(conversation: Conversation) -> None:
    """A signal: whoever opens the conversation asks anyhow, and the line in the thread is not what this is about."""
    shown = [{"id": str(one["id"]), "name": one["name"]} for one in _shown(conversation)]
    signal(topics.conversation(conversation.pk), "participants", {"participants": shown})
