"""A chat begins: the one that is open, or a new one."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.live.unit import unit_of_work
from crm.actors import Guest, System, Visitor
from crm.models import Contact, IdentityKind
from crm.services.contacts import guest_contact
from inbox.chats.access import chat_for, participants_of, visible_chats
from inbox.events import announce_conversation
from inbox.models import Channel, Conversation, Participant, ParticipantRole
from inbox.models import Visitor as VisitorRow
from inbox.services.activity import add_line
from inbox.services.chats.visitors import SOURCE, contact_of_visitor
from inbox.services.chats.writing import Words, write_first
from inbox.states import ConversationStatus, Scope


@unit_of_work
def start_chat(
    *, guest: Guest, channel: Channel, client_id: UUID | None = None, words: Words | None = None
) -> tuple[Conversation, bool]:
    """The chat, and whether this call made it. The same client_id again is the same chat, even when that has ended.

    `channel` comes with its workspace. `words`: what is written first.
    """
    contact = _contact(guest, channel)
    known = _started(guest, client_id)
    if known is not None:
        if words is not None:
            write_first(guest=guest, conversation=known, words=words, opened=False)
        return known, False
    conversation, created = _open_one(channel, contact)
    _take_part(guest, conversation, client_id)
    if created:
        _tell_answers(guest, conversation)
    if words is not None:
        write_first(guest=guest, conversation=conversation, words=words, opened=created)
    elif created:
        announce_conversation(conversation, created=True)
    return conversation, created


def _contact(guest: Guest, channel: Channel) -> Contact:
    if isinstance(guest, Visitor):
        return contact_of_visitor(guest.visitor_id)
    contact = guest_contact(
        actor=System(channel.workspace_id, SOURCE),
        key=(IdentityKind.USER, str(guest.user_id)),
        name=guest.name,
        email=guest.email,
    )
    return Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)  # one start at a time


def _started(guest: Guest, client_id: UUID | None) -> Conversation | None:
    if client_id is None:
        return None
    found = participants_of(guest).filter(started_with=client_id).values_list("conversation_id", flat=True).first()
    if found is None or not visible_chats(guest).filter(pk=found).exists():
        return None
    return chat_for(guest, found, for_update=True)


def _open_one(channel: Channel, contact: Contact) -> tuple[Conversation, bool]:
    for _ in range(3):
        rows = Conversation.objects.select_for_update(of=("self",), no_key=True).select_related("assignee")
        found = (
            rows.filter(channel=channel, contact=contact, scope=Scope.SUPPORT, deleted_at=None, merged_into=None)
            .exclude(status=ConversationStatus.RESOLVED)
            .first()
        )
        if found is not None:
            found.channel, found.contact = channel, contact
            return found, False
        try:
            with transaction.atomic():
                opened = Conversation.objects.create(
                    workspace_id=channel.workspace_id,
                    channel=channel,
                    contact=contact,
                    last_activity_at=timezone.now(),
                )
        except IntegrityError:
            continue  # opened at the same moment from another browser
        return opened.known_labels([]), True
    raise RuntimeError("the conversation keeps being opened by somebody else")


def _tell_answers(guest: Guest, conversation: Conversation) -> None:
    """The page it began on and what was asked before, as its first line. For us alone; there before all else."""
    if not isinstance(guest, Visitor):
        return
    answers, page_url = VisitorRow.objects.values_list("answers", "page_url").get(pk=guest.visitor_id)
    lines = [f"{question}: {answer}" for question, answer in answers.items() if answer]
    body = " · ".join([*lines, page_url] if page_url else lines)
    if not body:
        return
    detail = {"answers": answers, "page_url": page_url}
    add_line(System(conversation.workspace_id, SOURCE), conversation, "asked", body, detail)


def _take_part(guest: Guest, conversation: Conversation, client_id: UUID | None) -> None:
    known = participants_of(guest).filter(conversation=conversation).first()
    if known is not None:
        if client_id is not None and known.started_with is None:
            known.started_with = client_id
            known.save(update_fields=["started_with"])
        return
    if isinstance(guest, Visitor):
        who = {"role": ParticipantRole.VISITOR, "visitor_id": guest.visitor_id}
    else:
        who = {"role": ParticipantRole.CUSTOMER, "user_id": guest.user_id}
    Participant.objects.create(
        workspace_id=conversation.workspace_id, conversation=conversation, started_with=client_id, **who
    )
