"""The files of a message, as its provider takes them: uploaded there, or by an address it can fetch them from."""

from uuid import UUID

from inbox.clients.outgoing import Client, Kind, Media, Outgoing, Upload
from inbox.models import Attachment, Message
from inbox.services.attachments import open_attachment, provider_url


def ready(client: Client, message_id: UUID, kind: str) -> tuple[Media, ...]:
    """Uploads what is not there yet. May be repeated: a second upload costs only time."""
    attachments = Attachment.objects.filter(message_id=message_id).order_by("position")
    return tuple(_media(client, attachment, kind) for attachment in attachments)


def known(message_id: UUID, outgoing: Outgoing) -> tuple[Media, ...]:
    """For a look-up, which must not upload again: by the ids the files have over there."""
    if outgoing.kind != Kind.MEDIA:
        return ()
    message = Message.objects.only("type").get(pk=message_id)
    attachments = Attachment.objects.filter(message_id=message_id).order_by("position")
    return tuple(Media(kind=message.type, media_id=attachment.provider_media_id) for attachment in attachments)


def _media(client: Client, attachment: Attachment, kind: str) -> Media:
    if client.by_link:
        return Media(kind=kind, link=provider_url(attachment), name=attachment.name)
    return Media(kind=kind, media_id=attachment.provider_media_id or _upload(client, attachment), name=attachment.name)


def _upload(client: Client, attachment: Attachment) -> str:
    with open_attachment(attachment) as file:
        media_id = client.upload(
            Upload(
                chunks=lambda: iter(lambda: file.read(1 << 16), b""),
                size=attachment.size or file.size,
                content_type=attachment.content_type,
                name=attachment.name,
            )
        )
    Attachment.objects.filter(pk=attachment.pk).update(provider_media_id=media_id)
    return media_id
