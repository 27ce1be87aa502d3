"""REST of what is done with whole conversations and their contacts: begun, joined, forwarded, printed, blocked."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.actors import Caller
from crm.api.base import StrictSerializer, Text, checked, schema_of
from inbox import queries
from inbox.api.base import InboxView, answer_conversation
from inbox.api.messages import TemplateBody
from inbox.payloads import ChannelLine, MessagePayload, message_payload
from inbox.senders import ATTACHMENTS_AT_MOST
from inbox.services import blocking, forwarding, joining, starting, transcripts
from inbox.services.composing import TemplateChoice


class StartConversationBody(StrictSerializer):
    channel = serializers.CharField(max_length=60, help_text="its slug")
    via = serializers.ChoiceField(["sms", "whatsapp"], required=False)
    client_id = serializers.UUIDField()
    body = Text(trim_whitespace=False, allow_blank=True, default="")
    attachments = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=ATTACHMENTS_AT_MOST
    )
    template = TemplateBody(required=False, allow_null=True, default=None)


class ContactWrite(InboxView):
    @extend_schema(
        operation_id="write_to_contact",
        request=StartConversationBody,
        responses={201: schema_of(MessagePayload), 200: schema_of(MessagePayload)},
    )
    def post(self, request: Request, workspace: str, contact: UUID) -> Response:
        """We write first, in one step: the message, in the conversation on that channel that is open, or reopened, or
        new. Where it cannot go (409 `window_closed`: only a template can) nothing is left behind."""
        given = checked(StartConversationBody(data=request.data))
        template = given.pop("template")
        message, created = starting.start_conversation(
            actor=self.actor(request),
            contact_id=contact,
            template=TemplateChoice(**template) if template else None,
            **given,
        )
        answer = message_payload(message, message.conversation.contact.display_name, message.conversation.contact_id)
        return Response(answer, status=201 if created else 200)


class RoadPayload(TypedDict):
    channel: ChannelLine
    via: str
    address: str
    conversation: UUID | None
    is_open: bool
    can: str


class RoadListPayload(TypedDict):
    results: list[RoadPayload]


class ContactRoads(InboxView):
    @extend_schema(operation_id="list_contact_channels", responses={200: schema_of(RoadListPayload)})
    def get(self, request: Request, workspace: str, contact: UUID) -> Response:
        """The channels that reach them, the best first. `can`: `reply`, or `send_template` where a window is closed."""
        return Response({"results": [_road(one) for one in starting.roads_to(self.actor(request), contact)]})


def _road(road: starting.Road) -> RoadPayload:
    channel = road.channel
    return {
        "channel": {"id": channel.pk, "name": channel.name, "slug": channel.slug, "kind": channel.kind},
        "via": road.via,
        "address": road.address,
        "conversation": road.conversation.pk if road.conversation else None,
        "is_open": road.is_open,
        "can": "reply" if road.window_open else "send_template",
    }


class BlockBody(StrictSerializer):
    blocked = serializers.BooleanField()


class BlockPayload(TypedDict):
    blocked: bool
    blocked_at: datetime | None


class ContactBlock(InboxView):
    @extend_schema(operation_id="block_contact", request=BlockBody, responses={200: schema_of(BlockPayload)})
    def post(self, request: Request, workspace: str, contact: UUID) -> Response:
        """What a blocked contact writes is kept with their spam, wakes nobody and counts as nothing."""
        blocked = checked(BlockBody(data=request.data))["blocked"]
        changed = blocking.block_contact(actor=self.actor(request), contact_id=contact, blocked=blocked)
        return Response({"blocked": changed.blocked_at is not None, "blocked_at": changed.blocked_at})

    @extend_schema(operation_id="get_contact_block", responses={200: schema_of(BlockPayload)})
    def get(self, request: Request, workspace: str, contact: UUID) -> Response:
        at = blocking.blocked_at(self.actor(request), contact)
        return Response({"blocked": at is not None, "blocked_at": at})


class MergeConversationBody(StrictSerializer):
    conversation = serializers.UUIDField(help_text="becomes part of this one")


class ConversationMerge(InboxView):
    @extend_schema(
        operation_id="merge_conversations",
        request=MergeConversationBody,
        responses={200: schema_of(queries.ConversationDetailPayload)},
    )
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """Of one contact on one channel, else 409 `cannot_merge`. Its address leads here from then on (301)."""
        actor, other = self.actor(request), checked(MergeConversationBody(data=request.data))["conversation"]
        merged = joining.merge_conversations(actor=actor, conversation_id=conversation, other_id=other)
        return answer_conversation(actor, merged)


class ForwardBody(StrictSerializer):
    conversation = serializers.UUIDField(help_text="where it goes")
    client_id = serializers.UUIDField()


class MessageForward(InboxView):
    @extend_schema(
        operation_id="forward_message",
        request=ForwardBody,
        responses={201: schema_of(MessagePayload), 200: schema_of(MessagePayload)},
    )
    def post(self, request: Request, workspace: str, conversation: UUID, message: UUID) -> Response:
        """Words and files, into another conversation, as one's own message. The same `client_id` again is the same."""
        given = checked(ForwardBody(data=request.data))
        sent, created = forwarding.forward_message(
            actor=self.actor(request),
            conversation_id=conversation,
            message_id=message,
            to=given["conversation"],
            client_id=given["client_id"],
        )
        answer = message_payload(sent, sent.conversation.contact.display_name, sent.conversation.contact_id)
        return Response(answer, status=201 if created else 200)


_WITH_NOTES = OpenApiParameter("notes", bool, description="private notes as well")


class TextTranscript(InboxView):
    @extend_schema(
        operation_id="get_text_transcript",
        parameters=[_WITH_NOTES],
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request, workspace: str, conversation: UUID) -> HttpResponse:
        """The thread as a file, times by the workspace's clock; the newest 5,000 messages."""
        content = "".join(transcripts.as_text(_transcript(self.actor(request), request, conversation)))
        return _file(content, "text/plain; charset=utf-8", f"conversation-{conversation}.txt")


class PdfTranscript(InboxView):
    @extend_schema(
        operation_id="get_pdf_transcript",
        parameters=[_WITH_NOTES],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, workspace: str, conversation: UUID) -> HttpResponse:
        """The thread as a file to print, times by the workspace's clock; the newest 5,000 messages."""
        content = transcripts.as_pdf(_transcript(self.actor(request), request, conversation))
        return _file(content, "application/pdf", f"conversation-{conversation}.pdf")


def _transcript(actor: Caller, request: Request, conversation: UUID) -> transcripts.Transcript:
    return transcripts.transcript_of(actor, conversation, notes=request.query_params.get("notes") == "true")


def _file(content: str | bytes, content_type: str, name: str) -> HttpResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(content, content_type=content_type, headers=headers)
