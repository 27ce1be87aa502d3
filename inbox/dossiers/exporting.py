"""A contact's conversations as the person may read them. The team's private notes are of them, so they are in it."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from crm.dossier import Row, StoredFile
from inbox.models import Attachment, AttachmentState, Conversation, Message, OptOut, PlannedMessage, Visitor
from inbox.states import PLANNED_SHOWN

BATCH = 500


def conversations(contact_ids: Sequence[UUID]) -> Iterable[Row]:
    rows = Conversation.objects.filter(contact_id__in=contact_ids).select_related("channel").order_by("pk")
    for conversation in rows.defer("channel__credentials").iterator(chunk_size=BATCH):
        yield {
            "id": conversation.pk,
            "channel": conversation.channel.slug,
            "scope": conversation.scope,
            "status": conversation.status,
            "peer_address": conversation.peer_address,
            "opted_out": list(
                OptOut.objects.filter(
                    channel=conversation.channel, address__in=_spellings(conversation.peer_address)
                ).values("sender", "opted_out_at", "opted_in_at")
            ),
            "rating": conversation.rating,
            "rating_comment": conversation.rating_comment,
            "created_at": conversation.created_at,
            "deleted_at": conversation.deleted_at,
            "messages": _messages(conversation.pk),
            "planned": _planned(conversation.pk),
        }


def _messages(conversation_id: UUID) -> Iterable[Row]:
    rows = Message.objects.filter(conversation_id=conversation_id).select_related("sender_user")
    for message in rows.prefetch_related("attachments").order_by("pk").iterator(chunk_size=BATCH):
        yield {
            "id": message.pk,
            "direction": message.direction,
            "sender": message.sender_kind,
            "sender_name": message.sender_user.display_name if message.sender_user else "",
            "type": message.type,
            "body": message.body,
            "detail": message.detail,
            "status": message.status,
            "provider_id": message.provider_id,
            "created_at": message.created_at,
            "edited_at": message.edited_at,
            "deleted_at": message.deleted_at,
            "files": [_file_name(file) for file in message.attachments.all()],
        }


def _planned(conversation_id: UUID) -> Iterable[Row]:
    """What is still to go out to them. What has gone is among the messages."""
    rows = PlannedMessage.objects.filter(conversation_id=conversation_id, state__in=PLANNED_SHOWN)
    for planned in rows.select_related("user").order_by("send_at", "pk"):
        yield {
            "id": planned.pk,
            "sender_name": planned.user.display_name if planned.user else "",
            "body": planned.body,
            "send_at": planned.send_at,
            "status": planned.state,
            "created_at": planned.created_at,
        }


def files(contact_ids: Sequence[UUID]) -> Iterable[StoredFile]:
    rows = Attachment.objects.filter(message__conversation__contact_id__in=contact_ids, state=AttachmentState.STORED)
    for file in rows.order_by("pk").iterator(chunk_size=BATCH):
        yield StoredFile(_file_name(file), file.storage_name)


def _file_name(file: Attachment) -> str:
    """The id makes it the only one of its name; of the sender's name only what no archive program trips over."""
    safe = "".join(letter if letter.isalnum() or letter in "._- " else "_" for letter in file.name)[-100:]
    return f"files/{file.pk}-{safe or file.kind}"


def visitors(contact_ids: Sequence[UUID]) -> Iterable[Row]:
    told = ("id", "name", "email", "external_id", "answers", "page_url", "language", "last_seen_at", "created_at")
    for visitor in Visitor.objects.filter(contact_id__in=contact_ids).order_by("pk").values(*told):
        yield dict(visitor)


def _spellings(address: str) -> list[str]:
    prefix, _, number = address.rpartition(":")
    start = f"{prefix}:" if prefix else ""
    bare = number.lstrip("+")
    return [f"{start}{bare}", f"{start}+{bare}"]
