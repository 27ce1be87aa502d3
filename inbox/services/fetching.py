"""The job that brings a customer's file from the provider into our storage."""

import tempfile
from dataclasses import dataclass, field
from typing import IO
from uuid import UUID

from django.db.models import QuerySet

from config.live.unit import unit_of_work
from inbox import storage
from inbox.clients import media
from inbox.clients.twilio import TwilioClient
from inbox.events import announce_message
from inbox.filetypes import HEAD, content_type_of, kind_of
from inbox.models import Attachment, AttachmentState, Channel, Conversation, Message
from inbox.states import ChannelKind
from jobs.errors import ProviderError
from jobs.tasks import RunningJob

# What a person reads under a file that did not come; other codes carry such a sentence themselves.
REASONS = {
    "too_large": f"It is larger than {media.MAX_BYTES // 1024 // 1024} MB.",
    "timeout": "The provider did not hand it out in time.",
    "connect": "The provider could not be reached.",
    "dns": "The provider could not be reached.",
    "dropped": "The provider broke off the download.",
    "unreadable": "The provider broke off the download.",
    "not_json": "The provider's answer could not be read.",
    "redirects": "Its address leads nowhere.",
    "bad_url": "Its address leads nowhere.",
    "refused_address": "Its address leads into a private network.",
    "worker_died": "Fetching it was interrupted.",
}
PLAIN = "It could not be fetched."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a download needs, read before it: no transaction is open meanwhile."""

    attachment_id: UUID
    workspace_id: UUID
    channel: Channel
    url: str = field(repr=False)
    media_id: str
    kind: str
    name: str
    declared: str


@dataclass(frozen=True, slots=True)
class Kept:
    storage_name: str
    content_type: str
    kind: str
    size: int
    sha256: str


def fetch(*, job: RunningJob, attachment_id: UUID, attempt: int) -> None:
    """May run twice: the second run finds the file stored, or brings it again under another name."""
    wanted = _wanted(attachment_id, attempt)
    if wanted is None:
        return
    with tempfile.TemporaryFile() as content:
        _download(wanted, content)
        kept = _keep(wanted, content)
    try:
        with job.completing(result={"size": kept.size}):
            _mark_stored(attachment_id, attempt, kept)
    except BaseException:
        storage.remove(kept.storage_name)  # nobody points to it
        raise


def _wanted(attachment_id: UUID, attempt: int) -> Wanted | None:
    found = _unstored(attachment_id, attempt)
    attachment = found.select_related("message__channel").first()
    if attachment is None or attachment.message is None:
        return None
    return Wanted(
        attachment_id=attachment.pk,
        workspace_id=attachment.workspace_id,
        channel=attachment.message.channel,
        url=(attachment.source or {}).get("url", ""),
        media_id=attachment.provider_media_id,
        kind=attachment.kind,
        name=attachment.name,
        declared=attachment.content_type,
    )


def _download(wanted: Wanted, content: IO[bytes]) -> None:
    channel = wanted.channel
    if channel.kind == ChannelKind.KAPSO:
        media.fetch_kapso(
            url=wanted.url,
            media_id=wanted.media_id,
            api_key=channel.credentials.get("api_key", ""),
            phone_number_id=channel.identifier,
            into=content,
        )
    elif channel.kind == ChannelKind.TWILIO:
        account = TwilioClient.of(channel)
        media.fetch_twilio(url=wanted.url, user=account.user, password=account.password, into=content)
    else:
        raise ProviderError("This channel brings no files.", permanent=True, code="no_files")
    if not content.tell():
        raise ProviderError("The provider sent an empty file.", permanent=False, code="empty")


def _keep(wanted: Wanted, content: IO[bytes]) -> Kept:
    size = content.seek(0, 2)
    content.seek(0)
    content_type = content_type_of(content.read(HEAD), declared=wanted.declared, name=wanted.name)
    return Kept(
        content_type=content_type,
        kind=kind_of(content_type, wanted.kind),
        size=size,
        sha256=storage.digest(content),
        storage_name=storage.keep(content, wanted.workspace_id),
    )


def _mark_stored(attachment_id: UUID, attempt: int, kept: Kept) -> None:
    changed = _unstored(attachment_id, attempt).update(
        state=AttachmentState.STORED,
        storage_name=kept.storage_name,
        content_type=kept.content_type,
        kind=kept.kind,
        size=kept.size,
        sha256=kept.sha256,
        source=None,  # of no use any more, and a secret
        error_code="",
        error_message="",
    )
    if not changed:
        raise ProviderError("Somebody else fetched it meanwhile.", permanent=True, code="fetched_elsewhere")
    _announce(attachment_id)


@unit_of_work
def mark_failed(*, attachment_id: UUID, attempt: int, code: str, reason: str) -> None:
    """The last attempt is over; a person may try again."""
    changed = _unstored(attachment_id, attempt).update(
        state=AttachmentState.FAILED,
        error_code=code[:60],
        error_message=(REASONS.get(code) or reason or PLAIN)[:300],
    )
    if changed:
        _announce(attachment_id)


def _unstored(attachment_id: UUID, attempt: int) -> QuerySet[Attachment]:
    """One that was given up counts too: a person who looks at the jobs may have the same job try again."""
    found = Attachment.objects.filter(pk=attachment_id, fetch_attempt=attempt)
    return found.exclude(state=AttachmentState.STORED)


def _announce(attachment_id: UUID) -> None:
    found = Message.objects.filter(attachments=attachment_id, deleted_at=None)
    message = found.select_related("sender_user").first()
    if message is None:
        return
    conversation = Conversation.objects.select_related("contact").get(pk=message.conversation_id)
    announce_message(message, conversation)
