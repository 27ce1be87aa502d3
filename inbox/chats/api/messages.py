"""What is written in a chat: words and files, how far they got, and that somebody is writing."""

from typing import Any, TypedDict
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from config.parsers import JSONParser
from crm.api.base import PAGING, Text, checked, read, schema_of
from crm.paging import link, read_limit
from inbox import links
from inbox.chats import pace, queries
from inbox.chats.access import attachment_for, chat_for
from inbox.chats.api.base import ChatView
from inbox.chats.events import is_chat
from inbox.chats.payloads import ChatMessagePayload, chat_message_payload
from inbox.errors import NotStored
from inbox.media import REDIRECT_SECONDS, AnyAnswer
from inbox.models import AttachmentState, Conversation
from inbox.queries import LivePayload
from inbox.services.chats import reading, typing, writing
from inbox.services.chats.writing import Kept, Words


class ChatWriteBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    type = serializers.ChoiceField(["text"], default="text")
    body = Text(trim_whitespace=False, allow_blank=True, required=False, default="")


class ChatUploadBody(ChatWriteBody):
    files = serializers.ListField(child=serializers.FileField(), required=False)


class ThreadPayload(TypedDict):
    results: list[ChatMessagePayload]
    next: str | None
    previous: str | None
    live: LivePayload


class ChatMessages(ChatView):
    parser_classes = (JSONParser, MultiPartParser)

    @extend_schema(operation_id="list_chat_messages", parameters=PAGING, responses={200: schema_of(ThreadPayload)})
    def get(self, request: Request, chat: UUID) -> Response:
        """Newest first; `next` goes to older ones. What is fetched counts as delivered."""
        guest, query = self.guest(request), request.query_params
        conversation = chat_for(guest, chat)
        reading.mark_delivered(guest=guest, conversation=conversation)
        live = queries.get_live(chat)
        found = queries.list_messages(conversation, cursor=query.get("cursor"), limit=read_limit(query.get("limit")))
        again = {"limit": query["limit"]} if "limit" in query else {}
        return Response(
            {
                "results": [chat_message_payload(message, conversation) for message in found.rows],
                "next": link(request.path, again, found.next),
                "previous": link(request.path, again, found.previous),
                "live": live,
            }
        )

    @extend_schema(
        operation_id="write_chat_message",
        request={"application/json": ChatWriteBody, "multipart/form-data": ChatUploadBody},
        responses={201: schema_of(ChatMessagePayload), 200: schema_of(ChatMessagePayload)},
    )
    def post(self, request: Request, chat: UUID) -> Response:
        """Words, files, or both. The same client_id again is the same message (200). An ended chat is open again."""
        guest = self.guest(request)
        given = read(ChatWriteBody, request.data)
        uploads = request.FILES.getlist("files") if hasattr(request.FILES, "getlist") else []
        pace.take_message(guest, files=len(uploads))
        writing.check_words(given["body"], files=len(uploads))
        kept = _keep(chat_for(guest, chat), uploads) if uploads else []
        used = False
        try:
            words = Words(given["client_id"], given["body"], kept)
            message, used = writing.write_message(guest=guest, chat_id=chat, words=words)
        finally:
            if not used:
                writing.drop(kept)
        shown = message.conversation if used else chat_for(guest, chat)
        return Response(chat_message_payload(message, shown), status=201 if used else 200)


def _takes_files(conversation: Conversation) -> bool:
    return is_chat(conversation) and conversation.channel.settings.get("files", True) is not False


def _keep(conversation: Conversation, uploads: list[Any]) -> list[Kept]:
    """All or none: what lies in the storage already goes again when a later one is refused."""
    if not _takes_files(conversation):
        raise Invalid(errors={"files": "Files cannot be sent here."})
    kept: list[Kept] = []
    try:
        for file in uploads:
            declared = file.content_type or ""
            one = writing.keep_file(
                conversation.workspace_id, file, size=file.size or 0, name=file.name or "", declared=declared
            )
            kept += [one]
    except BaseException:
        writing.drop(kept)
        raise
    return kept


class ChatReadBody(serializers.Serializer[Any]):
    up_to = serializers.UUIDField(required=False, allow_null=True, default=None)
    delivered = serializers.BooleanField(required=False, default=False, help_text="Only there, not looked at yet.")


class ChatRead(ChatView):
    @extend_schema(operation_id="read_chat", request=ChatReadBody, responses={204: None})
    def post(self, request: Request, chat: UUID) -> Response:
        """Everything of ours has been read, or what is not newer than the message `up_to`."""
        guest = self.guest(request)
        given = checked(ChatReadBody(data=request.data or {}))
        if given["delivered"]:
            reading.mark_delivered(guest=guest, conversation=chat_for(guest, chat))
        else:
            reading.mark_read(guest=guest, chat_id=chat, up_to=given["up_to"])
        return Response(status=204)


class ChatTyping(ChatView):
    @extend_schema(operation_id="type_in_chat", request=None, responses={204: None})
    def post(self, request: Request, chat: UUID) -> Response:
        """Tells the other side that one is writing; for those without a socket."""
        guest = self.guest(request)
        pace.take_typing(guest)
        typing.tell_typing(guest=guest, chat_id=chat)
        return Response(status=204)


class ChatAttachment(ChatView):
    content_negotiation_class = AnyAnswer

    @extend_schema(
        operation_id="get_chat_attachment",
        parameters=[OpenApiParameter("download", bool, description="To keep rather than to look at.")],
        responses={302: None},
    )
    def get(self, request: Request, chat: UUID, attachment: UUID) -> HttpResponse:
        """Sends on to a link that works by itself for a quarter of an hour."""
        found = attachment_for(self.guest(request), chat, attachment)
        if found.state != AttachmentState.STORED:
            raise NotStored(state=found.state)
        answer = HttpResponseRedirect(
            links.reader_path(found.pk) + ("?download=1" if "download" in request.query_params else "")
        )
        answer["Cache-Control"] = f"private, max-age={REDIRECT_SECONDS}"
        return answer
