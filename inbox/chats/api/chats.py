"""One's own chats: begin, list, end, say how it was, have them mailed."""

from typing import Any
from uuid import UUID, uuid4

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import NotFound
from crm.actors import Visitor
from crm.api.base import PAGING, Text, checked, page_schema, schema_of
from crm.identity.addresses import source
from crm.paging import link, read_limit
from inbox.chats import pace, queries
from inbox.chats.access import chat_for, widget_for
from inbox.chats.api.base import ChatView
from inbox.chats.queries import OwnChatPayload
from inbox.chats.widgets import check_origin
from inbox.services.chats import ending, starting, writing
from inbox.services.chats.writing import Words


class ChatStartBody(serializers.Serializer[Any]):
    channel = serializers.SlugField(max_length=60)
    client_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    body = Text(trim_whitespace=False, required=False, allow_blank=True, default="")
    message_client_id = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Of the first message; client_id where it is left out."
    )


class StateQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["waiting", "active", "ended"], required=False)
    status = serializers.ChoiceField(["open", "resolved", "waiting", "active", "ended"], required=False)
    channel = serializers.SlugField(max_length=60, required=False)


class ChatList(ChatView):
    @extend_schema(
        operation_id="list_chats", parameters=[StateQuery, *PAGING], responses={200: page_schema(OwnChatPayload)}
    )
    def get(self, request: Request) -> Response:
        """One's own chats, newest first: waiting (nobody's yet), active, ended."""
        query = request.query_params
        given = checked(StateQuery(data=query))
        found = queries.list_chats(
            self.guest(request),
            state=given.get("state") or given.get("status") or "",
            channel=given.get("channel", ""),
            cursor=query.get("cursor"),
            limit=read_limit(query.get("limit")),
        )
        again = {name: query[name] for name in ("state", "status", "channel", "limit") if name in query}
        return Response(
            {
                "results": [queries.own_payload(row) for row in found.rows],
                "next": link(request.path, again, found.next),
                "previous": link(request.path, again, found.previous),
            }
        )

    @extend_schema(
        operation_id="start_chat",
        request=ChatStartBody,
        responses={201: schema_of(OwnChatPayload), 200: schema_of(OwnChatPayload)},
    )
    def post(self, request: Request) -> Response:
        """The open chat on this channel (200), or a new one (201). The same client_id again is the same chat."""
        guest = self.guest(request)
        given = checked(ChatStartBody(data=request.data))
        channel = widget_for(given["channel"])
        if isinstance(guest, Visitor) and guest.channel_id != channel.pk:
            raise NotFound
        check_origin(request._request, channel)
        pace.take_start(guest, source(request._request))
        words = _first_words(given)
        if words is not None:
            pace.take_message(guest)
            writing.check_words(words.body)
        chat, created = starting.start_chat(guest=guest, channel=channel, client_id=given["client_id"], words=words)
        return Response(queries.get_chat(guest, chat.pk), status=201 if created else 200)


def _first_words(given: dict[str, Any]) -> Words | None:
    if not given["body"].strip():
        return None
    return Words(given["message_client_id"] or given["client_id"] or uuid4(), given["body"])


class ChatDetail(ChatView):
    @extend_schema(operation_id="get_chat", responses={200: schema_of(OwnChatPayload)})
    def get(self, request: Request, chat: UUID) -> Response:
        """One chat that one takes part in, with its live number."""
        guest = self.guest(request)
        chat_for(guest, chat)
        return Response(queries.get_chat(guest, chat))


class ChatEndBody(serializers.Serializer[Any]):
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True, default=None)
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class ChatEnd(ChatView):
    @extend_schema(operation_id="end_chat", request=ChatEndBody, responses={200: schema_of(OwnChatPayload)})
    def post(self, request: Request, chat: UUID) -> Response:
        """Ends one's chat, and says how it was if one likes. Ended twice is ended."""
        guest = self.guest(request)
        given = checked(ChatEndBody(data=request.data or {}))
        pace.take_act(guest)
        ending.end_chat(guest=guest, chat_id=chat)
        if given["rating"] is not None:
            ending.rate_chat(guest=guest, chat_id=chat, rating=given["rating"], comment=given["comment"])
        return Response(queries.get_chat(guest, chat))


class RatingBody(serializers.Serializer[Any]):
    rating = serializers.IntegerField(min_value=1, max_value=5)
    comment = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class ChatRating(ChatView):
    @extend_schema(operation_id="rate_chat", request=RatingBody, responses={200: schema_of(OwnChatPayload)})
    def post(self, request: Request, chat: UUID) -> Response:
        """How an ended chat was, from 1 to 5. The last word counts."""
        guest = self.guest(request)
        given = checked(RatingBody(data=request.data))
        pace.take_act(guest)
        ending.rate_chat(guest=guest, chat_id=chat, **given)
        return Response(queries.get_chat(guest, chat))


class TranscriptBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField(required=False)


class ChatTranscript(ChatView):
    @extend_schema(operation_id="mail_chat_transcript", request=TranscriptBody, responses={202: None})
    def post(self, request: Request, chat: UUID) -> Response:
        """Mails what was written to the address that one has given of oneself."""
        guest = self.guest(request)
        given = checked(TranscriptBody(data=request.data or {}))
        chat_for(guest, chat)
        pace.take_mail(guest)
        ending.request_transcript(guest=guest, chat_id=chat, request_id=given.get("client_id") or uuid4())
        return Response(status=202)
