"""A chat ends, by its customer here or by an agent in the inbox; how it was, and its transcript by mail."""

from uuid import UUID

from django.utils import timezone

from config.errors import Conflict, Invalid, Said
from config.live.unit import unit_of_work
from crm.actors import Guest, System, Visitor
from inbox.activity_words import ENDED, RATED, RATED_WITH
from inbox.chats.access import chat_for
from inbox.events import announce_conversation
from inbox.models import Conversation
from inbox.models import Visitor as VisitorRow
from inbox.services.activity import add_line
from inbox.services.archiving import archive_conversation
from inbox.services.chats.visitors import SOURCE
from inbox.states import ConversationStatus, Scope
from jobs.queue import enqueue

MAIL_TASK = "inbox.mail_transcript"


class NotEnded(Conflict):
    code = "chat_not_ended"
    message = "This chat has not ended."


@unit_of_work
def end_chat(*, guest: Guest, chat_id: UUID) -> Conversation:
    """Ended twice is ended."""
    conversation = _support(guest, chat_id)
    if conversation.status == ConversationStatus.RESOLVED:
        return conversation
    before, conversation.status = conversation.status, ConversationStatus.RESOLVED
    conversation.resolved_at = timezone.now()
    conversation.waiting_since = conversation.snoozed_until = None
    conversation.save(update_fields=["status", "resolved_at", "waiting_since", "snoozed_until", "updated_at"])
    detail = {"status": conversation.status, "before": before, "until": None}
    add_line(System(conversation.workspace_id, SOURCE), conversation, "resolved", Said(ENDED), detail)
    announce_conversation(conversation)
    archive_conversation(conversation)
    return conversation


@unit_of_work
def rate_chat(*, guest: Guest, chat_id: UUID, rating: int, comment: str = "") -> Conversation:
    """The last word counts, and the team reads each in the thread. The same word again is no news."""
    conversation = _support(guest, chat_id)
    if conversation.status != ConversationStatus.RESOLVED:
        raise NotEnded
    said = rating, comment.strip()[:2000]
    if said == (conversation.rating, conversation.rating_comment):
        return conversation
    conversation.rating, conversation.rating_comment = said
    conversation.save(update_fields=["rating", "rating_comment", "updated_at"])
    detail = {"rating": rating, "comment": conversation.rating_comment}
    body = Said(RATED_WITH if conversation.rating_comment else RATED, **detail)
    add_line(System(conversation.workspace_id, SOURCE), conversation, "rated", body, detail)
    announce_conversation(conversation)
    return conversation


def _support(guest: Guest, chat_id: UUID) -> Conversation:
    conversation = chat_for(guest, chat_id, for_update=True)
    if conversation.scope != Scope.SUPPORT:
        raise Conflict("This room ends with its exam.")
    return conversation


@unit_of_work
def request_transcript(*, guest: Guest, chat_id: UUID, request_id: UUID) -> None:
    """To the address that the customer has given of themselves, and to no other: nobody sends mail through us."""
    conversation = _support(guest, chat_id)
    if not address_of(guest, conversation):
        raise Invalid(errors={"email": "Give an e-mail address first."})
    payload = {"conversation_id": str(chat_id), "visitor_id": "", "user_id": ""}
    if isinstance(guest, Visitor):
        payload["visitor_id"] = str(guest.visitor_id)
    else:
        payload["user_id"] = str(guest.user_id)
    enqueue(
        MAIL_TASK,
        key=f"transcript:{chat_id}:{request_id}",
        lane="",
        workspace_id=conversation.workspace_id,
        payload=payload,
    )


def address_of(guest: Guest, conversation: Conversation) -> str:
    if isinstance(guest, Visitor):
        return VisitorRow.objects.values_list("email", flat=True).get(pk=guest.visitor_id)
    return guest.email or conversation.contact.email
