"""Replies that go out later. Until then they can be taken back; what the customer writes meanwhile holds them back, so
that a person reads it first."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from config.errors import DomainError, Invalid, NotFound
from config.live.unit import unit_of_work
from crm.access import check, member_of
from crm.actors import Member, System
from crm.roles import Action
from inbox.access import conversation_for
from inbox.errors import AlreadySent, ClientIdReused, ConversationChanged, WindowShutsBefore
from inbox.events import announce_conversation, announce_planned
from inbox.models import Conversation, Message, PlannedMessage
from inbox.queries import message_of_client, planned_state, with_lines
from inbox.services import notices
from inbox.services.composing import Wanted, compose
from inbox.services.messages import send_message
from inbox.services.snoozing import LONGEST
from inbox.services.templates import usable_templates
from inbox.states import PLANNED_SHOWN, Direction, PlannedState
from jobs.models import Job
from jobs.payloads import JSON
from jobs.queue import enqueue

SEND = "inbox.send_planned"
KEY = "planned:"
AT_ONCE = 200


@unit_of_work
def plan_message(
    *, actor: Member, conversation_id: UUID, client_id: UUID, body: str, send_at: datetime
) -> tuple[PlannedMessage, bool]:
    """It, and whether this call made it. Refused for whatever sending it now would be, and where the window shuts
    before its time."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.REPLY)
    wanted = (conversation.pk, actor.user_id, body, send_at)
    known = PlannedMessage.objects.select_related("user").filter(workspace_id=actor.workspace_id, client_id=client_id)
    for planned in known:
        words = planned.body if planned.state in PLANNED_SHOWN else body
        if (planned.conversation_id, planned.user_id, words, planned.send_at) != wanted:
            raise ClientIdReused
        return planned, False
    if message_of_client(actor.workspace_id, client_id) is not None:
        raise ClientIdReused
    now = timezone.now()
    if not now < send_at <= now + LONGEST:
        raise Invalid(errors={"send_at": "A time that is to come, within a year."})
    compose(actor, conversation, Wanted(body))
    closes_at = conversation.window.closes_at
    if closes_at is not None and send_at >= closes_at:
        raise WindowShutsBefore(closes_at=closes_at, templates=usable_templates(conversation.channel_id))
    planned = PlannedMessage.objects.create(
        workspace_id=actor.workspace_id,
        conversation=conversation,
        user_id=actor.user_id,
        client_id=client_id,
        body=body,
        send_at=send_at,
    )
    _tell(planned)
    return planned, True


@unit_of_work
def take_back(*, actor: Member, conversation_id: UUID, planned_id: UUID) -> None:
    """By whoever may answer there. AlreadySent when it has gone out."""
    planned = _planned_for(actor, conversation_id, planned_id)
    if planned.state == PlannedState.SENT:
        raise AlreadySent
    if planned.state != PlannedState.TAKEN_BACK:
        _settle(planned, PlannedState.TAKEN_BACK)


@unit_of_work
def send_now(*, actor: Member, conversation_id: UUID, planned_id: UUID) -> Message:
    """By whoever may answer there, in their own name, whatever held it back."""
    planned = _planned_for(actor, conversation_id, planned_id)
    if planned.state == PlannedState.SENT:
        message = message_of_client(actor.workspace_id, planned.client_id)
        if message is not None:
            return message
    if planned.state not in PLANNED_SHOWN:
        raise NotFound
    message, _ = send_message(
        actor=actor,
        conversation_id=conversation_id,
        client_id=planned.client_id,
        body=planned.body,
        keeps_draft=True,
    )
    _settle(planned, PlannedState.SENT)
    return message


def _planned_for(actor: Member, conversation_id: UUID, planned_id: UUID) -> PlannedMessage:
    """Locked, after its conversation, as whoever writes there does."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.REPLY)
    planned = _locked(planned_id, conversation.pk)
    if planned is None:
        raise NotFound
    return planned


def _locked(planned_id: UUID, conversation_id: UUID) -> PlannedMessage | None:
    rows = PlannedMessage.objects.select_related("user").select_for_update(of=("self",), no_key=True)
    return rows.filter(pk=planned_id, conversation_id=conversation_id).first()


def _settle(planned: PlannedMessage, state: PlannedState, *, code: str = "", reason: str = "") -> None:
    planned.state, planned.error_code, planned.error_message = state, code, reason[:500]
    if state not in PLANNED_SHOWN:
        planned.body = ""  # it stands in the message, or nowhere
    planned.save(update_fields=["state", "error_code", "error_message", "body", "updated_at"])
    _tell(planned)


def _tell(planned: PlannedMessage) -> None:
    """The open thread, and, where its row of the list says something else now, all that show it."""
    announce_planned(planned)
    conversation = with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=planned.conversation_id)
    state = planned_state(conversation.pk)
    if conversation.planned_state != state:
        conversation.planned_state = state
        conversation.save(update_fields=["planned_state", "updated_at"])
        if conversation.deleted_at is None:
            announce_conversation(conversation)


# --- When its time has come -------------------------------------------------------------------------------------


def send_due() -> Mapping[str, JSON]:
    """Asks for each that is due; the job looks again under the lock."""
    due = PlannedMessage.objects.filter(state=PlannedState.WAITING, send_at__lte=timezone.now())
    # What was asked for and failed is in the outbox, and shall not stand before the others
    key = Concat(Value(KEY), Cast(OuterRef("pk"), TextField()))
    due = due.exclude(Exists(Job.objects.filter(key=key)))
    rows = list(due.order_by("send_at", "pk").values_list("pk", "workspace_id")[:AT_ONCE])
    for pk, workspace_id in rows:
        _enqueue(pk, workspace_id)
    return {"due": len(rows)}


@unit_of_work
def _enqueue(pk: UUID, workspace_id: UUID) -> None:
    enqueue(SEND, key=f"{KEY}{pk}", lane="", workspace_id=workspace_id, payload={"planned_id": str(pk)})


@unit_of_work
def send_planned(*, planned_id: UUID) -> bool:
    """False when there was nothing to send any more, or when a person has to decide."""
    conversation_id = PlannedMessage.objects.filter(pk=planned_id).values_list("conversation_id", flat=True).first()
    if conversation_id is None:  # erased with its contact
        return False
    Conversation.objects.select_for_update(of=("self",), no_key=True).get(pk=conversation_id)
    planned = _locked(planned_id, conversation_id)
    if planned is None:  # the conversation became part of another in that moment
        return send_planned(planned_id=planned_id)
    if planned.state != PlannedState.WAITING or planned.send_at > timezone.now():
        return False
    try:
        with transaction.atomic():
            _send(planned)
    except DomainError as refused:
        _hold(planned, refused)
        return False
    _settle(planned, PlannedState.SENT)
    return True


def _send(planned: PlannedMessage) -> None:
    """In the name of who wrote it, with the rights that they have by now."""
    if planned.user_id is None:
        raise NotFound
    author = member_of(planned.user_id, planned.workspace_id)
    since = Message.objects.filter(
        conversation_id=planned.conversation_id,
        direction=Direction.IN,
        deleted_at=None,
        created_at__gt=planned.created_at,
    )
    if since.exclude(type="reaction").exists():
        raise ConversationChanged
    send_message(
        actor=author,
        conversation_id=planned.conversation_id,
        client_id=planned.client_id,
        body=planned.body,
        keeps_draft=True,
    )


def _hold(planned: PlannedMessage, refused: DomainError) -> None:
    _settle(planned, PlannedState.HELD, code=refused.code, reason=str(refused))
    conversation = with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=planned.conversation_id)
    if conversation.deleted_at is None:
        notices.tell_held(System(planned.workspace_id, "planned"), conversation, planned.user_id)
