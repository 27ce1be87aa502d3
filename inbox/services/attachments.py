"""Files of messages: fetched from their provider by a job of their own, so that no text waits for one; uploaded by
members; handed to those who may have them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import IO
from uuid import UUID

from django.core.files import File
from django.utils import timezone

from config.errors import Said, TooMany
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Caller
from crm.roles import Action
from inbox import links, storage
from inbox.access import conversation_for, message_for
from inbox.errors import NotFailed, NotStored, WrongFile
from inbox.events import announce_message
from inbox.filetypes import HEAD, KINDS, content_type_of, is_dangerous, kind_of
from inbox.models import Attachment, AttachmentState, Message
from inbox.storage import digest
from jobs.payloads import JSON
from jobs.queue import enqueue

FETCH = "inbox.fetch_attachment"
UPLOAD_BYTES = 100 * 1024 * 1024
# Of one member, uploaded and not sent: more is not how people write.
UNSENT_AT_MOST = 100
UNSENT_BYTES_AT_MOST = 1024 * 1024 * 1024
UNSENT_COUNTED = timedelta(hours=1)
UNSENT_KEPT = timedelta(days=1)
CLEARED_AT_ONCE = 500


def enqueue_fetch(attachment: Attachment) -> None:
    """Once per attachment and attempt. Inside the transaction that makes the attachment."""
    enqueue(
        FETCH,
        key=f"media:{attachment.pk}:{attachment.fetch_attempt}",
        lane="",
        workspace_id=attachment.workspace_id,
        payload={"attachment_id": str(attachment.pk), "attempt": attachment.fetch_attempt},
    )


def provider_url(attachment: Attachment) -> str:
    """Works without signing in for a few hours: a provider fetches from it what we send."""
    return links.provider_link(attachment.pk)


def open_attachment(attachment: Attachment) -> "File[bytes]":
    """To be closed by the caller. May call the network, so never inside a transaction."""
    if attachment.state != AttachmentState.STORED:
        raise NotStored
    return storage.open_file(attachment.storage_name)


@unit_of_work
def retry_fetch(*, actor: Caller, conversation_id: UUID, message_id: UUID, attachment_id: UUID) -> Message:
    """A person asks for a file once more that could not be fetched."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.REPLY)
    message = message_for(actor, conversation, message_id)
    attachment = message.attachments.select_for_update(no_key=True).filter(pk=attachment_id).first()
    if attachment is None or attachment.state != AttachmentState.FAILED:
        raise NotFailed
    attachment.state = AttachmentState.PENDING
    attachment.fetch_attempt += 1
    attachment.error_code = attachment.error_message = ""
    attachment.save(update_fields=["state", "fetch_attempt", "error_code", "error_message"])
    enqueue_fetch(attachment)
    announce_message(message, conversation)
    return message


# --- Uploads ------------------------------------------------------------------------------------------------


def upload(*, actor: Caller, content: IO[bytes], size: int, name: str, declared: str, kind: str = "") -> Attachment:
    """Kept until it is sent, for a day at most. Not a unit of work: the file goes to the storage in between."""
    check(actor, Action.REPLY)
    _check_unsent(actor, size)
    content_type, kind = looked_at(content, size, name, declared, kind)
    sha256 = digest(content)
    stored = storage.keep(content, actor.workspace_id)
    try:
        return Attachment.objects.create(
            workspace_id=actor.workspace_id,
            uploaded_by_id=actor.user_id,
            kind=kind,
            name=name[-255:],
            content_type=content_type,
            size=size,
            sha256=sha256,
            storage_name=stored,
            state=AttachmentState.STORED,
        )
    except BaseException:
        storage.remove(stored)
        raise


def _check_unsent(actor: Caller, size: int) -> None:
    """By what lies in the table, so that it holds for every process alike."""
    since = timezone.now() - UNSENT_COUNTED
    unsent = Attachment.objects.filter(message=None, created_at__gt=since, uploaded_by_id=actor.user_id)
    sizes = [one or 0 for one in unsent.values_list("size", flat=True)]
    if len(sizes) >= UNSENT_AT_MOST or sum(sizes) + size > UNSENT_BYTES_AT_MOST:
        raise TooMany("Too many files that were not sent. Send some of them first.", retry_after=60)


def looked_at(content: IO[bytes], size: int, name: str, declared: str, kind: str = "") -> tuple[str, str]:
    """What it is, and as what it will be shown; WrongFile with the reason when it cannot be taken."""
    content.seek(0)
    head = content.read(HEAD)
    if not head or not size:
        raise WrongFile(errors={"file": "The file is empty."})
    if size > UPLOAD_BYTES:
        raise WrongFile(errors={"file": Said("At most {most} MB can be sent.", most=UPLOAD_BYTES // 1024 // 1024)})
    if is_dangerous(head):
        raise WrongFile(errors={"file": "Programs and web pages cannot be sent."})
    content_type = content_type_of(head, declared=declared, name=name)
    if kind not in ("", *KINDS):
        raise WrongFile(errors={"kind": Said("One of: {choices}.", choices=", ".join(KINDS))})
    if kind and kind_of(content_type, kind) != kind:
        raise WrongFile(errors={"file": Said("This is not of the kind {kind}.", kind=kind)})
    return content_type, kind or kind_of(content_type)


def clear_unsent() -> Mapping[str, JSON]:
    """Uploads that nobody sent. The row goes first: a file without one harms nobody, a row without its file does."""
    removed = 0
    while names := _take_unsent():
        for name in names:
            storage.remove(name)
        removed += len(names)
    return {"removed": removed}


@unit_of_work
def _take_unsent() -> list[str]:
    old = Attachment.objects.filter(message=None, created_at__lt=timezone.now() - UNSENT_KEPT)
    rows = list(
        old.select_for_update(skip_locked=True, no_key=True).values_list("pk", "storage_name")[:CLEARED_AT_ONCE]
    )
    Attachment.objects.filter(pk__in=[pk for pk, _ in rows]).delete()
    return [name for _, name in rows]
