"""A message goes on into another conversation, words and files, as one's own."""

from typing import IO, cast
from uuid import UUID

from config.errors import Invalid
from crm.access import check
from crm.actors import Caller
from crm.roles import Action
from inbox.access import conversation_for, message_for
from inbox.models import Attachment, AttachmentState, Message
from inbox.services.attachments import open_attachment, upload
from inbox.services.messages import send_message
from inbox.states import Direction


def forward_message(
    *, actor: Caller, conversation_id: UUID, message_id: UUID, to: UUID, client_id: UUID
) -> tuple[Message, bool]:
    """Not a unit of work: files are copied in between, so that each conversation has its own and loses it alone.

    Private notes stay where they are.
    """
    message = message_for(actor, conversation_for(actor, conversation_id), message_id)
    conversation_for(actor, to)
    check(actor, Action.REPLY)
    if message.direction not in {Direction.IN, Direction.OUT} or message.type == "reaction":
        raise Invalid(errors={"message": "Only what went in or out can be forwarded."})
    known = Message.objects.filter(workspace_id=actor.workspace_id, client_id=client_id).first()
    if known is not None and known.conversation_id == to and known.detail.get("forwarded") == str(message.pk):
        return known, False
    files = list(message.attachments.order_by("position"))
    if any(one.state != AttachmentState.STORED for one in files):
        raise Invalid(errors={"message": "A file of it is not here."})
    copies = [_copy(actor, one) for one in files]
    if not copies and not message.body.strip():
        raise Invalid(errors={"message": "There are no words in it to forward."})
    return send_message(
        actor=actor,
        conversation_id=to,
        client_id=client_id,
        body=message.body,
        attachments=[one.pk for one in copies],
        forwarded=message.pk,
    )


def _copy(actor: Caller, file: Attachment) -> Attachment:
    with open_attachment(file) as content:
        return upload(
            actor=actor,
            content=cast(IO[bytes], content),
            size=file.size or content.size,
            name=file.name,
            declared=file.content_type,
            kind=file.kind,
        )
