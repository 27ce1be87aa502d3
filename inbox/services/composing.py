"""What a member wants to send, checked and cut into messages as the channel takes them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from config.errors import Invalid, Said
from crm.actors import Caller
from inbox.access import message_for
from inbox.errors import BodyTooLong, ChannelCannotSend, OptedOut, WindowClosed
from inbox.models import Attachment, AttachmentState, Conversation, Message
from inbox.opt_outs import is_opted_out
from inbox.senders import ATTACHMENTS_AT_MOST, CAPTIONED, NOTE_LIMIT, Limits, can_send, limits_of, sent_as
from inbox.services.templates import fill, usable_templates
from inbox.states import Direction

REACTION_LIMIT = 40  # characters: one emoji may be a family of many


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    name: str
    language: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A send as it was asked for."""

    body: str = ""
    type: str = "text"
    reply_to: UUID | None = None
    attachments: Sequence[UUID] = ()
    template: TemplateChoice | None = None
    note: bool = False

    @property
    def direction(self) -> Direction:
        return Direction.NOTE if self.note else Direction.OUT

    @property
    def request_hash(self) -> str:
        """By which the same request is known again; plain text is compared by its words and needs none."""
        if self.type == "text" and not (self.reply_to or self.attachments or self.template):
            return ""
        template = self.template
        chosen = [template.name, template.language, sorted(template.variables.items())] if template else []
        asked = [self.type, self.body, str(self.reply_to or ""), [str(pk) for pk in self.attachments], chosen]
        return hashlib.sha256(orjson.dumps(asked)).hexdigest()


@dataclass(slots=True)
class Part:
    """One message."""

    type: str
    body: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Composed:
    parts: list[Part]
    reply_to: Message | None


def compose(actor: Caller, conversation: Conversation, wanted: Wanted) -> Composed:
    """The conversation is locked. Refuses, with the reason, whatever the provider would refuse."""
    _check_shape(wanted)
    limits = limits_of(conversation.channel.kind, conversation.peer_address)
    if not wanted.note:
        check_can_send(conversation, is_template=wanted.type == "template")
    reply_to = _reply_to(actor, conversation, wanted, limits)
    return Composed(_parts(actor, conversation, wanted, limits, reply_to), reply_to)


def check_can_send(conversation: Conversation, *, is_template: bool) -> None:
    channel = conversation.channel
    if not can_send(channel.kind) or not channel.is_active:
        raise ChannelCannotSend
    if is_opted_out(conversation):
        raise OptedOut
    if not is_template and not conversation.window.open:
        raise WindowClosed(closes_at=conversation.window.closes_at, templates=usable_templates(channel.pk))


def _check_shape(wanted: Wanted) -> None:
    errors = {}
    if wanted.type == "text" and not wanted.attachments and not wanted.body.strip():
        errors["body"] = "Write something first."
    if (wanted.type == "template") != (wanted.template is not None):
        errors["template"] = "A message of the type template needs a template, and no other takes one."
    if wanted.type == "reaction" and wanted.reply_to is None:
        errors["reply_to"] = "Say which message this is a reaction to."
    if wanted.type not in {"text", "template", "reaction"} and not wanted.attachments:
        errors["attachments"] = "Upload a file first and give its id."
    if wanted.attachments and (wanted.note or wanted.type in {"template", "reaction"}):
        errors["attachments"] = "Files go out with a reply only."
    if len(wanted.attachments) > ATTACHMENTS_AT_MOST:
        errors["attachments"] = Said("At most {most} files at once.", most=ATTACHMENTS_AT_MOST)
    if len(set(wanted.attachments)) != len(wanted.attachments):
        errors["attachments"] = "A file is named twice."
    if wanted.note and wanted.type != "text":
        errors["type"] = "A note is text."
    if errors:
        raise Invalid(errors=errors)


def _reply_to(actor: Caller, conversation: Conversation, wanted: Wanted, limits: Limits) -> Message | None:
    if wanted.type == "reaction" and not limits.reactions:
        raise Invalid(errors={"type": "This channel has no reactions."})
    if wanted.reply_to is None:
        return None
    message = message_for(actor, conversation, wanted.reply_to)
    if message.direction not in {Direction.IN, Direction.OUT} and not wanted.note:
        raise Invalid(errors={"reply_to": "The customer has not seen that message."})
    if wanted.type == "reaction" and not message.provider_id:
        raise Invalid(errors={"reply_to": "The provider does not have that message yet."})
    return message


def _parts(
    actor: Caller, conversation: Conversation, wanted: Wanted, limits: Limits, reply_to: Message | None
) -> list[Part]:
    if wanted.template is not None:
        filled = fill(
            channel=conversation.channel,
            name=wanted.template.name,
            language=wanted.template.language,
            given=wanted.template.variables,
        )
        return [Part("template", filled.text, detail={"template": filled.detail})]
    if wanted.type == "reaction" and reply_to is not None:
        emoji = wanted.body.strip()
        _check_length(emoji, REACTION_LIMIT)
        return [Part("reaction", emoji, detail={"reaction": {"message_id": reply_to.provider_id, "emoji": emoji}})]
    if not wanted.attachments:
        _check_length(wanted.body, NOTE_LIMIT if wanted.note else limits.body)
        return [Part("text", wanted.body)]
    return _files(_attachments(actor, wanted), wanted, limits)


def _check_length(body: str, limit: int) -> None:
    if len(body) > limit:
        raise BodyTooLong(Said("At most {most} characters fit.", most=f"{limit:,}"), limit=limit)


def _attachments(actor: Caller, wanted: Wanted) -> list[Attachment]:
    """One's own uploads that nothing has been sent with yet, in the order they were named."""
    rows = Attachment.objects.select_for_update(no_key=True).filter(
        workspace_id=actor.workspace_id,
        pk__in=wanted.attachments,
        message=None,
        uploaded_by_id=actor.user_id,
        state=AttachmentState.STORED,
    )
    found = {row.pk: row for row in rows.order_by("pk")}
    if len(found) != len(wanted.attachments):
        raise Invalid(errors={"attachments": "A file is not there, or was sent before. Upload it again."})
    return [found[pk] for pk in wanted.attachments]


def _files(attachments: list[Attachment], wanted: Wanted, limits: Limits) -> list[Part]:
    """As many messages as the channel needs. The words go with the first file that can carry them, else before all."""
    parts: list[Part] = []
    for attachment in attachments:
        kind = _kind(attachment, wanted.type, limits)
        if parts and len(parts[-1].attachments) < limits.media_per_message:
            parts[-1].attachments.append(attachment)
        else:
            parts.append(Part(kind, attachments=[attachment]))
    body = wanted.body.strip() and wanted.body
    if not body:
        return parts
    if len(body) <= limits.caption and (parts[0].type in CAPTIONED or limits.media_per_message > 1):
        parts[0].body = body
        return parts
    _check_length(body, limits.body)
    return [Part("text", body), *parts]


def _kind(attachment: Attachment, wanted: str, limits: Limits) -> str:
    asked = "document" if wanted == "document" else attachment.kind
    content_type, size = attachment.content_type.lower(), attachment.size or 0
    kind = sent_as(limits, asked, content_type, size)
    if kind is None:
        most = max(limits.sizes.get(asked, 0), limits.sizes.get("document", 0)) // (1024 * 1024)
        raise Invalid(
            errors={"attachments": f"{attachment.name or 'A file'} cannot be sent here: at most {most} MB are taken."}
        )
    return kind
