"""A customer writes in a chat. Nothing of ours depends on the file or the words being well meant."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.errors import Conflict, Invalid, Said
from config.live.unit import unit_of_work
from crm.actors import Guest, Visitor
from crm.search import vector_of
from crm.services.contacts import Sender
from inbox import storage
from inbox.chats.access import chat_for, check_open
from inbox.errors import AnotherIsOpen, BodyTooLong, ClientIdReused, WrongFile
from inbox.models import Attachment, AttachmentState, Conversation, Message
from inbox.queries import message_of_client
from inbox.senders import WIDGET
from inbox.services.attachments import looked_at
from inbox.services.chats.keepers import keeper_of
from inbox.services.inbound import REOPENED, Incoming, settle
from inbox.states import ConversationStatus, Direction, MessageStatus, Scope, SenderKind
from jobs import rows

FILES_AT_MOST = 5
FILE_BYTES = 25 * 1024 * 1024
_NOBODY = Sender()  # a chat knows its contact


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that lies in the storage already."""

    storage_name: str
    name: str
    content_type: str
    kind: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Words:
    client_id: UUID
    body: str = ""
    files: Sequence[Kept] = ()

    @property
    def digest(self) -> str:
        """By which the same message is known again when it has files."""
        if not self.files:
            return ""
        parts = [self.body, *(file.sha256 for file in self.files)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check_words(body: str, *, files: int = 0) -> None:
    if not body.strip() and not files:
        raise Invalid(errors={"body": "Write something first."})
    if len(body) > WIDGET.body:
        raise BodyTooLong(Said("At most {most} characters fit.", most=f"{WIDGET.body:,}"), limit=WIDGET.body)
    if "\x00" in body:
        raise Invalid(errors={"body": "Null characters are not text."})
    if files > FILES_AT_MOST:
        raise Invalid(errors={"files": Said("At most {most} files at once.", most=FILES_AT_MOST)})


def keep_file(guest_workspace: UUID, content: IO[bytes], *, size: int, name: str, declared: str) -> Kept:
    """Outside of any transaction: it may call the network. Whoever does not use it in the end calls `drop`."""
    if size > FILE_BYTES:
        raise WrongFile(errors={"files": Said("At most {most} MB can be sent.", most=FILE_BYTES // 1024 // 1024)})
    content_type, kind = looked_at(content, size, name, declared)
    sha256 = storage.digest(content)
    return Kept(storage.keep(content, guest_workspace), name[-255:], content_type, kind, size, sha256)


def drop(files: Sequence[Kept]) -> None:
    for file in files:
        with suppress(OSError):
            storage.remove(file.storage_name)


@unit_of_work
def write_message(*, guest: Guest, chat_id: UUID, words: Words) -> tuple[Message, bool]:
    """The message, and whether this call made it. The same client_id again is the same message. What was ended is open
    again: a person who writes wants an answer."""
    if not isinstance(guest, Visitor):
        conversation = chat_for(guest, chat_id)
        keeper = keeper_of(conversation)
        if keeper is not None:
            if words.files:
                raise Invalid(errors={"files": "Files cannot be sent here."})
            return keeper.write(guest, conversation, words.client_id, words.body)
    conversation = chat_for(guest, chat_id, for_update=True)
    if conversation.scope != Scope.SUPPORT:
        raise Conflict("Nobody is in this room.")
    check_open(conversation.channel)
    return _write(guest, conversation, words, opened=False)


def write_first(*, guest: Guest, conversation: Conversation, words: Words, opened: bool) -> Message:
    """Inside the unit of work that has begun the chat, whose row is locked."""
    return _write(guest, conversation, words, opened=opened)[0]


def _write(guest: Guest, conversation: Conversation, words: Words, *, opened: bool) -> tuple[Message, bool]:
    check_words(words.body, files=len(words.files))
    message = _create(guest, conversation, words)
    if message is None:
        return _known(guest, conversation, words), False
    now = timezone.now()
    incoming = Incoming(
        sender=_NOBODY,
        provider_id="",
        at=now,
        type=message.type,
        body=words.body,
        peer_address=conversation.peer_address,
        received_at=now,
    )
    if conversation.status not in REOPENED:  # it is the open one itself
        settle(conversation, message, incoming, opened=opened)
        return message, True
    try:
        with transaction.atomic():
            settle(conversation, message, incoming, opened=opened)
    except IntegrityError:
        raise AnotherIsOpen(conversation=_open_one(conversation)) from None
    return message, True


def _known(guest: Guest, conversation: Conversation, words: Words) -> Message:
    """Written before, by the same client; else ClientIdReused, also where it is being written elsewhere."""
    known = message_of_client(conversation.workspace_id, words.client_id)
    if known is None or not _is_same(known, guest, conversation, words):
        raise ClientIdReused
    return known


def _is_same(known: Message, guest: Guest, conversation: Conversation, words: Words) -> bool:
    return (
        (known.conversation_id, known.direction, known.sender_user_id)
        == (conversation.pk, Direction.IN, _user_id(guest))
        and known.body == words.body
        and known.detail.get("files", "") == words.digest
    )


def _create(guest: Guest, conversation: Conversation, words: Words) -> Message | None:
    """None when this client has given this id to a message before."""
    detail: dict[str, Any] = {"files": words.digest} if words.files else {}
    message = Message(
        workspace_id=conversation.workspace_id,
        conversation=conversation,
        channel_id=conversation.channel_id,
        direction=Direction.IN,
        sender_kind=SenderKind.CONTACT,
        sender_user_id=_user_id(guest),
        type=words.files[0].kind if words.files else "text",
        body=words.body,
        search=vector_of(words.body),
        detail=detail,
        client_id=words.client_id,
        status=MessageStatus.RECEIVED,
    )
    if not rows.insert(message):
        return None
    files = [
        Attachment(
            workspace_id=message.workspace_id,
            workspace=conversation.channel.workspace,
            message=message,
            position=position,
            kind=file.kind,
            name=file.name,
            content_type=file.content_type,
            size=file.size,
            sha256=file.sha256,
            storage_name=file.storage_name,
            state=AttachmentState.STORED,
        )
        for position, file in enumerate(words.files)
    ]
    message.known_files(Attachment.objects.bulk_create(files) if files else [])
    return message


def _user_id(guest: Guest) -> UUID | None:
    return None if isinstance(guest, Visitor) else guest.user_id


def _open_one(conversation: Conversation) -> UUID | None:
    found = Conversation.objects.filter(
        channel_id=conversation.channel_id, contact_id=conversation.contact_id, scope=conversation.scope
    )
    found = found.filter(deleted_at=None, merged_into=None).exclude(status=ConversationStatus.RESOLVED)
    return found.exclude(pk=conversation.pk).values_list("pk", flat=True).first()
